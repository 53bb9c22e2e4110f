"""Draw: a sheet of pads, and what every chosen run answers as soon as the pen leaves the query."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from metacore import Run, UserError
from metacore.trial.drawn import Drawing, check_strokes
from metacore.trial.task import Settings, Trial, pixels
from pages.ui import drawings, episode, say, sheet
from pages.ui.sheet import MOST_SHOTS, MOST_WAYS, Load, SheetContents
from pages.ui.trial import answers, opened, runs, saving
from pages.ui.trial.example import example
from pages.ui.trial.opened import LOAD

WAYS, SHOTS = 5, 1


def part() -> None:
    st.markdown(
        "Invent some characters and **draw each once**, then draw one of them again on the large"
        " pad. Every network answers as soon as your pen leaves it."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ways = episode.ways(st, WAYS, high=MOST_WAYS, width=episode.WIDTH)
        shots = episode.shots(st, SHOTS, high=MOST_SHOTS, width=episode.WIDTH)
        st.button(
            "Show me",
            icon=":material/gesture:",
            width=episode.WIDTH,
            on_click=_show_example,
            args=(ways, shots),
            help="Fills the pads with ready-made characters, in place of what is drawn.",
        )
        with st.popover("Runs", icon=":material/tune:", width=episode.WIDTH):
            chosen = runs.choose()
        with st.popover("Open", icon=":material/file_open:", width=episode.WIDTH):
            opened.from_file()
    if chosen:
        _table(chosen, ways, shots)


def _show_example(ways: int, shots: int) -> None:
    opened.forget_link()
    number = st.session_state.get("examples", 0) + 1
    st.session_state["examples"] = number
    st.session_state[LOAD] = example(ways, shots, number)


@st.fragment
def _table(chosen: Sequence[Run], ways: int, shots: int) -> None:
    """All that changes while the pen moves."""
    load: Load = st.session_state.get(LOAD, Load())
    said = sheet.heard(load, ways=ways, shots=shots)
    trial, refused = read(said, [run.id for run in chosen])
    seen = drawings.addresses(pixels(trial.query))[0] if trial and trial.query else ""
    sheet.sheet(load, ways=ways, shots=shots, seen=seen)
    for sentence in refused:
        say.error(sentence, icon=":material/gesture:")
    if trial:
        answers.show(chosen, trial, key="draw")
        saving.part(trial, key="draw", besides="Nothing else you draw is stored here.")


def read(said: SheetContents, run_ids: Sequence[str] = ()) -> tuple[Trial | None, list[str]]:
    """What is on the sheet as a trial, if it makes one; and a sentence for all that does not."""
    refused: list[str] = []
    support = [
        tuple(
            drawing
            for shot, strokes in enumerate(row)
            if (drawing := _drawing(strokes, f"Drawing {shot + 1} of {name}", refused))
        )
        for name, row in zip(said.names, said.support, strict=True)
    ]
    query = _drawing(said.query, "The query", refused)
    try:
        trial = Trial(
            classes=tuple(said.names),
            support=tuple(support),
            query=(query,) if query else (),
            settings=Settings(runs=tuple(run_ids)),
        )
    except UserError as error:
        return None, [*refused, str(error)]
    return trial, refused


def _drawing(strokes: Any, what: str, refused: list[str]) -> Drawing:
    """() where there is nothing, or nothing that can be a drawing."""
    try:
        return check_strokes(strokes)
    except UserError as error:
        refused.append(f"{what} is left out: {error}")
        return ()
