"""A sampled task that is a curve: what it is learned from, and where it is asked about."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pages.ui import palette
from pages.ui.figures import base
from pages.ui.figures.snapshots import Points, support
from pages.ui.palette import Theme


def curve(
    grid: Sequence[float],
    truth: Sequence[float],
    points: Points,
    asked: Points,
    theme: Theme,
    height: int = 190,
) -> go.Figure:
    made = base.figure(theme, x="x", y="y", height=height)
    color = palette.of_class(0, theme)
    made.add_trace(base.line("the task's curve", grid, truth, color, "dot", width=1.8))
    made.add_trace(
        go.Scatter(
            name="queries",
            x=np.asarray([x for x, _ in asked], np.float32),
            y=np.asarray([y for _, y in asked], np.float32),
            mode="markers",
            marker={"size": 6, "color": palette.faded(color, 0.55), "symbol": "x-thin-open"},
        )
    )
    made.add_trace(support(points, theme))
    return made
