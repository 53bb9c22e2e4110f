"""Which runs answer: those that learned from drawings of one channel, 28 pixels a side."""

import streamlit as st

from metacore import Run
from metacore.algorithms import by_turns
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
        _usual(found),
        most=MOST,
        help=f"Up to {MOST} runs that have learned from drawings; all of them answer at once.",
    )
    if not runs:
        st.info("Pick a run: then it answers here.", icon=":material/add:")
    return runs


def _usual(found: list[Run]) -> list[Run]:
    """One of each algorithm, as they came with Metacore where they did."""
    shelf = [run for run in found if run.read_only] or found
    firsts = {pick.kind(run): run for run in reversed(shelf)}
    return [firsts[name] for name in by_turns(firsts)][:MOST]
