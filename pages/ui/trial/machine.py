"""What runs make of a trial: each adapts once to its support set and then answers any query.

What was adapted stays in memory under the support set it was adapted to, so that a new query costs
no more than a look at it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from metacore import Run, UserError
from metacore.trial.task import Adapted, Answer, Trial, adapt, pixels
from pages.ui import charts, engine, palette, pick, say


@dataclass(frozen=True)
class Actor:
    """One run that answers."""

    run: Run
    name: str
    color: str
    adapted: Adapted
    answer: Answer | None  # to the queries, if there are any

    @property
    def kind(self) -> str:
        return pick.kind(self.run)


def actors(runs: Sequence[Run], trial: Trial) -> list[Actor]:
    """What every run answers; one that cannot is named with its reason, and left out."""
    kinds = [pick.kind(run) for run in runs]
    colors = palette.run_colors(kinds, charts.theme())
    found = []
    for run, color in zip(runs, colors, strict=True):
        name = run.name if kinds.count(pick.kind(run)) > 1 else pick.title(run)
        try:
            ready = adapted(run, trial)
            found.append(Actor(run, name, color, ready, _answer(ready, trial)))
        except UserError as error:
            say.error(f"{run.name} is left out: {error}", icon=":material/broken_image:")
    return found


def _answer(ready: Adapted, trial: Trial) -> Answer | None:
    if not trial.query:
        return None
    return ready.answer(pixels(trial.query))


def adapted(run: Run, trial: Trial) -> Adapted:
    support = hashlib.sha256(repr(trial.support).encode()).hexdigest()
    return _adapted(str(run.folder), engine.weights_of(run), support, run, trial)


@st.cache_resource(show_spinner=False, max_entries=64)
def _adapted(folder: str, written: float | None, support: str, _run: Run, _trial: Trial) -> Adapted:
    labels = [label for label, shots in enumerate(_trial.support) for _ in shots]
    pictures = pixels(sum(_trial.support, ()))
    return adapt(engine.learner(_run), pictures, labels, ways=len(_trial.classes))
