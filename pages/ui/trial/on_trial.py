"""What runs make of a trial: each adapts once to its support set and then answers any query."""

from collections.abc import Sequence
from dataclasses import dataclass

from metacore import Run, UserError
from metacore.answers.questions import Learned
from metacore.answers.trials import OnTrial, Pictures, Places, Said
from metacore.trial.task import Answer, Trial, pixels, sees
from pages.ui import pick, say, waiting

MOMENT = 0.6  # a new query is worth a longer one: who draws looks at the answers alone


@dataclass(frozen=True)
class RunOnTrial:
    """One run that answers."""

    run: Run
    name: str
    color: str
    asked: OnTrial
    said: Said

    @property
    def kind(self) -> str:
        return pick.kind(self.run)

    @property
    def answer(self) -> Answer | None:
        return self.said.answer

    @property
    def places(self) -> Places:
        """The question where its drawings lie."""
        return Places(**vars(self.asked))


def runs_on_trial(runs: Sequence[Run], trial: Trial, *, key: str) -> list[RunOnTrial]:
    """What every run answers; one that cannot is named with its reason, and left out.

    While they are still adapting there is a bar, and those are shown that have answered.
    """
    asked = _questions(runs, trial)
    standings = waiting.several(list(asked.values()), moment=MOMENT)
    waiting.bar(list(asked.values()), "Adapting", key=f"{key} adapting")
    found = []
    for run, name, color in zip(runs, pick.names(runs), pick.colors(runs), strict=True):
        if run not in asked:
            continue
        standing = standings[list(asked).index(run)]
        if standing.error:
            say.left_out(run, standing.error)
        elif standing.complete:
            found.append(RunOnTrial(run, name, color, asked[run], standing.get()))
    return found


def _questions(runs: Sequence[Run], trial: Trial) -> dict[Run, OnTrial]:
    labels = tuple(label for label, shots in enumerate(trial.support) for _ in shots)
    asked = {}
    for run in runs:
        try:
            shape = sees(run.config, photographs=trial.photographs)
            if shape is None:
                raise UserError("it was trained on pictures of another kind.")
            asked[run] = OnTrial(
                learned=Learned.by(run),
                support=Pictures.of(pixels(sum(trial.support, ()), shape)),
                labels=labels,
                ways=len(trial.classes),
                query=Pictures.of(pixels(trial.query, shape)),
            )
        except UserError as error:
            say.left_out(run, error)
    return asked
