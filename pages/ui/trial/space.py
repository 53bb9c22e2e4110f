"""Where a trial's drawings lie in the space of every network, once it has adapted to them."""

from collections.abc import Sequence

import streamlit as st

from metacore.trial.task import Trial
from pages.ui import charts, waiting
from pages.ui.figures import trial as figures
from pages.ui.trial.on_trial import MOMENT, RunOnTrial

ABREAST = 3


def show(found: Sequence[RunOnTrial], trial: Trial, kinds: figures.Kinds) -> None:
    charts.title(
        "Where they lie after adaptation",
        "The features of the layer before the answer, on the plane in which this task's examples"
        " differ most. Stars are the means of the classes: ProtoNet's prototypes.",
    )
    labels = [label for label, shots in enumerate(trial.support) for _ in shots]
    questions = [on_trial.places for on_trial in found]
    standings = waiting.several(questions, moment=MOMENT)
    waiting.bar(questions, "Finding their places", key="places")
    known = [
        (on_trial, standing.get())
        for on_trial, standing in zip(found, standings, strict=True)
        if standing.complete and not standing.error
    ]
    for start in range(0, len(known), ABREAST):
        abreast = known[start : start + ABREAST]
        for column, (on_trial, (support, asked)) in zip(st.columns(ABREAST), abreast, strict=False):
            with column:
                charts.chart(
                    figures.space(support, labels, asked, kinds, charts.theme()),
                    on_trial.name,
                    alt=f"The trial's examples in the space of {on_trial.name}, by class, and the"
                    " query among them.",
                    key=f"space {on_trial.run.id}",
                )
