"""Keeping a trial: as a file of one's own, or on this server under a link."""

import streamlit as st

from metacore import UserError
from metacore.runs import trials
from metacore.trial.document import to_json
from metacore.trial.task import Trial
from pages.ui import say
from pages.ui.trial.opened import LINK

_KEPT = "trial kept"


def part(trial: Trial, *, key: str, besides: str) -> None:
    """`besides`: what is stored without being asked for."""
    document = to_json(trial)
    with st.container(horizontal=True):
        st.download_button(
            "Save as a file",
            document,
            "trial.json",
            "application/json",
            key=f"{key} save",
            icon=":material/download:",
            on_click="ignore",
            help="Drawings, pictures, names and chosen runs in one small JSON file.",
        )
        if st.button(
            "Save on this server",
            key=f"{key} keep",
            icon=":material/link:",
            help="Keeps this trial here until it is removed, and gives you a link to it."
            f" {besides}",
        ):
            _keep(document)
    kept, name = st.session_state.get(_KEPT, (None, ""))
    if kept == document:  # the link leads to what is on the page
        st.caption("Whoever can reach this server can open the trial as it is now:")
        st.code(address(name), language=None, wrap_lines=True)


def _keep(document: bytes) -> None:
    try:
        st.session_state[_KEPT] = (document, trials.save(document))
    except UserError as error:
        say.error(error, icon=":material/save:")


def address(name: str) -> str:
    page = (st.context.url or "/trial").partition("?")[0]
    return f"{page}?{LINK}={name}"
