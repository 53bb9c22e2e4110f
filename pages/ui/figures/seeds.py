"""Methods over seeds: a dot for every training, and what can be said of the method behind them."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from metacore.statistics import beyond_chance
from pages.ui import palette, words
from pages.ui.figures import base
from pages.ui.figures.comparison import DIFFERENCE, by_name, error
from pages.ui.palette import Theme

Method = Mapping[str, Any]  # as `metacore.training.seeds` writes it
SEED_SIZE, MEAN_SIZE = 8, 12


def scores(methods: Sequence[Method], metric: str, theme: Theme) -> go.Figure:
    """A dot for each seed, and the mean over them with its interval."""
    made = by_name([_name(method) for method in methods], theme, words.METRIC[metric])
    for method in methods:
        color = palette.algorithm(method["algorithm"], theme)
        seeds = [pair for pair in zip(method["seeds"], method["scores"], strict=True) if pair[1]]
        made.add_trace(_dots(method, seeds, color))
        if method["mean"] is not None:
            made.add_trace(_mean(method, color))
    return base.percent(made, "xaxis") if metric == "accuracy" else made


def differences(methods: Sequence[Method], metric: str, theme: Theme) -> go.Figure:
    """How much better than the first each other one is; filled where it is beyond chance."""
    others = [method for method in methods if _known(method["apart"])]
    made = by_name([_name(method) for method in others], theme, DIFFERENCE[metric])
    scale = 100 if metric == "accuracy" else 1
    for method in others:
        mean, ci95 = method["apart"]["mean"], method["apart"]["ci95"]
        color = palette.algorithm(method["algorithm"], theme)
        hollow = "" if beyond_chance(mean, ci95) else "-open"
        made.add_trace(
            go.Scatter(
                x=[scale * mean],
                y=[_name(method)],
                mode="markers",
                marker={"color": color, "size": MEAN_SIZE, "symbol": f"diamond{hollow}"},
                error_x=error([scale * ci95], color),
                hovertemplate="%{x:.2f}<extra></extra>",
            )
        )
    made.add_vline(x=0, line={"color": palette.INK[theme], "width": 1, "dash": "dot"})
    return made


def _known(apart: Method | None) -> bool:
    return apart is not None and None not in (apart["mean"], apart["ci95"])


def _name(method: Method) -> str:
    """One setting to a line."""
    return words.in_figure(method["label"]).replace(", ", ",<br>")


def _dots(method: Method, seeds: Sequence[tuple[int, float]], color: str) -> go.Scatter:
    return go.Scatter(
        x=[score for _, score in seeds],
        y=[_name(method)] * len(seeds),
        mode="markers",
        marker={"color": palette.faded(color, 0.55), "size": SEED_SIZE},
        text=[f"seed {seed}" for seed, _ in seeds],
        hovertemplate="%{text}: %{x}<extra></extra>",
    )


def _mean(method: Method, color: str) -> go.Scatter:
    return go.Scatter(
        x=[method["mean"]],
        y=[_name(method)],
        mode="markers",
        marker={"color": color, "size": MEAN_SIZE, "symbol": "diamond-open", "line": {"width": 2}},
        error_x=error([method["ci95"] or 0.0], color),
        hovertemplate="mean: %{x}<extra></extra>",
    )
