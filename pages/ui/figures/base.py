"""What all figures share: axes named in words, quiet lines, the fonts and colours of the page."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from metacore.statistics import significant
from pages.ui import palette, words
from pages.ui.palette import Theme

TICKS = {False: (1, 2, 5), True: (1,)}  # of a power of ten, on axes of few and of many
LETTERS = 16  # pixels high: what is projected at 1920 by 1080 is read from the back row
POINTS = 500  # more are not seen, and travel to the browser for nothing


def figure(
    theme: Theme, *, x: str = "", y: str = "", height: int = 320, legend: bool = True, **layout: Any
) -> go.Figure:
    """An empty figure with named axes; its title stands above it on the page."""
    letters = {"size": LETTERS, "color": palette.INK[theme]}
    axis = {
        "gridcolor": palette.GRID[theme],
        "zeroline": False,
        "linecolor": palette.GRID[theme],
        "automargin": True,
        "title_standoff": 8,
        "tickfont": letters,
    }
    made = go.Figure()
    made.update_layout(
        height=height,
        margin={"l": 8, "r": 12, "t": 8, "b": 8},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font=letters,
        hoverlabel={"bgcolor": palette.PAPER[theme], "font": letters},
        showlegend=legend,
        legend={
            "orientation": "h",
            "y": 1.02,
            "yanchor": "bottom",
            "x": 0,
            "title": None,
            "font": letters,
        },
        xaxis={**axis, "title": {"text": x, "font": letters}},
        yaxis={**axis, "title": {"text": y, "font": letters}},
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


def marks(at: np.ndarray[Any, Any], marker: dict[str, Any], **more: Any) -> go.Scatter:
    """Points [n, 2] of a plane."""
    return go.Scatter(x=at[:, 0], y=at[:, 1], mode="markers", marker=marker, **more)


def image(source: str, x: float, y: float, width: float, height: float) -> dict[str, Any]:
    """A picture for the layout: the middle of it at a place, no larger than this."""
    middle = {"x": x, "y": y, "xanchor": "center", "yanchor": "middle"}
    return {"source": source, "xref": "x", "yref": "y", **middle, "sizex": width, "sizey": height}


def thinned(count: int) -> Any:
    """Indices of at most POINTS points, the last always among them."""
    if count <= POINTS:
        return slice(None)
    return np.unique(np.linspace(0, count - 1, POINTS).round().astype(int))


def chance(made: go.Figure, ways: int, across: Sequence[float], theme: Theme) -> go.Figure:
    """What guessing would score on tasks of so many classes: a dotted line under the others."""
    return chances(made, [(x, ways) for x in (min(across), max(across))] if across else [], theme)


def chances(made: go.Figure, ways: Sequence[tuple[float, int]], theme: Theme) -> go.Figure:
    """Chance where the number of classes is not the same everywhere: pairs of x and ways."""
    if ways:
        made.add_trace(
            line(
                "chance",
                [x for x, _ in ways],
                [1 / count for _, count in ways],
                palette.INK[theme],
                "dot",
                width=1.2,
                opacity=0.6,
                hovertemplate="chance: %{y:.1%}<extra></extra>",
            )
        )
    return made


def logarithmic(made: go.Figure, axis: str, values: Sequence[float]) -> go.Figure:
    """Whole powers of ten around the values, with 1, 2 and 5 of each written out: 200, not 2."""
    if not values:
        return made.update_layout({axis: {"type": "log"}})
    low = math.floor(math.log10(min(values)) - 0.05)
    high = math.ceil(math.log10(max(values)) + 0.05)
    marks = [float(f"{one}e{power}") for power in range(low, high) for one in TICKS[high - low > 2]]
    ticks = {"tickvals": [*marks, 10.0**high], "ticktext": [*map(_written, [*marks, 10.0**high])]}
    return made.update_layout({axis: {"type": "log", "range": [low, high], **ticks}})


def _written(value: float) -> str:
    return significant(value) if value < 1000 else words.count(value)


def percent(made: go.Figure, axis: str = "yaxis") -> go.Figure:
    """Shares written as percentages."""
    made.update_layout({axis: {"tickformat": ".0%"}})
    return made
