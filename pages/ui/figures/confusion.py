"""A confusion matrix whose classes are pictures: mistakes in colour, what was right in grey."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui import palette
from pages.ui.figures import base
from pages.ui.palette import Theme

Counts = np.ndarray[Any, np.dtype[np.int64]]
OUTSIDE, LABEL = -1.0, 0.9  # where the classes' drawings stand, and how large, in cells
STRONGEST = 0.6  # of a colour, so that the number on it stays legible
CROWDED = 12  # classes above which numbers are small


def matrix(
    counts: Counts, images: Sequence[str], names: Sequence[str], color: str, theme: Theme
) -> go.Figure:
    """Rows are what was drawn, columns what it was taken for; `images` are data addresses.

    An unseen square lies on every cell, at x = column and y = row: cells of a heatmap cannot be
    selected by a click, points can.
    """
    ways = len(counts)
    made = base.figure(
        theme, x="taken for", y="what it was", height=max(440, 26 * ways), legend=False
    )
    right = np.eye(ways, dtype=bool)
    made.add_trace(_cells(counts, right, palette.INK[theme], 0.35, theme))
    made.add_trace(_cells(counts, ~right, color, STRONGEST, theme))
    made.add_trace(_handles(counts, names))
    rows = [base.image(one, OUTSIDE, number, LABEL, LABEL) for number, one in enumerate(images)]
    columns = [base.image(one, number, OUTSIDE, LABEL, LABEL) for number, one in enumerate(images)]
    made.update_layout(images=[*rows, *columns])
    hidden = {"showgrid": False, "showline": False, "showticklabels": False, "ticks": ""}
    made.update_xaxes(range=[-1.55, ways - 0.45], side="top", constrain="domain", **hidden)
    made.update_yaxes(range=[ways - 0.45, -1.55], scaleanchor="x", constrain="domain", **hidden)
    quiet = {
        "bgcolor": "rgba(0,0,0,0)",
        "remove": ["zoom", "pan", "zoomin", "zoomout", "resetscale"],
    }
    made.update_layout(dragmode=False, modebar=quiet)
    return made


def _cells(
    counts: Counts,
    shown: np.ndarray[Any, np.dtype[np.bool_]],
    color: str,
    most: float,
    theme: Theme,
) -> go.Heatmap:
    """Some of the cells, each as strong as its share of the strongest among them."""
    ways = len(counts)
    values = np.where(shown & (counts > 0), counts, np.nan).astype(np.float32)
    return go.Heatmap(
        z=values,
        zmin=0,
        zmax=float(np.nanmax(values)) if np.isfinite(values).any() else 1.0,
        colorscale=[[0, palette.faded(color, 0.06)], [1, palette.faded(color, most)]],
        showscale=False,
        texttemplate="%{z}",
        textfont={"color": palette.INK[theme], "size": base.LETTERS if ways <= CROWDED else 12},
        hoverinfo="skip",
        hoverongaps=False,
        xgap=2,
        ygap=2,
    )


def _handles(counts: Counts, names: Sequence[str]) -> go.Scatter:
    """What can be clicked."""
    ways = len(counts)
    rows, columns = np.divmod(np.arange(ways**2), ways)
    unseen = {"marker": {"opacity": 0}}
    return go.Scatter(
        x=columns.astype(np.float32),
        y=rows.astype(np.float32),
        mode="markers",
        marker={"symbol": "square", "size": max(14, 260 // ways), "opacity": 0},
        customdata=[
            f"{names[row]}, taken for {names[column]}: {counts[row, column]} times"
            for row, column in zip(rows, columns, strict=True)
        ],
        hovertemplate="%{customdata}<br>click to see them<extra></extra>",
        selected=unseen,
        unselected=unseen,
    )
