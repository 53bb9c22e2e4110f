"""Drawings that come one at a time: what is known at each showing of a class, where reads looked,
and what a memory's slots hold."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go

from metacore.insight.showings import Remembered, by_elimination
from metacore.insight.trace import Array
from pages.ui import palette, words
from pages.ui.figures import base
from pages.ui.palette import Theme

ROWS = 128  # slots that can be told apart
HELD = 0.25  # of a slot by one drawing: less is not shown
EMPTY = 1e-9
SEEN = 0.005  # of a look
ROW, TALLEST = 13, 520  # pixels of a slot, and of all
DRAWING = 15  # and of a drawing that came


@dataclass(frozen=True)
class Known:
    """One run's share of right answers at the first, second, … showing of a class."""

    name: str
    color: str
    symbol: str
    means: Sequence[float]
    ci95: Sequence[float]


def by_showing(
    runs: Sequence[Known], ways: int, published: Mapping[int, float], theme: Theme
) -> go.Figure:
    """A line per run; `published` are reference marks by showing."""
    made = base.figure(
        theme, x="showing of a class", y="answered rightly", height=360, dragmode=False
    )
    for run in runs:
        made.add_trace(_line(run))
    last = max((len(run.means) for run in runs), default=1)
    base.chance(made, ways, [1, last], theme)
    ink = palette.INK[theme]
    best = by_elimination(ways)
    made.add_trace(
        _marks("best possible at a first showing", {1: best}, "line-ew-open", ink, size=26)
    )
    if published:
        made.add_trace(_marks("published, on Omniglot", published, "diamond-open", ink, size=11))
    made.update_xaxes(range=[0.6, last + 0.4], tickmode="linear", tick0=1, dtick=1, showgrid=False)
    made.update_yaxes(range=[0, 1.04])
    return base.percent(made)


def _line(run: Known) -> go.Scatter:
    showings = np.arange(1, len(run.means) + 1)
    name = words.in_figure(run.name)
    return go.Scatter(
        name=name,
        x=showings,
        y=np.asarray(run.means, np.float32),
        error_y={"array": np.asarray(run.ci95, np.float32), "thickness": 1.6},
        mode="lines+markers",
        line={"color": run.color, "width": 2.4},
        marker={"color": run.color, "symbol": run.symbol, "size": 9},
        hovertemplate="showing %{x}: %{y:.1%}<extra>" + name + "</extra>",
    )


def _marks(name: str, at: Mapping[int, float], symbol: str, color: str, *, size: int) -> go.Scatter:
    return go.Scatter(
        name=name,
        x=[*at],
        y=[*at.values()],
        mode="markers",
        marker={"symbol": symbol, "size": size, "color": color, "line": {"width": 1.6}},
        hovertemplate="showing %{x}: %{y:.1%}<extra>" + name + "</extra>",
    )


def looks(found: Remembered, read: int, theme: Theme) -> go.Figure:
    """Rows are drawings as they came, columns those that had come before: where one read looked.

    A cell has the colour of the class that was looked at; a row's own mark stands at its end, open
    where the answer was wrong.
    """
    moments = len(found.labels)
    made = base.figure(
        theme,
        x="looked at this earlier one",
        y="when this one came",
        height=DRAWING * moments + 90,
        legend=False,
        dragmode=False,
    )
    looked = found.looked[:, read]
    for label in sorted({*found.labels.tolist()}):
        of_class = np.broadcast_to(found.labels == label, looked.shape)
        hover = f"number %{{y}} looked at number %{{x}}, {_named(label)}: %{{z:.0%}}"
        made.add_trace(
            _cells(np.where(of_class & (looked > 0.005), looked, np.nan), label, hover, theme)
        )
        made.add_trace(_answers(found, label, theme))
    ticks: dict[str, Any] = {"tickmode": "array", "tickvals": _some(moments), "showgrid": False}
    made.update_xaxes(range=[0.4, moments + 0.9], **ticks)
    made.update_yaxes(range=[moments + 0.9, 0.4], **ticks)
    return made


def _answers(found: Remembered, label: int, theme: Theme) -> go.Scatter:
    """The drawings of one class where they came."""
    mine = np.flatnonzero(found.labels == label)
    right = found.answers[mine] == label
    symbol = palette.class_symbol(label)
    return go.Scatter(
        x=mine + 1,
        y=mine + 1,
        mode="markers",
        marker={
            "symbol": [symbol if one else f"{symbol}-open" for one in right],
            "size": 9,
            "color": palette.of_class(label, theme),
            "line": {"width": 1.6},
        },
        customdata=[
            "answered rightly" if one else f"taken for {_named(answer)}"
            for one, answer in zip(right, found.answers[mine], strict=True)
        ],
        hovertemplate=f"number %{{y}}, {_named(label)}: %{{customdata}}<extra></extra>",
    )


def slots(found: Remembered, theme: Theme) -> go.Figure:
    """A row per slot, a column per moment, in the colour of the class that fills most of it."""
    order = shown_slots(found)
    held = found.held[:, order]  # [L, M, L]
    strength = held.sum(-1)
    writer = held.argmax(-1)
    share = np.minimum(strength, 1.0) * held.max(-1) / np.maximum(strength, EMPTY)
    made = base.figure(
        theme,
        x="after so many examples",
        y="slot",
        height=min(ROW * len(order), TALLEST) + 100,
        legend=False,
        dragmode=False,
    )
    owner = found.labels[writer]
    for label in sorted({*found.labels.tolist()}):
        values = np.where((owner == label) & (held.max(-1) > HELD), share, np.nan).T
        hover = f"slot %{{y}} after %{{x}} examples: number %{{customdata}}, {_named(label)}"
        apart = int(ROW * len(order) <= TALLEST)
        more = {"customdata": writer.T + 1, "ygap": apart}
        made.add_trace(_cells(values, label, hover, theme, **more))
    made.update_xaxes(tickmode="array", tickvals=_some(len(held)), showgrid=False)
    made.update_yaxes(
        autorange="reversed", showgrid=False, tickmode="array", tickvals=_some(len(order))
    )
    return made


def used_slots(found: Remembered) -> int:
    return int((found.held.max(-1) > HELD).any(0).sum())


def shown_slots(found: Remembered) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Slots that were written to, the first ones first; at most ROWS."""
    strong = found.held.max(-1) > HELD  # [L, M]
    used = np.flatnonzero(strong.any(0))
    return used[np.argsort(strong[:, used].argmax(0), kind="stable")][:ROWS]


def _cells(values: Array, label: int, hover: str, theme: Theme, **more: Any) -> go.Heatmap:
    color = palette.of_class(label, theme)
    rows, columns = values.shape
    return go.Heatmap(
        z=values.astype(np.float32),
        x=np.arange(1, columns + 1),
        y=np.arange(1, rows + 1),
        zmin=0,
        zmax=1,
        colorscale=[[0, palette.faded(color, 0.08)], [1, palette.faded(color, 1)]],
        showscale=False,
        hoverongaps=False,
        xgap=1,
        hovertemplate=hover + "<extra></extra>",
        **{"ygap": 1, **more},
    )


def _named(label: int) -> str:
    return f"class {words.letter(label)}"


def _some(count: int) -> list[int]:
    """Places on an axis that are written out."""
    every = 1 if count <= 12 else 5 if count <= 40 else 20
    return [1, *range(every, count + 1, every)][every == 1 :]
