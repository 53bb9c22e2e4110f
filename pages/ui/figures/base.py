"""What all figures share: axes named in words, quiet lines, the fonts and colours of the page."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui import palette, words
from pages.ui.palette import Theme

POINTS = 500  # more are not seen, and travel to the browser for nothing


def figure(
    theme: Theme, *, x: str = "", y: str = "", height: int = 320, legend: bool = True, **layout: Any
) -> go.Figure:
    """An empty figure with named axes; its title stands above it on the page."""
    axis = {
        "gridcolor": palette.GRID[theme],
        "zeroline": False,
        "linecolor": palette.GRID[theme],
        "automargin": True,
        "title_standoff": 8,
    }
    made = go.Figure()
    made.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"color": palette.INK[theme], "size": 13},
        hoverlabel={"bgcolor": palette.PAPER[theme], "font": {"color": palette.INK[theme]}},
        showlegend=legend,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "title": None},
        xaxis={**axis, "title": {"text": x}},
        yaxis={**axis, "title": {"text": y}},
        **layout,
    )
    return made


def line(
    name: str, x: Sequence[float], y: Sequence[float], color: str, dash: str = "solid", **more: Any
) -> go.Scatter:
    """`name` may be a stranger's."""
    kept = thinned(len(x))
    return go.Scatter(
        name=words.in_figure(name),
        x=np.asarray(x, np.float32)[kept],
        y=np.asarray(y, np.float32)[kept],
        mode=more.pop("mode", "lines"),
        line={"color": color, "dash": dash, "width": more.pop("width", 2.2)},
        **more,
    )


def band(
    x: Sequence[float], low: Sequence[float], high: Sequence[float], color: str, **more: Any
) -> go.Scatter:
    """The area between two curves, unnamed: it belongs to the line inside it."""
    kept = thinned(len(x))
    there = np.asarray(x, np.float32)[kept]
    edges = [np.asarray(values, np.float32)[kept] for values in (high, low)]
    return go.Scatter(
        x=np.concatenate([there, there[::-1]]),
        y=np.concatenate([edges[0], edges[1][::-1]]),
        mode="lines",
        fill="toself",
        fillcolor=palette.faded(color, 0.16),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
        **more,
    )


def thinned(count: int) -> Any:
    """Indices of at most POINTS points, the last always among them."""
    if count <= POINTS:
        return slice(None)
    return np.unique(np.linspace(0, count - 1, POINTS).round().astype(int))


def percent(made: go.Figure, axis: str = "yaxis") -> go.Figure:
    """Shares written as percentages."""
    made.update_layout({axis: {"tickformat": ".0%"}})
    return made
