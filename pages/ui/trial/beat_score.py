"""After the last round: who was how good, in numbers and as a card to copy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import streamlit as st

from metacore import DATASETS
from metacore.insight.contest import LAST_SEED, QUERIES, ROUNDS, Contest
from metacore.insight.contest_replies import (
    LearnerAnswer,
    Reply,
    Tally,
    tally_answers,
    tally_replies,
)
from metacore.statistics import score
from pages.ui import words
from pages.ui.trial import beat_link, beat_rivals, beat_round
from pages.ui.trial.beat_lines import ContestLine, lines
from pages.ui.trial.beat_rivals import Rival


@dataclass(frozen=True)
class Placed:
    """One line of the scoreboard."""

    name: str
    tally: Tally
    color: str | None = None  # None: a person


def scoreboard(of: Contest, replies: Sequence[Reply], rivals: Sequence[Rival]) -> None:
    with st.spinner("Counting…", show_time=False):
        placed = _placed(of, replies, rivals)
    st.subheader(_headline(placed), anchor=False)
    lines([_line(each) for each in placed])
    st.caption(
        f"The same {ROUNDS} queries for all. In brackets, and as a bar, the 95% interval of"
        f" Wilson, which suits a few yes or no answers: after {ROUNDS} rounds, much is still luck."
        f" *Of all queries* is a run's mean accuracy ± 95% CI over the same {ROUNDS} episodes with"
        f" all their {QUERIES * of.difficulty.ways} queries, of which you saw one each. Times are"
        " means."
    )
    st.markdown("**Your result**", help="The button in its corner copies it.")
    st.code(card(of, placed, beat_link.address(of)), language=None, wrap_lines=True)
    _onward(of)


def _placed(of: Contest, replies: Sequence[Reply], rivals: Sequence[Rival]) -> list[Placed]:
    truths = [beat_rivals.shown(of, number).truth for number in range(ROUNDS)]
    beat_rivals.ask(rivals, of, range(ROUNDS))
    placed = [Placed("You", tally_replies(replies, truths))]
    for rival in rivals:
        answers = _answers(rival, of)
        if answers:
            tally = tally_answers(answers, truths)
            placed.append(Placed(rival.name, tally, rival.color))
    return placed


def _answers(rival: Rival, of: Contest) -> list[LearnerAnswer] | None:
    """All or nothing: a score of fewer rounds would not compare."""
    answers = []
    for number in range(ROUNDS):
        answer = beat_rivals.answer(rival, of, number)
        if answer is None:
            return None
        answers.append(answer)
    return answers


def _headline(placed: Sequence[Placed]) -> str:
    person, *machines = placed
    mine = person.tally.right
    if not machines:
        return f"You answered {mine} of {ROUNDS}"
    its = max(each.tally.right for each in machines)
    best = [words.plain(each.name) for each in machines if each.tally.right == its]
    names = " and ".join([", ".join(best[:-1]), best[-1]] if best[1:] else best)
    if mine > its:
        return f"You beat the machine: {mine} to {its}"
    if mine == its:
        return f"A draw with {names}: {mine} of {ROUNDS} each"
    return f"{names} beat you: {its} to {mine}"


def _line(each: Placed) -> ContestLine:
    tally = each.tally
    low, high = (100 * bound for bound in tally.interval)
    overall = f"{score('accuracy', *tally.overall)} of all queries" if tally.overall else ""
    return ContestLine(
        who=each.name,
        color=each.color,
        said=f"{tally.right} of {len(tally.marks)}: {100 * tally.accuracy:.0f} %"
        f" ({low:.0f} to {high:.0f} %)",
        at=tally.accuracy,
        reach=tally.interval,
        notes=(_marks(tally), _time(each), overall),
    )


def _time(each: Placed) -> str:
    seconds = each.tally.seconds
    return words.brief(seconds) if each.color else f"{seconds:.1f} s"


def _marks(tally: Tally) -> str:
    return "".join("✓" if right else "✗" for right in tally.marks)


def card(of: Contest, placed: Sequence[Placed], link: str) -> str:
    """The result as a few lines of text."""
    level = of.difficulty
    first = f"Metacore · beat the machine · {level.ways}-way {of.shots}-shot"
    about = f"{DATASETS[of.dataset].title}: {level.title.lower()} · contest {of.seed}"
    names = [words.clean(each.name) for each in placed]
    wide = max(map(len, names))
    lines = [
        f"{name.ljust(wide)}  {_marks(each.tally)}"
        f"  {each.tally.right}/{len(each.tally.marks)}  {_time(each)}"
        for name, each in zip(names, placed, strict=True)
    ]
    return "\n".join([first, about, *lines, link])


def _onward(of: Contest) -> None:
    another = replace(of, seed=(of.seed + 1) % LAST_SEED)
    with st.container(horizontal=True):
        st.button(
            "Again",
            icon=":material/refresh:",
            key="beat again",
            on_click=beat_round.begin,
            args=(another,),
            help=f"{ROUNDS} other puzzles that are as hard.",
        )
        if of.harder:
            st.button(
                "Harder",
                icon=":material/trending_up:",
                key="beat harder",
                on_click=beat_round.begin,
                args=(replace(another, level=of.harder.name),),
                help=f"{of.harder.title}: {of.harder.about}",
            )
        st.button(
            "Other settings",
            icon=":material/tune:",
            key="beat leave",
            type="tertiary",
            on_click=beat_link.leave,
            help="Back to the choice of runs, characters and difficulty.",
        )
