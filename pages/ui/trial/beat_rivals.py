"""The runs a person plays against, and what they answer."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from metacore import Run, UserError
from metacore.answers import Question
from metacore.answers.questions import Learned, Loadable
from metacore.answers.trials import InContest, Round
from metacore.insight.contest import CONFIGS, Contest, Puzzle
from metacore.insight.contest_replies import LearnerAnswer, unfair
from pages.ui import pick, say, state, waiting
from pages.ui.trial import beat_link

T = TypeVar("T")
PATIENCE = 30.0
USUAL = 3


@dataclass(frozen=True)
class Rival:
    run: Run
    name: str
    color: str


def possible(dataset: str) -> list[Run]:
    """Runs that see what contests of this dataset are about."""
    return pick.usable(lambda run: run.config.takes(CONFIGS[dataset]))


def usual(found: Sequence[Run]) -> list[Run]:
    return pick.varied(found, most=USUAL, least=USUAL)


def rivals(of: Contest) -> list[Rival]:
    """Those the address names, as far as they can play; why others cannot is said."""
    found = possible(of.dataset)
    by_id = {run.id: run for run in found}
    named = [by_id[key] for key in state.get(beat_link.RUNS) if key in by_id]
    playing = [run for run in named or usual(found) if _plays(run, of)]
    looks = zip(playing, pick.names(playing), pick.colors(playing), strict=True)
    return [Rival(*each) for each in looks]


def _plays(run: Run, of: Contest) -> bool:
    try:
        _got(Loadable(learned=Learned.by(run)))
        why = unfair(run.config, of)
    except UserError as error:
        why = str(error)
    if why:
        say.warning(f"{run.name} is left out: {why}", icon=":material/broken_image:")
    return not why


def shown(of: Contest, number: int) -> Puzzle:
    """The puzzle of this round, to look at."""
    return _got(Round(contest=of, number=number))


def ask(rivals: Sequence[Rival], of: Contest, numbers: Sequence[int]) -> None:
    """Has all of these answered at once: then each is there when its turn comes."""
    with contextlib.suppress(UserError):
        questions = [_question(rival, of, number) for rival in rivals for number in numbers]
        waiting.several(questions, moment=0.0)


def answer(rival: Rival, of: Contest, number: int) -> LearnerAnswer | None:
    """What the run says to this round; None if it cannot, which is said."""
    try:
        return _got(_question(rival, of, number))
    except UserError as error:
        say.warning(f"{rival.run.name} is left out: {error}", icon=":material/broken_image:")
        return None


def _question(rival: Rival, of: Contest, number: int) -> InContest:
    return InContest(learned=Learned.by(rival.run), contest=of, number=number)


def _got(question: Question[T]) -> T:
    """A round waits for its answers: there is nothing else to look at."""
    found = waiting.one(question, moment=PATIENCE)
    if not found.complete:
        raise UserError(f"No answer came within {PATIENCE:.0f} seconds: reload the page.")
    return found.get()
