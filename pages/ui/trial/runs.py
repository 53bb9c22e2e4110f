"""Which runs answer: those that can see what is shown."""

import streamlit as st

from metacore import Run
from metacore.trial import task
from pages.ui import pick

MOST = 8


def offered(*, photographs: bool = False) -> list[Run]:
    return pick.usable(lambda run: bool(task.sees(run.config, photographs=photographs)))


def choose(*, photographs: bool = False) -> list[Run]:
    """A picker of the runs that answer at once; [] where there are none, which is said."""
    what = "pictures in colour" if photographs else "drawings"
    found = offered(photographs=photographs)
    if not found:
        pick.missing(f"There is no run yet that has learned from {what}.")
        return []
    runs = pick.several(
        found,
        pick.varied(found, most=MOST),
        most=MOST,
        help=f"Up to {MOST} runs that have learned from {what}; all of them answer at once.",
    )
    if not runs:
        st.info("Pick a run: then it answers here.", icon=":material/add:")
    return runs
