"""Which runs answer: those that learned from drawings of one channel, 28 pixels a side."""

import streamlit as st

from metacore import Run
from metacore.trial import task
from pages.ui import pick

MOST = 8


def choose() -> list[Run]:
    """A picker of the runs that answer at once; [] where there are none, which is said."""
    found = pick.usable(lambda run: task.takes_drawings(run.config))
    if not found:
        pick.missing("There is no run yet that has learned from drawings.")
        return []
    runs = pick.several(
        found,
        pick.varied(found, most=MOST),
        most=MOST,
        help=f"Up to {MOST} runs that have learned from drawings; all of them answer at once.",
    )
    if not runs:
        st.info("Pick a run: then it answers here.", icon=":material/add:")
    return runs
