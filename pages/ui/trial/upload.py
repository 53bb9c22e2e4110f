"""Upload: pictures and photographs as support set and queries, shown as the networks see them."""

from collections.abc import Callable, Sequence

import streamlit as st

from metacore import Run, UserError
from metacore.trial.photographs import Uploaded, read_uploads
from metacore.trial.task import LONGEST_CLASS, Example, pixels
from pages.ui import charts, drawings, palette, say, state, words
from pages.ui.trial import answers, keep, opened, runs, uploads

TYPES = ["png", "jpg", "jpeg", "webp", "zip"]
MEGABYTES = 64
SHOWN = 10  # pictures of a class, or queries
SCALE = 2


def part() -> None:
    if (given := st.session_state.pop(opened.UPLOADS, None)) is not None:
        uploads.replace(given)
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
    left, right = st.columns(2, gap="large")
    with left:
        _support()
    with right:
        _queries()
    if chosen:
        _answers(chosen)


def _support() -> None:
    st.subheader("Support", anchor=False)
    name = st.text_input(
        "Class",
        max_chars=LONGEST_CLASS,
        placeholder="its name",
        key="upload class",
        help="The class of pictures that lie in no folder; the folders of a zip name their own.",
    )
    _uploader(
        "Labelled pictures",
        "upload support",
        "Several pictures of that class, or a zip with a folder per class.",
        lambda read: uploads.sort_in(read, name),
    )
    for number, (label, examples) in enumerate(uploads.classes().items()):
        _class(number, label, examples)


def _class(number: int, label: str, examples: Sequence[Example]) -> None:
    color = palette.of_class(number, charts.theme())
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{words.plain(label)}** · {words.several(len(examples), 'picture')}")
        st.button(
            "",
            key=f"upload forget {label}",
            icon=":material/delete:",
            type="tertiary",
            on_click=uploads.forget,
            args=(label,),
            help=f"Takes {words.plain(label)} out of the trial.",
        )
    _shown(examples)
    st.html(f'<hr style="margin:0;border:0;border-top:3px solid {color}">')


def _queries() -> None:
    st.subheader("Queries", anchor=False)
    _uploader(
        "Pictures to recognise",
        "upload query",
        "Pictures of which the networks have to say the class; labels of a zip are not looked at.",
        uploads.ask,
    )
    if uploads.queries():
        _shown(uploads.queries())
        st.button(
            "Remove the queries",
            icon=":material/delete:",
            on_click=uploads.forget_queries,
            help="The labelled pictures stay.",
        )


def _shown(examples: Sequence[Example]) -> None:
    """As the networks see them."""
    st.image(drawings.row(pixels(tuple(examples[:SHOWN])), charts.theme(), scale=SCALE))
    if len(examples) > SHOWN:
        st.caption(f"and {len(examples) - SHOWN} more")


def _uploader(label: str, key: str, help: str, take: Callable[[Uploaded], list[str]]) -> None:
    """Reads each file once; what is refused is said as long as the file is there."""
    files = st.file_uploader(
        label,
        type=TYPES,
        accept_multiple_files=True,
        key=key,
        max_upload_size=MEGABYTES,
        help=help,
    )
    known: dict[str, list[str]] = st.session_state.setdefault(f"{key} read", {})
    for file in files:
        if file.file_id not in known:
            read = read_uploads([(file.name, file.getvalue())])
            known[file.file_id] = [*read.refused, *take(read)]
        for sentence in known[file.file_id]:
            say.warning(sentence, icon=":material/broken_image:")


def _answers(chosen: Sequence[Run]) -> None:
    try:
        trial = uploads.trial([run.id for run in chosen])
    except UserError as error:
        say.info(error, icon=":material/upload:")
        return
    answers.show(chosen, trial, key="upload", query=_looked_at(len(trial.query)))
    keep.part(trial, key="upload")


def _looked_at(count: int) -> int:
    """Which query the cards are about."""
    if count < 2:
        return 0
    number = state.number(
        st,
        "Query",
        "query",
        usual=1,
        low=1,
        high=count,
        width=160,
        help="Which of the queries the cards are about, from the left.",
    )
    return number - 1
