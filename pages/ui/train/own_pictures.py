"""Sets of pictures that people add: which one is learned from, and a zip that becomes another."""

import io
from functools import partial

import streamlit as st

from metacore import DATASETS, UserError
from metacore.archives import Source
from metacore.settings import settings_of
from pages.ui import forms, say, visitor, words
from pages.ui.train.plan import Plan

LARGEST_MB = 200
SAID = 5  # sentences about what was left out
_COUNT, _OUTCOME = "own pictures taken", "own pictures outcome"


def choose(chosen: Plan) -> None:
    """Which of those that were added; and how to add one."""
    config, kind = chosen.shared().dataset, DATASETS[chosen.dataset]
    setting = next(each.name for each in settings_of(config) if each.path)
    path = str(getattr(forms.remembered(config, key=chosen.data_key()), setting))
    known = kind.kept_names()
    options = ["", *known, *([path] if path not in ("", *known) else [])]
    key = f"own pictures of {chosen.dataset} {path}"  # one anew whenever another is chosen

    def take() -> None:
        forms.take(config, setting, st.session_state[key], key=chosen.data_key())

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox(
            "Pictures",
            options,
            options.index(path),
            format_func=lambda word: words.clean(word) if word else "choose, or add some",
            key=key,
            on_change=take,
            help="Sets that were added here. At your own computer any folder will do: name it"
            " under “Every setting”, The data.",
        )
        with st.popover("Add pictures", icon=":material/add_photo_alternate:"):
            _add(chosen, partial(forms.take, config, setting, key=chosen.data_key()))
    _say_outcome()


def _add(chosen: Plan, use: "partial[None]") -> None:
    st.markdown(
        "A **zip with a folder per class**, or with train, val and test of such folders: PNG, JPEG"
        " or WebP."
    )
    number = st.session_state.get(_COUNT, 0)
    file = st.file_uploader(
        "Zip of pictures",
        type=["zip"],
        max_upload_size=LARGEST_MB,
        key=f"own pictures {number}",
        help="It is unpacked and kept on the computer Metacore runs on; everyone who uses this"
        " server can learn from it.",
    )
    name = st.text_input(
        "Name",
        max_chars=40,
        placeholder="the file's name",
        key=f"own pictures name {number}",
        help="What the set is called from now on.",
    )

    def add() -> None:
        if file is None:
            return
        try:
            _refuse_nobody()
            source = Source(file.name, lambda: io.BytesIO(file.getbuffer()))
            called, left_out = DATASETS[chosen.dataset].upload(source, name.strip())
        except UserError as error:
            st.session_state[_OUTCOME] = (str(error), [])
            return
        use(called)
        st.session_state[_OUTCOME] = ("", left_out)
        st.session_state[_COUNT] = number + 1

    st.button(
        "Add",
        key="add own pictures",
        on_click=add,
        disabled=file is None,
        help="Unpacks the zip and learns from it.",
    )


def _refuse_nobody() -> None:
    who = visitor.current()
    if who.limits is not None and not who.owner:
        raise UserError("Sign in first (in the sidebar).")


def _say_outcome() -> None:
    """Once, after a zip was added or refused."""
    error, left_out = st.session_state.pop(_OUTCOME, ("", []))
    if error:
        say.error(error, icon=":material/block:")
    for sentence in left_out[:SAID]:
        say.warning(sentence)
    if len(left_out) > SAID:
        say.warning(f"And {len(left_out) - SAID} more files were left out.")
