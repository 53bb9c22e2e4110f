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
    at = plane.apply(members)
    symbol = palette.symbol(number)
    return go.Scatter(
        name=name,
        x=at[:, 0],
        y=at[:, 1],
        mode="markers",
        marker={"color": color, "symbol": symbol, "size": 9},
        hovertemplate=f"{name}<extra>support</extra>",
    )


def _mean(plane: Projection, members: Array, name: str, color: str, theme: Theme) -> go.Scatter:
    at = plane.apply(members.mean(0, keepdims=True))
    outline = {"color": palette.INK[theme], "width": 1}
    return go.Scatter(
        x=at[:, 0],
        y=at[:, 1],
        mode="markers",
        marker={"color": color, "symbol": "star", "size": 17, "line": outline, "opacity": 0.75},
        hovertemplate=f"mean of {name}<extra></extra>",
        showlegend=False,
    )


def _query(plane: Projection, query: Array, theme: Theme) -> go.Scatter:
    at = plane.apply(query)
    line = {"color": palette.INK[theme], "width": 3}
    return go.Scatter(
        name="query",
        x=at[:, 0],
        y=at[:, 1],
        mode="markers",
        marker={"symbol": "circle-open", "size": 17, "line": line, "color": palette.INK[theme]},
        hovertemplate="query<extra></extra>",
    )
