"""A trial in the space of one network: its drawings, their class means, and the query."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from metacore.insight.projection import Projection, pca
from metacore.insight.trace import Array
from pages.ui import palette, words
from pages.ui.figures import base
from pages.ui.figures.embedding import axis_title
from pages.ui.palette import Theme

Kinds = Sequence[tuple[str, str]]  # name and colour of every class


def space(
    support: Array, labels: Sequence[int], query: Array, kinds: Kinds, theme: Theme
) -> go.Figure:
    """Support features [S, F] with labels and query features [Q, F], on their common plane."""
    plane = pca(np.concatenate([support, query]))
    shares = [float(share) for share in plane.explained]
    titles = [axis_title(number, shares) for number in (0, 1)]
    made = base.figure(theme, x=titles[0], y=titles[1], height=300)
    for number, (called, color) in enumerate(kinds):
        name = words.in_figure(called)
        members = support[np.asarray(labels) == number]
        made.add_trace(_members(plane, members, number, name, color))
        made.add_trace(_mean(plane, members, name, color, theme))
    made.add_trace(_query(plane, query, theme))
    made.update_xaxes(showticklabels=False)
    made.update_yaxes(showticklabels=False)
    return made


def _members(plane: Projection, members: Array, number: int, name: str, color: str) -> go.Scatter:
    marker = {"color": color, "symbol": palette.symbol(number), "size": 9}
    said = f"{name}<extra>support</extra>"
    return base.marks(plane.apply(members), marker, name=name, hovertemplate=said)


def _mean(plane: Projection, members: Array, name: str, color: str, theme: Theme) -> go.Scatter:
    at = plane.apply(members.mean(0, keepdims=True))
    outline = {"color": palette.INK[theme], "width": 1}
    star = {"color": color, "symbol": "star", "size": 17, "line": outline, "opacity": 0.75}
    said = f"mean of {name}<extra></extra>"
    return base.marks(at, star, hovertemplate=said, showlegend=False)


def _query(plane: Projection, query: Array, theme: Theme) -> go.Scatter:
    line = {"color": palette.INK[theme], "width": 3}
    ring = {"symbol": "circle-open", "size": 17, "line": line, "color": palette.INK[theme]}
    said = "query<extra></extra>"
    return base.marks(plane.apply(query), ring, name="query", hovertemplate=said)
