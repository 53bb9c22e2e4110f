"""Snapshots of an adaptation: how one fixed task is adapted to now, and was when training began."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui import palette, words
from pages.ui.figures import base
from pages.ui.palette import Theme

HEIGHT = 260
START = {"light": "#6F6F6F", "dark": "#B0B0B0"}
SCORE = {"accuracy": "query accuracy", "mse": "query mean squared error"}
FAINTEST, FAINT = 0.15, 0.5  # the moments between, from early to late

Snapshots = dict[str, Any]
Points = Sequence[tuple[float, float]]


def scores(
    snapshots: Snapshots, color: str, theme: Theme, *, moment: str = "inner step"
) -> go.Figure:
    """Query score over the inner steps (or layers, or examples) at the start, on the way and now.

    Methods that adapt in a single computation have none: their score is drawn over the meta-steps
    instead.
    """
    made = base.figure(theme, x=moment, y=SCORE[snapshots["metric"]], height=HEIGHT)
    if len(snapshots["steps"]) == 1:
        _over_training(made, snapshots, color)
    else:
        _over_steps(made, snapshots, color, theme)
    if snapshots["metric"] == "accuracy":
        base.chance(made, snapshots["episode"]["ways"], _across(snapshots), theme)
        base.percent(made).update_yaxes(range=[-0.03, 1.05])
    else:
        made.update_yaxes(rangemode="tozero")
    return made


def bending(
    snapshots: Snapshots, color: str, theme: Theme, *, truth: Sequence[float], points: Points
) -> go.Figure:
    """The curve of a regression task after the last inner step: at the start and now."""
    made = base.figure(theme, x="x", y="y", height=HEIGHT)
    grid = snapshots["grid"]
    made.add_trace(base.line("true curve", grid, truth, palette.INK[theme], "dot", width=1.4))
    for moment, style in _styled(snapshots, color, theme):
        made.add_trace(base.line(x=grid, y=moment["curves"][-1], **style))
    made.add_trace(support(points, theme))
    reach = 1.4 * max(abs(value) for value in truth)
    made.update_yaxes(range=[-max(reach, 1.0), max(reach, 1.0)])
    return made


def support(points: Points, theme: Theme) -> go.Scatter:
    """The points a regression task is learned from."""
    outline = {"color": palette.INK[theme], "width": 2}
    marker = {"size": 10, "color": palette.PAPER[theme], "line": outline}
    return base.marks(np.asarray(points, np.float32), marker, name="support points")


def _over_steps(made: go.Figure, snapshots: Snapshots, color: str, theme: Theme) -> None:
    for moment, style in _styled(snapshots, color, theme):
        mode = "lines+markers" if style["showlegend"] else "lines"
        y = moment["query_score"]
        made.add_trace(base.line(x=snapshots["steps"], y=y, mode=mode, **style))
    made.update_xaxes(dtick=max(1, len(snapshots["steps"]) // 6))


def _over_training(made: go.Figure, snapshots: Snapshots, color: str) -> None:
    moments = snapshots["moments"]
    x = [moment["iteration"] for moment in moments]
    y = [moment["query_score"][-1] for moment in moments]
    made.add_trace(base.line("this episode", x, y, color, mode="lines+markers", showlegend=False))
    made.update_xaxes(title_text="meta-step")


def _across(snapshots: Snapshots) -> Sequence[float]:
    """What the x axis of `scores` counts."""
    if len(snapshots["steps"]) > 1:
        return list(snapshots["steps"])
    return [moment["iteration"] for moment in snapshots["moments"]]


def _styled(
    snapshots: Snapshots, color: str, theme: Theme
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Every moment with how its line looks: grey dots at first, bold now, fainter the earlier."""
    moments = snapshots["moments"]
    last = len(moments) - 1
    styled = []
    for number, moment in enumerate(moments):
        style: dict[str, Any] = {"name": f"meta-step {moment['iteration']}", "showlegend": False}
        if number == last:
            name = f"after {words.count(moment['iteration'])} meta-steps"
            style |= {"name": name, "color": color, "width": 3.2, "showlegend": True}
        elif number == 0:
            first = {"name": "at the start", "color": START[theme], "dash": "dot"}
            style |= {**first, "showlegend": True}
        else:
            share = FAINTEST + (FAINT - FAINTEST) * number / last
            style |= {"color": palette.faded(color, share), "width": 1.4}
        styled.append((moment, style))
    return styled
