"""A sampled task that is a curve: what it is learned from, and where it is asked about."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from pages.ui import palette
from pages.ui.figures import base
from pages.ui.figures.snapshots import Points, support
from pages.ui.palette import Theme


def curve(
    grid: Sequence[float], truth: Sequence[float], points: Points, asked: Points, theme: Theme
) -> go.Figure:
    made = base.figure(theme, x="x", y="y", height=190)
    color = palette.of_class(0, theme)
    made.add_trace(base.line("the task's curve", grid, truth, color, "dot", width=1.8))
    crosses = {"size": 6, "color": palette.faded(color, 0.55), "symbol": "x-thin-open"}
    made.add_trace(base.marks(np.asarray(asked, np.float32), crosses, name="queries"))
    made.add_trace(support(points, theme))
    return made
