"""A sheet of drawing pads: N classes with K drawings each, and a query.

A component of our own. What is drawn stays in the browser and comes here as strokes whenever the
pen leaves a pad; nothing is believed that has not been through the engine's own check.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from metacore.datasets.strokes import CANVAS
from metacore.trial.drawn import MOST_POINTS, MOST_STROKES
from pages.ui import charts, palette, words
from pages.ui.component import component

UNITS = 1000  # a pad's side, as strokes count it
PEN = 5 / CANVAS  # of the side: Omniglot's pen
NAME = 24  # letters of a class's name
KEY = "sheet"
MOST_WAYS, MOST_SHOTS = 10, 5
Strokes = Sequence[Sequence[Sequence[float]]]

_mount = component(__file__)


@dataclass(frozen=True, kw_only=True)
class Load:
    """What a sheet is to show; `id` names it: the same one again wipes nothing."""

    id: str = ""
    names: Sequence[str] = ()
    support: Sequence[Sequence[Strokes]] = ()  # [N][K]
    query: Strokes = ()


@dataclass(frozen=True, kw_only=True)
class SheetContents:
    """What is on the sheet, as the browser says: not checked yet."""

    names: list[str]
    support: list[list[Any]] = field(default_factory=list)  # [N][K] strokes
    query: Any = ()


def heard(load: Load, *, ways: int, shots: int) -> SheetContents:
    """What is on the sheet; before the browser has said anything about a load, the load itself."""
    state = st.session_state.get(KEY)
    said = state.get("drawn") if isinstance(state, Mapping) else None
    if not (isinstance(said, Mapping) and said.get("id") == load.id):
        said = {"names": load.names, "support": load.support, "query": load.query}
    return _cropped(said, ways, shots)


def sheet(load: Load, *, ways: int, shots: int, seen: str = "") -> None:
    """`seen` is the query as the networks see it, as a picture's data address."""
    theme = charts.theme()
    data = {
        "id": load.id,
        "ways": ways,
        "shots": shots,
        "names": list(load.names),
        "support": load.support,
        "query": load.query,
        "seen": seen,
        "colors": [palette.of_class(number, theme) for number in range(MOST_WAYS)],
        "letters": [words.letter(number) for number in range(MOST_WAYS)],
        "units": UNITS,
        "pen": PEN,
        "points": MOST_POINTS,
        "strokes": MOST_STROKES,
        "longest": NAME,
    }
    _mount(data=data, key=KEY, on_drawn_change=_keep)


def _keep() -> None:
    """Nothing more: that somebody listens makes Streamlit keep what the component says."""


def _cropped(state: Mapping[str, Any], ways: int, shots: int) -> SheetContents:
    """As many classes and drawings as are asked for; what is missing is empty."""
    support, names = _list(state.get("support")), _list(state.get("names"))
    return SheetContents(
        names=[_name(_at(names, number), number) for number in range(ways)],
        support=[
            [_at(_list(_at(support, number)), shot) or [] for shot in range(shots)]
            for number in range(ways)
        ],
        query=state.get("query") or [],
    )


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else ()


def _at(values: Sequence[Any], index: int) -> Any:
    return values[index] if index < len(values) else None


def _name(said: object, number: int) -> str:
    given = " ".join(said.split())[:NAME] if isinstance(said, str) else ""
    return given or words.letter(number)
