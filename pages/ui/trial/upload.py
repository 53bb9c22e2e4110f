"""Upload: pictures of drawings as support set and queries, shown as the networks see them."""

from collections.abc import Sequence

import streamlit as st

from metacore import Run, UserError
from metacore.runs.uploads import MOST_DAYS
from metacore.trial.additions import EMPTY
from metacore.trial.photographs import Uploaded
from metacore.trial.task import LONGEST_CLASS, Example, pixels
from pages.ui import charts, drawings, palette, say, state, waiting, widgets, words
from pages.ui.trial import answers, opened, photo_trial, runs, saving, uploads
from pages.ui.trial.uploads import Shown

TYPES = ["png", "jpg", "jpeg", "webp", "zip"]
MEGABYTES = 64
SHOWN = 10  # pictures of a class, or queries
SCALE = 2
SAID = 3  # refusals in boxes of their own; more of them are a list
LISTED = 50
_CLASS, _TROUBLE, _COUNT = "upload class", "upload trouble", "uploads taken"


def part() -> None:
    st.markdown(
        "Photograph drawings, or take pictures you have: a **zip with a folder per class**, or"
        " several pictures of one class at a time. They become ink on paper, as the networks know"
        " it, and are shown here as the networks see them."
    )
    with st.container(horizontal=True):
        with st.popover("Runs", icon=":material/tune:"):
            chosen = runs.choose()
        with st.popover("Open", icon=":material/file_open:"):
            opened.from_file()
    if files := st.session_state.pop(opened.AS_DRAWINGS, ()):
        _begin(files, query=False, loose="")
    with st.container():  # always there: what moves down loses the files it is being given
        shown = _current()
        waiting.bar(shown.pending, "Reading pictures", key="uploads", partial=True, last=_last_name)
    left, right = st.columns(2, gap="large")
    with left:
        _support(shown)
    with right:
        _queries(shown)
    if shown.upload:
        _kept(shown)
    if chosen and not waiting.going_on(shown.pending):
        _answers(chosen, shown)


def _current() -> Shown:
    shown = uploads.current(opened.pictures())
    for trouble in (st.session_state.pop(_TROUBLE, ""), shown.trouble):
        if trouble:
            say.error(trouble, icon=":material/upload:")
    return shown


def _last_name(read: Uploaded) -> str:
    """Of the picture that was read last."""
    return words.plain([*read.classes.values()][-1][-1].name) if read.classes else ""


def _support(shown: Shown) -> None:
    st.subheader("Support", anchor=False)
    st.text_input(
        "Class",
        max_chars=LONGEST_CLASS,
        placeholder="its name",
        key=_CLASS,
        help="The class of pictures that lie in no folder; the folders of a zip name their own.",
    )
    _uploader(
        "Labelled pictures",
        "Several pictures of that class, or a zip with a folder per class.",
        shown,
        query=False,
    )
    trial = shown.trial
    for number, (label, examples) in enumerate(zip(trial.classes, trial.support, strict=True)):
        _class(shown, number, label, examples)


def _class(shown: Shown, number: int, label: str, examples: Sequence[Example]) -> None:
    color = palette.of_class(number, charts.theme())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{words.plain(label)}** · {words.several(len(examples), 'picture')}")
        st.button(
            "",
            key=f"upload forget {label}",
            icon=":material/delete:",
            type="tertiary",
            on_click=uploads.forget,
            args=(shown, label),
            disabled=bool(shown.pending),
            help=f"Takes {words.plain(label)} out of the trial.",
        )
    _shown(examples)
    st.html(f'<hr style="margin:0;border:0;border-top:3px solid {color}">')


def _queries(shown: Shown) -> None:
    st.subheader("Queries", anchor=False)
    _uploader(
        "Pictures to recognise",
        "Pictures of which the networks have to say the class; labels of a zip are not looked at.",
        shown,
        query=True,
    )
    if shown.trial.query:
        _shown(shown.trial.query)
        st.button(
            "Remove the queries",
            icon=":material/delete:",
            on_click=uploads.forget_queries,
            args=(shown,),
            disabled=bool(shown.pending),
            help="The labelled pictures stay.",
        )


def _shown(examples: Sequence[Example]) -> None:
    """As the networks see them."""
    st.image(drawings.row(pixels(tuple(examples[:SHOWN])), charts.theme(), scale=SCALE))
    if len(examples) > SHOWN:
        st.caption(f"and {len(examples) - SHOWN} more")


def _uploader(label: str, help: str, shown: Shown, *, query: bool) -> None:
    """Empty again as soon as it has been given something; below it, why files are left out."""
    key = f"upload {'query' if query else 'support'} {st.session_state.get(_COUNT, 0)}"
    st.file_uploader(
        label,
        type=TYPES,
        accept_multiple_files=True,
        key=key,
        max_upload_size=MEGABYTES,
        on_change=_take,
        args=(key, query),
        help=help,
    )
    refusals(uploads.refused(shown.upload, query=query))


def _take(key: str, query: bool) -> None:
    files = st.session_state.get(key)
    if not files:
        return
    st.session_state[_COUNT] = st.session_state.get(_COUNT, 0) + 1
    loose = "" if query else str(st.session_state.get(_CLASS) or "")
    given = [(file.name, file.getbuffer()) for file in files]
    if uploads.current(opened.pictures()).trial == EMPTY and not query:
        whole = [(name, bytes(data)) for name, data in given]
        if photo_trial.guess(whole) == photo_trial.PHOTOGRAPHS:
            _as_photographs(whole, loose)
            return
    _begin(given, query=query, loose=loose)


def _begin(files: Sequence[tuple[str, bytes | memoryview]], *, query: bool, loose: str) -> None:
    try:
        uploads.begin(uploads.current(opened.pictures()), files, query=query, loose=loose)
        opened.forget_link()
    except UserError as error:
        st.session_state[_TROUBLE] = str(error)


def _as_photographs(files: photo_trial.Files, loose: str) -> None:
    """They open where photographs are, which says so and leads back."""
    photo_trial.forget()
    photo_trial.give(files, loose)
    photo_trial.remember_guess(photo_trial.PHOTOGRAPHS, files)
    state.put(opened.WAY, opened.PHOTOGRAPHS)


def refusals(sentences: Sequence[str]) -> None:
    if len(sentences) <= SAID:
        for sentence in sentences:
            say.warning(sentence, icon=":material/broken_image:")
        return
    say.warning(f"{len(sentences)} files are left out.", icon=":material/broken_image:")
    with st.expander("Why"):
        lines = [f"- {words.plain(sentence)}" for sentence in sentences[:LISTED]]
        more = len(sentences) - LISTED
        st.markdown("\n".join([*lines, f"- and {more} more"] if more > 0 else lines))


def _kept(shown: Shown) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"What the networks see is kept for {MOST_DAYS} days where Metacore runs,"
            " so that a reload shows it again. The files are not kept."
        )
        st.button(
            "Remove it",
            icon=":material/delete:",
            type="tertiary",
            on_click=uploads.remove,
            args=(shown,),
            help="Deletes these pictures and all steps that led to them. What you saved under a"
            " link of its own stays.",
        )


def _answers(chosen: Sequence[Run], shown: Shown) -> None:
    try:
        trial = uploads.trial(shown, [run.id for run in chosen])
    except UserError as error:
        say.info(error, icon=":material/upload:")
        return
    answers.show(chosen, trial, key="upload", query=looked_at(len(trial.query)))
    saving.part(trial, key="upload", besides=f"Without it, it is kept for {MOST_DAYS} days.")


def looked_at(count: int, name: str = "query") -> int:
    """Which query the cards are about."""
    if count < 2:
        return 0
    number = widgets.number(
        st,
        "Query",
        name,
        usual=1,
        low=1,
        high=count,
        width=160,
        help="Which of the queries the cards are about, from the left.",
    )
    return number - 1
