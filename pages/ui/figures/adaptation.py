"""What the inner loop did: how far each layer moved, and what the normalisation mode is worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from metacore.insight.trace import Array, LearnedByLayer
from pages.ui import palette, words
from pages.ui.figures import base
from pages.ui.palette import Theme

WRITTEN = 5  # columns that leave room for a number in every cell
ROW = 32  # pixels
DEEPEST = 0.65  # of a colour, on which a number can still be read
NARROWEST = 0.06  # of an axis of shares


def layers(norms: Mapping[str, Array], color: str, theme: Theme, *, most: float) -> go.Figure:
    """How far each layer [S, 1] moved at each inner step, the first layer at the top.

    `most` is where the scale ends: the same for heatmaps that stand side by side.
    """
    moved = np.stack([values[:, 0] for values in norms.values()]).astype(np.float32)
    steps = list(range(1, moved.shape[1] + 1))
    made = base.figure(
        theme, x="inner step", height=ROW * len(moved) + 90, legend=False, dragmode=False
    )
    made.add_trace(
        go.Heatmap(
            z=moved,
            x=steps,
            y=[*norms],
            colorscale=[[0, palette.faded(color, 0)], [1, palette.faded(color, DEEPEST)]],
            zmin=0,
            zmax=most,
            showscale=len(moved) > 2,
            xgap=1,
            ygap=1,
            texttemplate="%{z:.2g}" if len(steps) <= WRITTEN else None,
            textfont={"size": base.LETTERS, "color": palette.INK[theme]},
            hovertemplate="%{y} at step %{x}: moved by %{z:.3g}<extra></extra>",
            colorbar={
                "title": {"text": "moved by", "font": {"size": base.LETTERS}},
                "tickfont": {"size": base.LETTERS},
                "thickness": 9,
                "outlinewidth": 0,
                "nticks": 4,
            },
        )
    )
    made.update_xaxes(showgrid=False, **_whole(steps))
    made.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return made


def learned(found: LearnedByLayer, color: str, theme: Theme) -> go.Figure:
    """A box per layer, the first layer at the top: half of its numbers, and nine tenths."""
    spread, names = np.stack([*found.spread.values()], 1), [*found.spread]
    low, first, middle, third, high = spread
    made = base.figure(
        theme, x=found.axis, height=ROW * len(names) + 90, legend=False, dragmode=False
    )
    made.add_trace(
        go.Box(
            y=names,
            lowerfence=low,
            q1=first,
            median=middle,
            q3=third,
            upperfence=high,
            orientation="h",
            line={"color": color, "width": 1.6},
            fillcolor=palette.faded(color, 0.25),
        )
    )
    made.update_xaxes(zeroline=True, zerolinecolor=palette.INK[theme], zerolinewidth=1)
    made.update_yaxes(autorange="reversed", showgrid=False, type="category")
    return made


def _whole(steps: Sequence[int]) -> dict[str, object]:
    """Steps are whole numbers: at most ten of them are written."""
    return {"tickmode": "linear", "tick0": 1, "dtick": -(-len(steps) // 10)}


@dataclass(frozen=True)
class Effect:
    """One run's score over many episodes, in each mode measured so far."""

    name: str
    color: str
    symbol: str
    scores: Mapping[str, tuple[float, float]]  # mode -> mean, half-width of its 95% interval


def norms(
    effects: Sequence[Effect], modes: Sequence[str], now: Sequence[str], theme: Theme
) -> go.Figure:
    """Accuracy by normalisation mode, a row per mode; the modes now in use are written bold."""
    made = base.figure(
        theme,
        x="accuracy on 100 test episodes<br>mean and its 95% interval",
        height=72 * len(modes) + 115,
        legend=len(effects) > 1,
        dragmode=False,
    )
    for effect in effects:
        known = [mode for mode in modes if mode in effect.scores]
        name = words.in_figure(effect.name)
        made.add_trace(
            go.Scatter(
                name=name,
                y=known,
                x=[effect.scores[mode][0] for mode in known],
                error_x={"array": [effect.scores[mode][1] for mode in known], "thickness": 1.6},
                mode="markers+text" if len(effects) == 1 else "markers",
                text=[f"{effect.scores[mode][0]:.1%}" for mode in known],
                textposition="top center",
                marker={"color": effect.color, "symbol": effect.symbol, "size": 12},
                hovertemplate="%{y}: %{x:.1%}<extra>" + name + "</extra>",
            )
        )
    made.update_xaxes(range=_reach(effects), tickformat=".1~%", nticks=4)
    written = [_written(mode, now) for mode in modes]
    made.update_yaxes(
        type="category",
        categoryorder="array",
        categoryarray=[*modes][::-1],
        range=[-0.6, len(modes) - 0.4],
        tickmode="array",
        tickvals=[*modes],
        ticktext=written,
    )
    return made


def _written(mode: str, now: Sequence[str]) -> str:
    name = f"<b>{mode}</b>" if mode in now else mode
    return f"{name}<br><i>{words.MODES[mode].replace(', ', ',<br>')}</i>"


def _reach(effects: Sequence[Effect]) -> tuple[float, float]:
    """Never so narrow that a hair's breadth looks like a gap; never far beyond 100%."""
    ends = [(m - c, m + c) for effect in effects for m, c in effect.scores.values()]
    if not ends:
        return 0.0, 1.0
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    more = max(0.0, NARROWEST - (high - low)) / 2 + 0.005
    return low - more, high + more
