"""A figure on a page: its title in words, and what it shows for those who cannot see it."""

from collections.abc import Callable, Hashable
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.ui import words
from pages.ui.palette import Theme

CONFIG = {"displaylogo": False, "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d"]}


def theme() -> Theme:
    """Light or dark, as the page is now."""
    return st.context.theme.type or "light"


def title(said: str, help: str | None = None) -> None:
    """Said as it is written: names of strangers stand in titles."""
    st.markdown(f"**{words.plain(said)}**", help=help)


def chart(
    figure: go.Figure, said: str, *, alt: str, key: str, help: str | None = None, **more: Any
) -> Any:
    """`more` is for `st.plotly_chart`: on_select and its kin."""
    title(said, help)
    return st.plotly_chart(figure, key=key, alt=alt, config=CONFIG, **more)


def kept(name: str, about: Hashable, build: Callable[[], go.Figure]) -> go.Figure:
    """A figure built once for what it is about: building one takes longer than sending it."""
    return _kept(name, about, theme(), build)


@st.cache_resource(show_spinner=False, max_entries=128)
def _kept(name: str, about: Hashable, theme: str, _build: Callable[[], go.Figure]) -> go.Figure:
    return _build()
