"""What queries look at: a tile per layer and head of a network that reads."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from metacore.insight.trace import Array
from pages.ui import palette
from pages.ui.figures import base
from pages.ui.palette import Theme

TILE = 150  # pixels high
STRONGEST = 0.9  # of a colour
Values = np.ndarray[Any, Any]


def heads(
    seen: Array,
    queries: Sequence[str],
    examples: Sequence[str],
    color: str,
    theme: Theme,
) -> go.Figure:
    """Attention [L, H, Q, S] of queries (rows) to examples (columns), both named, in this order."""
    layers, count, rows, columns = seen.shape
    made = base.figure(theme, height=TILE * layers + 90, legend=False, dragmode=False)
    made.add_trace(
        go.Heatmap(
            z=_tiled(seen, np.nan),
            zmin=0,
            zmax=1,
            colorscale=[[0, palette.faded(color, 0.05)], [1, palette.faded(color, STRONGEST)]],
            showscale=True,
            colorbar={
                "title": {"text": "share of<br>attention", "font": {"size": base.LETTERS}},
                "tickfont": {"size": base.LETTERS},
                "tickformat": ".0%",
                "thickness": 9,
                "outlinewidth": 0,
                "nticks": 4,
            },
            customdata=_tiled(_said(seen.shape, queries, examples), ""),
            hovertemplate="%{customdata}: %{z:.0%}<extra></extra>",
            hoverongaps=False,
        )
    )
    middle = (columns - 1) / 2
    made.update_xaxes(
        tickvals=[head * (columns + 1) + middle for head in range(count)],
        ticktext=[f"head {head + 1}" for head in range(count)],
        side="top",
        showgrid=False,
        showline=False,
    )
    made.update_yaxes(
        tickvals=[layer * (rows + 1) + (rows - 1) / 2 for layer in range(layers)],
        ticktext=[f"layer {layer + 1}" if layers > 1 else "" for layer in range(layers)],
        autorange="reversed",
        showgrid=False,
        showline=False,
    )
    return made


def _said(shape: tuple[int, ...], queries: Sequence[str], examples: Sequence[str]) -> Values:
    """What stands beside the pointer at every cell."""
    found = np.empty(shape, object)
    for layer, head, row, column in np.ndindex(*shape):
        place = f"layer {layer + 1}, head {head + 1}"
        found[layer, head, row, column] = f"{place}<br>{queries[row]} to {examples[column]}"
    return found


def _tiled(tiles: Values, between: float | str) -> Values:
    """[L, H, Q, S] as one table, with a row or a column between two tiles."""
    padded = np.pad(tiles.astype(object), ((0, 0), (0, 0), (0, 1), (0, 1)), constant_values=between)
    table = padded.swapaxes(1, 2).reshape(tiles.shape[0] * (tiles.shape[2] + 1), -1)
    return table[:-1, :-1] if isinstance(between, str) else table[:-1, :-1].astype(np.float32)
