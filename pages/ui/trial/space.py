"""Where a trial's drawings lie in the space of every network, once it has adapted to them."""

from collections.abc import Sequence

import streamlit as st

from metacore.trial.task import Trial
from pages.ui import charts, waiting
from pages.ui.figures import trial as figures
from pages.ui.trial.machine import MOMENT, Actor

ABREAST = 3


def show(actors: Sequence[Actor], trial: Trial, kinds: figures.Kinds) -> None:
    charts.title(
        "Where they lie after adaptation",
        "The features of the layer before the answer, on the plane in which this task's drawings"
        " differ most. Stars are the means of the classes: ProtoNet's prototypes.",
    )
    labels = [label for label, shots in enumerate(trial.support) for _ in shots]
    questions = [actor.places for actor in actors]
    standings = waiting.several(questions, moment=MOMENT)
    waiting.bar(questions, "Finding their places", key="places")
    known = [
        (actor, standing.get())
        for actor, standing in zip(actors, standings, strict=True)
        if standing.complete and not standing.error
    ]
    for start in range(0, len(known), ABREAST):
        abreast = known[start : start + ABREAST]
        for column, (actor, (support, asked)) in zip(st.columns(ABREAST), abreast, strict=False):
            with column:
                charts.chart(
                    figures.space(support, labels, asked, kinds, charts.theme()),
                    actor.name,
                    alt=f"The trial's drawings in the space of {actor.name}, by class, and the"
                    " query among them.",
                    key=f"space {actor.run.id}",
                )
