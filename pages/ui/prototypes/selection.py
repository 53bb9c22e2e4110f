"""Which drawing is looked at: chosen by a click in a chart, or by name with the keyboard.

A click is shown by Plotly itself and leaves the figure as it is; a choice by name is drawn into it,
and so is the last choice when the figure changes for another reason.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.ui import charts, state, widgets

KEY = "drawing"
HELD = "drawing in the figure"


def marked(scene: str, names: Sequence[str], default: str) -> str:
    """What the figure marks from the start; it stays while the figure of this scene does."""
    held = st.session_state.get(HELD)
    if held is None or held[0] != scene or held[1] not in names:
        now = " ".join(state.heard(KEY))
        held = (scene, now if now in names else default)
        st.session_state[HELD] = held
    return str(held[1])


def chart(figure: go.Figure, title: str, names: Sequence[str], *, alt: str, key: str) -> None:
    """A chart whose points can be clicked; their `customdata` are names."""
    clicked = partial(_clicked, key, names)
    charts.chart(figure, title, alt=alt, key=key, on_select=clicked, selection_mode="points")


def choice(names: Sequence[str], default: str) -> str:
    """The picker by name."""
    return widgets.select(
        st,
        "Looked at",
        KEY,
        names,
        usual=default,
        on_change=_hold_nothing,
        help="The picture that is looked at closely; clicking it in the plane does the same.",
    )


def forget() -> None:
    """What is looked at next is what the next scene begins with."""
    state.drop(KEY)
    _hold_nothing()


def _hold_nothing() -> None:
    st.session_state.pop(HELD, None)


def _clicked(key: str, names: Sequence[str]) -> None:
    chosen = st.session_state.get(key)
    for point in chosen["selection"]["points"] if chosen else ():
        name = _name(point)
        if name in names:
            state.put(KEY, name)


def _name(point: dict[str, Any]) -> str:
    """Plotly gives a single customdata plainly or as a list of one."""
    data = point.get("customdata")
    return str(data[0] if isinstance(data, list | tuple) and data else data)
