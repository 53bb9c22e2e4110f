"""Opening a trial that was kept: from a link to this server, or from a file.

A trial of drawings goes to the sheet, one of photographs to their part, one with pictures of
drawings to the uploads: there the link shows it until something is changed.
"""

from collections.abc import Callable

import streamlit as st

from metacore import UserError
from metacore.runs import trials
from metacore.trial.document import LARGEST, from_json
from metacore.trial.photo import Photo
from metacore.trial.picture import Picture
from metacore.trial.task import FEWEST_WAYS, Trial
from pages.ui import pick, say, state
from pages.ui.sheet import MOST_SHOTS, Load
from pages.ui.trial import photo_trial, uploads

LINK = "trial"
LOAD = "trial load"
WAY, DRAW, UPLOAD, PHOTOGRAPHS, BEAT = (
    "way",
    "Draw",
    "Upload",
    "Photographs",
    "Beat the machine",
)
AS_DRAWINGS = "files seen as drawings"
_LAST, _TROUBLE, _FILES = "trial opened", "trial trouble", "trial files opened"


def from_link() -> None:
    """Once for a link: what is changed on the page since then stays."""
    name = state.first(LINK)
    if name and st.session_state.get(_LAST) != name:
        st.session_state[_LAST] = name
        _open(lambda: trials.load(name), f"trial {name}")
    if trouble := st.session_state.pop(_TROUBLE, None):
        say.error(trouble, icon=":material/link_off:")


def from_file() -> None:
    """A place to drop the file of a trial."""
    count = st.session_state.get(_FILES, 0)
    key = f"trial file {count}"
    st.file_uploader(
        "The file of a trial",
        type=["json"],
        key=key,
        max_upload_size=LARGEST // 1_000_000,
        on_change=_read,
        args=(key,),
        help="A trial that was saved as a file, here or on another computer.",
    )


def _read(key: str) -> None:
    file = st.session_state.get(key)
    if file is not None:
        count = st.session_state.get(_FILES, 0) + 1
        st.session_state[_FILES] = count
        forget_link()
        _open(file.getvalue, f"file {file.file_id}")


def forget_link() -> None:
    """What is on the page is no longer what the address says."""
    state.drop(LINK)
    st.session_state.pop(_LAST, None)


def _open(read: Callable[[], bytes], name: str) -> None:
    try:
        show(from_json(read()), name)
    except UserError as error:
        st.session_state[_TROUBLE] = str(error)


def show(trial: Trial, name: str) -> None:
    """Before the page's widgets are made: their values are set."""
    if trial.photographs:
        state.put(WAY, PHOTOGRAPHS)
        photo_trial.show(trial)
    elif _is_drawn(trial):
        state.put(WAY, DRAW)
        _on_the_sheet(trial, name)
    else:
        state.put(WAY, UPLOAD)
        if not state.first(LINK):
            uploads.go_on(trial)
    if trial.settings.runs:
        state.put(pick.RUNS, *trial.settings.runs)


def pictures() -> Trial | None:
    """The trial of the address, if it is one for the uploads."""
    try:
        found = from_json(trials.load(name)) if (name := state.first(LINK)) else None
    except UserError:  # said when the link was followed
        return None
    return None if found is None or found.photographs or _is_drawn(found) else found


def _is_drawn(trial: Trial) -> bool:
    examples = [*trial.query, *(example for shots in trial.support for example in shots)]
    return not any(isinstance(example, Picture | Photo) for example in examples)


def _on_the_sheet(trial: Trial, name: str) -> None:
    st.session_state[LOAD] = Load(
        id=name,
        names=trial.classes,
        support=[list(shots) for shots in trial.support],  # type: ignore[arg-type]
        query=trial.query[0] if trial.query else (),  # type: ignore[arg-type]
    )
    state.put("ways", max(FEWEST_WAYS, len(trial.classes)))
    state.put("shots", min(MOST_SHOTS, max([1, *map(len, trial.support)])))
