"""A figure on a page: its title in words, and what it shows for those who cannot see it."""

import re
import unicodedata
from collections.abc import Callable, Hashable
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from pages.ui import words
from pages.ui.palette import Theme

LONGEST_NAME = 60
SLIDE = 960, 540  # pixels, of which a picture that is taken away has twice as many each way
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
    return st.plotly_chart(figure, key=key, alt=alt, config=downloads(figure, said), **more)


def downloads(figure: go.Figure, said: str) -> dict[str, Any]:
    """What is taken away of it; `pages.ui.slides` puts the title into the picture."""
    width, height = SLIDE
    picture = {
        "filename": f"metacore-{slug(said)}",
        "title": words.in_figure(said),
        "width": width,
        "height": max(height, figure.layout.height or 0),
        "scale": 2,
    }
    return {**CONFIG, "toImageButtonOptions": picture}


def slug(said: str) -> str:
    """Words as the name of a file: `how-it-learned`."""
    plain = unicodedata.normalize("NFKD", said).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall("[a-z0-9]+", plain))[:LONGEST_NAME].strip("-") or "figure"


def cached(name: str, about: Hashable, build: Callable[[], go.Figure]) -> go.Figure:
    """A figure built once for what it is about: building one takes longer than sending it."""
    return _cached(name, about, theme(), build)


@st.cache_resource(show_spinner=False, max_entries=128)
def _cached(name: str, about: Hashable, theme: str, _build: Callable[[], go.Figure]) -> go.Figure:
    return _build()
