"""An episode in three dimensions, to be turned around."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui import palette
from pages.ui.figures import base
from pages.ui.figures.cloud import WRONG, Array, Cloud, Points, buttons
from pages.ui.palette import Theme
from pages.ui.words import letter

WITH_OPEN = ("circle", "square", "diamond")  # symbols that Plotly can draw open in space
_EYE = {"x": 1.1, "y": 1.1, "z": 0.8}


def draw(cloud: Cloud, theme: Theme, selected: str | None, height: int) -> go.Figure:
    made = base.figure(theme, height=height)
    made.add_traces(_paths(cloud, theme))
    made.add_trace(_marks("support", cloud.support, theme, opened=False))
    made.add_trace(_marks("query", cloud.query, theme, opened=True))
    looked_at = [n for n, name in enumerate(cloud.query.names) if name == selected]
    ringed = {"answered wrongly": ([*cloud.wrong], WRONG[theme])}
    ringed["looked at"] = (looked_at, palette.INK[theme])
    for name, (which, color) in ringed.items():
        if which:
            made.add_trace(_rings(name, cloud.query.at[which], color))
    made.add_traces(_moves(cloud, theme))
    if cloud.paths is not None:
        made.add_trace(_stars(cloud.paths[-1], theme))
    axes = {
        axis: {
            "title": {
                "text": f"axis {number + 1}: {cloud.explained[number]:.0%}",
                "font": {"size": base.LETTERS},
            },
            "showticklabels": False,
            "gridcolor": palette.GRID[theme],
            "backgroundcolor": "rgba(0,0,0,0)",
            "color": palette.INK[theme],
        }
        for number, axis in enumerate(("xaxis", "yaxis", "zaxis"))
    }
    made.update_layout(
        scene={**axes, "aspectmode": "data", "camera": {"eye": _EYE}}, modebar=buttons(theme)
    )
    return made


def _in_space(at: Array, **more: Any) -> go.Scatter3d:
    return go.Scatter3d(x=at[:, 0], y=at[:, 1], z=at[:, 2], **more)


def _marks(name: str, points: Points, theme: Theme, *, opened: bool) -> go.Scatter3d:
    symbols = [palette.class_symbol(n) for n in points.labels]
    if opened:
        symbols = [symbol + "-open" if symbol in WITH_OPEN else symbol for symbol in symbols]
    return _in_space(
        points.at,
        name=name,
        mode="markers",
        marker={
            "symbol": symbols,
            "size": 4 if opened else 6,
            "color": [palette.of_class(n, theme) for n in points.labels],
        },
        text=list(points.notes),
        hovertemplate="%{text}<extra></extra>",
    )


def _rings(name: str, at: Array, color: str) -> go.Scatter3d:
    marker = {"symbol": "circle-open", "size": 13, "color": color}
    return _in_space(at, name=name, mode="markers", marker=marker, hoverinfo="skip")


def _paths(cloud: Cloud, theme: Theme) -> list[go.Scatter3d]:
    if cloud.paths is None or len(cloud.paths) < 2:
        return []
    return [
        _in_space(
            path,
            name="its way from 1 shot",
            mode="lines",
            line={"color": palette.of_class(number, theme), "width": 4},
            hoverinfo="skip",
            showlegend=number == 0,
        )
        for number, path in enumerate(cloud.paths.transpose(1, 0, 2))
    ]


def _moves(cloud: Cloud, theme: Theme) -> list[go.Scatter3d]:
    """From where each prototype was to where the edits put it."""
    return [
        _in_space(
            np.stack([old, new]),
            name="moved by the edit",
            mode="lines+markers",
            line={"color": palette.INK[theme], "width": 7},
            marker={"size": [7, 0], "color": palette.of_class(number, theme)},
            hoverinfo="skip",
            showlegend=first == 0,
        )
        for first, (number, old, new) in enumerate(cloud.moves)
    ]


def _stars(now: Array, theme: Theme) -> go.Scatter3d:
    """There are no stars in space: a large mark with the letter above it."""
    return _in_space(
        now,
        name="prototype",
        mode="markers+text",
        marker={
            "symbol": "diamond",
            "size": 10,
            "color": [palette.of_class(n, theme) for n in range(len(now))],
            "line": {"color": palette.INK[theme], "width": 2},
        },
        text=[f"<b>{letter(n)}</b>" for n in range(len(now))],
        textposition="top center",
        textfont={"color": palette.INK[theme], "size": 18},
        hovertext=[f"prototype of class {letter(n)}" for n in range(len(now))],
        hoverinfo="text",
    )
