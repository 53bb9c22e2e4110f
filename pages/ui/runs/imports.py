"""Runs that arrive as files: checked by the engine, then kept, or refused in a sentence."""

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from metacore import UserError
from metacore.runs import import_
from pages.ui import engine, pick, say, state, words

LARGEST_MB = 200


def button() -> None:
    """Where files are dropped; a new uploader after each time, so that none is read twice."""
    with st.popover(
        "Import",
        icon=":material/upload_file:",
        width="stretch",
        help="Reads runs from files that were exported here or on another computer.",
    ):
        files = st.file_uploader(
            "Exported runs",
            accept_multiple_files=True,
            max_upload_size=LARGEST_MB,
            key=f"files {st.session_state.get('arrivals', 0)}",
            help="Each file is checked byte for byte before anything of it is kept.",
        )
    if files:
        receive(files)


def receive(files: Sequence[UploadedFile]) -> None:
    arrived, refused = [], []
    try:
        engine.store().refuse_imports(len(files))
    except UserError as error:
        files, refused = (), [str(error)]
    with st.spinner("Checking every byte …"):
        for file in files:
            try:
                arrived.append(import_(engine.store(), file, file.name))
            except UserError as error:
                refused.append(str(error))
    st.session_state["arrivals"] = st.session_state.get("arrivals", 0) + 1
    st.session_state["refused"] = refused
    if arrived:
        state.put(pick.RUNS, *(run.id for run in arrived))
        names = ", ".join(words.plain(run.name) for run in arrived)
        verb = "is" if len(arrived) == 1 else "are"
        st.toast(f"{names} {verb} here.", icon=":material/check_circle:")
    st.rerun()


def refusals() -> None:
    """Why files were refused; it stays until the next one arrives or another run is picked."""
    for sentence in st.session_state.get("refused", []):
        say.error(sentence, icon=":material/block:")
