"""Deleting runs: asked about first, and refused by the engine where one is being trained."""

from collections.abc import Sequence

import streamlit as st

from metacore import Run, UserError
from pages.ui import engine, pick, say, state, visitor, words


def button(runs: Sequence[Run]) -> None:
    """Opens the question; nothing where there is nothing that may be deleted."""
    runs = [run for run in runs if visitor.may_change(run)]
    if not runs:
        return
    with st.popover(
        "Delete" if len(runs) == 1 else f"Delete {len(runs)} runs",
        icon=":material/delete:",
        help="Asks before anything is removed.",
    ):
        ask(runs)


def ask(runs: Sequence[Run]) -> None:
    for run in runs:
        st.markdown(f"**{words.plain(run.name)}** · {words.scored(run)}")
    st.caption(
        "Weights, curves and notes go for good; only an exported file would bring them back."
    )
    if st.button(
        "Delete for good",
        key=f"delete {' '.join(run.id for run in runs)}",
        type="primary",
        icon=":material/delete_forever:",
        help="Cannot be undone.",
    ):
        remove(runs)


def remove(runs: Sequence[Run]) -> None:
    """Deletes what may be deleted; a refusal keeps the question open to be read."""
    refused = False
    for run in runs:
        try:
            engine.store().delete(run)
        except UserError as error:
            refused = True
            say.error(error)
    if not refused:
        state.drop(pick.RUNS)
        st.toast(f"{words.several(len(runs), 'run')} deleted.", icon=":material/delete_forever:")
        st.rerun()
