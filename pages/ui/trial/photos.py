"""Photographs: teach the networks a few things with the camera or with files, then show them one.

Pictures are seen in colour and as they are; drawings on paper have a part of their own.
"""

from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from metacore import Run, UserError
from metacore.trial.photo import Photo
from metacore.trial.task import FEWEST_WAYS, LONGEST_CLASS, MOST_WAYS, Example, Settings, Trial
from pages.ui import charts, palette, pick, say, state, widgets, words
from pages.ui.trial import answers, opened, photo_trial, runs, saving
from pages.ui.trial.photo_trial import QUERY
from pages.ui.trial.upload import MEGABYTES, TYPES, looked_at, refusals

CAMERA, FILES = "Camera", "Upload"
STYLE = Path(__file__).with_name("photos.css")
_TARGET, _COUNT, _TROUBLE, _SAID = "photo target", "photos taken", "photo trouble", "photo refused"


def part() -> None:
    st.html(STYLE)
    st.markdown(
        "**Teach it three things:** name them, show one or two pictures of each to the camera (or"
        " upload some), then show it something new. Every network answers at once, and says which"
        " of your pictures it goes by."
    )
    _read_given()
    with st.container(horizontal=True):
        with st.popover("Runs", icon=":material/tune:"):
            chosen = runs.choose(photographs=True)
        with st.popover("Open", icon=":material/file_open:"):
            opened.from_file()
        st.button(
            "Take back",
            icon=":material/undo:",
            on_click=photo_trial.take_back,
            disabled=not photo_trial.can_take_back(),
            help="Undoes the last change: a picture, a name or a class.",
        )
        st.button(
            "Start over",
            icon=":material/delete:",
            on_click=photo_trial.forget,
            disabled=photo_trial.current() == photo_trial.START,
            help="Forgets all pictures and names.",
        )
    _troubles()
    if not chosen and not runs.offered(photographs=True):
        pick.missing("There is no run yet that has learned from pictures in colour.")
    left, right = st.columns([2, 3], gap="large")
    with left:
        _take()
    with right:
        _classes(photo_trial.current())
    _answers(chosen, photo_trial.current())


def _read_given() -> None:
    """Before anything else is drawn, for all of it depends on what is there."""
    given = photo_trial.given()
    if given is None:
        return
    st.session_state[_SAID] = photo_trial.read_given()
    st.session_state[_TARGET] = photo_trial.next_target(given.target)


def _troubles() -> None:
    if trouble := st.session_state.pop(_TROUBLE, ""):
        say.error(trouble, icon=":material/photo_camera:")
    what, files = st.session_state.get(photo_trial.GUESSED, ("", ()))
    if what == photo_trial.DRAWINGS:
        said = "These look like drawings on paper. Here they are seen as photographs, in colour."
    elif what == photo_trial.PHOTOGRAPHS:
        said = "These look like photographs, so they are seen here as they are, in colour."
    else:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        say.info(said, icon=":material/image_search:")
        st.button(
            "See them as drawings instead",
            icon=":material/gesture:",
            on_click=_as_drawings,
            args=(files,),
            disabled=not files,
            help="Finds the ink on them and draws it anew, as networks that know characters see"
            " it.",
        )


# --- taking pictures -----------------------------------------------------------------------------


def _take() -> None:
    trial = photo_trial.current()
    targets = {**{name: words.clean(name) for name in trial.classes}, QUERY: "something new"}
    if st.session_state.get(_TARGET) not in targets:
        st.session_state[_TARGET] = photo_trial.next_target("")
    target = st.pills(
        "The next picture shows",
        [*targets],
        format_func=lambda name: targets[name],
        key=_TARGET,
        required=True,
        wrap=True,
        help="Which class it is an example of; or something new, for the networks to recognise.",
    )
    source = widgets.switch(
        st,
        "From",
        "from",
        [FILES, CAMERA],
        help="The camera of this device, or pictures you have.",
        label_visibility="collapsed",
    )
    if source == CAMERA:
        _camera(str(target))
    else:
        _files(str(target))
    refusals(st.session_state.get(_SAID, ()))


def _camera(target: str) -> None:
    if not _camera_allowed():
        say.info(
            "Browsers open the camera only on pages that come over https, or from this computer"
            " itself (localhost). Upload pictures instead, or ask whoever runs this server for an"
            " https address.",
            icon=":material/no_photography:",
        )
        return
    key = f"photo camera {st.session_state.get(_COUNT, 0)}"
    st.camera_input(
        "Take a picture",
        key=key,
        on_change=_taken,
        args=(key, target),
        help="The picture goes to the networks on the computer where Metacore runs, and nowhere"
        " else.",
    )


def _camera_allowed() -> bool:
    """As the browser sees it: what a proxy does between is its own affair."""
    address = urlsplit(st.context.url or "http://localhost")
    host = address.hostname or ""
    here = host in ("localhost", "127.0.0.1", "::1") or host.endswith(".localhost")
    return address.scheme == "https" or here


def _taken(key: str, target: str) -> None:
    file = st.session_state.get(key)
    if file is None:
        return
    number = st.session_state[_COUNT] = st.session_state.get(_COUNT, 0) + 1
    _forget_said()
    try:
        photo_trial.from_camera(file.getvalue(), f"camera {number}", target)
    except UserError as error:
        st.session_state[_TROUBLE] = str(error)
    st.session_state[_TARGET] = photo_trial.next_target(target)


def _files(target: str) -> None:
    key = f"photo files {st.session_state.get(_COUNT, 0)}"
    st.file_uploader(
        "Photographs",
        type=TYPES,
        accept_multiple_files=True,
        key=key,
        max_upload_size=MEGABYTES,
        on_change=_given,
        args=(key, target),
        help="Pictures, or a zip with a folder per class.",
    )


def _given(key: str, target: str) -> None:
    files = st.session_state.get(key)
    if not files:
        return
    st.session_state[_COUNT] = st.session_state.get(_COUNT, 0) + 1
    _forget_said()
    _read([(file.name, bytes(file.getbuffer())) for file in files], target)


def _read(files: photo_trial.Files, target: str) -> None:
    """As photographs; where they look like drawings, that is said."""
    photo_trial.give(files, target)
    if photo_trial.guess(files) == photo_trial.DRAWINGS:
        photo_trial.remember_guess(photo_trial.DRAWINGS, files)


def _forget_said() -> None:
    for name in (_SAID, photo_trial.GUESSED):
        st.session_state.pop(name, None)
    opened.forget_link()


def _as_drawings(files: photo_trial.Files) -> None:
    photo_trial.forget()
    state.put(opened.WAY, opened.UPLOAD)
    st.session_state[opened.AS_DRAWINGS] = files


# --- what was taken ------------------------------------------------------------------------------


def _classes(trial: Trial) -> None:
    for number, (name, examples) in enumerate(zip(trial.classes, trial.support, strict=True)):
        color = palette.of_class(number, charts.theme())
        with st.container(
            horizontal=True, vertical_alignment="center", key=f"photo class {number}"
        ):
            key = f"photo name {number} {name}"
            st.text_input(
                f"Name of class {words.letter(number)}",
                name,
                max_chars=LONGEST_CLASS,
                key=key,
                on_change=_rename,
                args=(number, key),
                label_visibility="collapsed",
                width=180,
            )
            st.html(_row(examples, color), width="stretch")
            st.button(
                "",
                key=f"photo remove {number}",
                icon=":material/delete:",
                type="tertiary",
                on_click=photo_trial.remove_class,
                args=(number,),
                help=f"Takes {words.plain(name)} and its pictures out.",
            )
    if len(trial.classes) < MOST_WAYS:
        st.button(
            "Add a class",
            icon=":material/add:",
            type="tertiary",
            on_click=photo_trial.add_class,
            help=f"Up to {MOST_WAYS}.",
        )


def _rename(number: int, key: str) -> None:
    try:
        photo_trial.rename(number, str(st.session_state.get(key) or ""))
    except UserError as error:
        st.session_state[_TROUBLE] = str(error)
        st.session_state[key] = photo_trial.current().classes[number]


def _row(examples: Sequence[Example], color: str) -> str:
    """Thumbnails on the colour of their class; a frame where the first is still to come."""
    photos = [example for example in examples if isinstance(example, Photo)]
    images = "".join(
        f'<img src="{photo.address}" alt="{escape(photo.name)}" title="{escape(photo.name)}">'
        for photo in photos
    )
    return f'<div class="photos" style="border-color: {color}">{images or _blank(color)}</div>'


def _blank(color: str) -> str:
    return f'<span style="border-color: {color}"></span>'


# --- what the networks say -----------------------------------------------------------------------


def _answers(chosen: Sequence[Run], trial: Trial) -> None:
    query = 0
    if trial.query:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            query = looked_at(len(trial.query), name="asked")
            photo = trial.query[query]
            if isinstance(photo, Photo):
                name = escape(photo.name)
                st.html(f'<img class="asked-photo" src="{photo.address}" alt="asked: {name}">')
    if not chosen:
        return
    if len(trial.classes) < FEWEST_WAYS:
        st.info("Add a second class: there is nothing to tell apart yet.", icon=":material/add:")
        return
    asked = replace(trial, settings=Settings(runs=tuple(run.id for run in chosen)))
    answers.show(chosen, asked, key="photo", query=query)
    st.caption("Nothing is stored: these pictures are gone when this page is closed or reloaded.")
    if all(trial.support):
        saving.part(asked, key="photo", besides="Nothing else is stored.")
