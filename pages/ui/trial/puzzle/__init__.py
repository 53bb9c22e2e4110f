"""A puzzle to be clicked: one drawing, and the classes it may be of, as buttons with a clock.

A component of our own, because the pictures are the buttons and the clock runs in the browser. The
time that counts is taken at the server.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

from pages.ui.component import component

_mount = component(__file__)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """A class: its support drawings, and who thinks that it is the one."""

    name: str
    color: str
    images: Sequence[str]
    votes: Sequence[str] = ()
    note: str = ""  # what a person should know of it once all is revealed
    right: bool = False


def puzzle(
    query: str,
    tiles: Sequence[Tile],
    *,
    number: int,
    seconds: float,
    on_answer: Callable[[], None],
    key: str,
    open: bool,
    inked: bool,
) -> None:
    """`inked` pictures take the colour of the text. While it is open a click answers, and
    `answer` has the round and the tile."""
    _mount(
        data={
            "number": number,
            "seconds": round(seconds, 1),
            "open": open,
            "inked": inked,
            "title": "Which one is this?" if open else "This was asked",
            "query": query,
            "tiles": [asdict(tile) for tile in tiles],
        },
        key=key,
        on_answer_change=on_answer,
    )


def clicked(key: str) -> tuple[int, int] | None:
    """The round and the tile that came from the browser, if that is what came."""
    state = st.session_state.get(key) or {}
    given = state.get("answer")
    if not isinstance(given, dict):
        return None
    pair = given.get("number"), given.get("tile")
    if not all(isinstance(value, int | float) and value == int(value) >= 0 for value in pair):
        return None
    return int(pair[0]), int(pair[1])  # type: ignore[arg-type]
