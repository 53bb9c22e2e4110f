"""Choosing runs: named, ordered and kept in the URL, so that a page can be linked to."""

from collections.abc import Callable, Collection, Sequence

import streamlit as st

from metacore import Run
from pages.ui import engine, state, words

RUNS = "run"  # what every page calls the runs it is about, in its address


def usable(accept: Callable[[Run], bool] = lambda run: True) -> list[Run]:
    """Runs with weights to look at: one's own first, then those that came with Metacore."""
    return [run for run in engine.store().runs() if engine.weights_of(run) and accept(run)]


def title(run: Run) -> str:
    return str(run.config.algorithm_class.title)


def label(run: Run) -> str:
    origin = " · pretrained" if run.read_only else ""
    return f"{words.clean(run.name)} · {words.quoted(run)}{origin}"


def one(found: Sequence[Run], *, name: str = "run", usual: str = "", help: str) -> Run:
    """A picker of one run; `found` is not empty."""
    by_id = {run.id: run for run in found}
    missed(name, by_id)
    labels = {run_id: label(run) for run_id, run in by_id.items()}
    chosen = state.select(st, "Run", name, labels, usual=usual, varies=True, help=help)
    return by_id[chosen]


def several(
    found: Sequence[Run], default: Sequence[Run], *, name: str = RUNS, most: int, help: str
) -> list[Run]:
    """A picker of some runs, in the order they were picked."""
    by_id = {run.id: run for run in found}
    missed(name, by_id)
    labels = {run_id: label(run) for run_id, run in by_id.items()}
    usual = [run.id for run in default]
    chosen = state.several(st, "Runs", name, labels, usual=usual, most=most, varies=True, help=help)
    return [by_id[run_id] for run_id in chosen]


def missed(name: str, known: Collection[str]) -> None:
    """Says of runs the address asks for, and this page cannot show, why; forgets them."""
    asked = state.get(name)
    there = [run_id for run_id in asked if run_id in known or run_id == state.NONE]
    if len(there) == len(asked):
        return
    for run_id in asked:
        if run_id not in there and state.came_with_link(name):
            state.note(_why_not(run_id))
    state.put(name, *there)


def _why_not(run_id: str) -> str:
    run = engine.find(run_id)
    if run is None:
        return (
            f"There is no run {words.plain(run_id[:40])} here: it was deleted, or the link is from"
            " another computer."
        )
    why = "does not fit this page" if engine.weights_of(run) else "has no weights yet"
    return f"{words.plain(run.name)} {why}: it is left out."


def leading(found: Sequence[Run]) -> Run | None:
    """The run the address names first, if it is among these."""
    by_id = {run.id: run for run in found}
    return next((by_id[run_id] for run_id in state.heard(RUNS) if run_id in by_id), None)


def kind(run: Run) -> str:
    """The algorithm's name, as palettes and registries know it."""
    return str(run.values["algorithm"]["name"])


def missing(what: str) -> None:
    """What a page says where there is nothing to look at yet."""
    st.info(f"{what} Train one first: it takes less than a minute.", icon=":material/school:")
    st.page_link("lab/train.py", label="Train a run", icon=":material/model_training:")
