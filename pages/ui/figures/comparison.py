"""Runs beside each other on the same episodes: scores, differences, and what they depend on."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from metacore.insight.reference import Reference
from metacore.statistics import beyond_chance
from pages.ui import palette, words
from pages.ui.figures import base
from pages.ui.palette import Theme

Row = Mapping[str, Any]  # as `metacore.runs.results` makes them
ROW_HEIGHT = 46
FAR = 20  # times: differences below look alike on a linear axis
LONGEST_NAME = 32
DIFFERENCE = {"accuracy": "difference in points", "mse": "difference in MSE"}
COST = {  # a row's key -> the axis' name
    "kept_bytes": "bytes kept of a task",
    "take_in_ms": "milliseconds to take in a support set",
    "answer_ms": "milliseconds to answer one query",
    "parameters": "parameters",
    "training_seconds": "seconds of meta-training",
}


def scores(rows: Sequence[Row], theme: Theme, *, best: float | None = None) -> go.Figure:
    """A dot with its confidence interval for each run, and what a paper reports as a hollow one.

    `best` is what nobody can do better than, where that is known.
    """
    metric = rows[0]["metric"]
    made = by_name([short(row["name"]) for row in rows], theme, words.METRIC[metric])
    for row, color in zip(rows, _colors(rows, theme), strict=True):
        score, ci95 = row["evaluation"][metric], row["evaluation"]["ci95"]
        if score is not None:
            made.add_trace(_dot(score, short(row["name"]), ci95, color))
    if best is not None:
        ink = palette.INK[theme]
        made.add_vline(
            x=best,
            line={"color": ink, "width": 1.4, "dash": "dot"},
            annotation={"text": "best possible", "font": {"color": ink, "size": base.LETTERS}},
        )
    reported = [row for row in rows if row["published"]]
    if reported:
        made.add_trace(_published(reported, theme))
        made.update_layout(showlegend=True)
    return base.percent(made, "xaxis") if metric == "accuracy" else made


def differences(pairs: Sequence[Row], metric: str, theme: Theme) -> go.Figure:
    """Paired differences around zero, filled where their interval does not touch it."""
    names = [f"{short(pair['first'])}<br>vs {short(pair['second'])}" for pair in pairs]
    made = by_name(names, theme, DIFFERENCE[metric])
    scale = 100 if metric == "accuracy" else 1
    for pair, name in zip(pairs, names, strict=True):
        if pair["mean"] is not None and pair["ci95"] is not None:
            shown = beyond_chance(pair["mean"], pair["ci95"])
            color = palette.INK[theme] if shown else palette.algorithm(Reference.name, theme)
            made.add_trace(
                _dot(scale * pair["mean"], name, scale * pair["ci95"], color, hollow=not shown)
            )
    made.add_vline(x=0, line={"color": palette.INK[theme], "width": 1, "dash": "dot"})
    return made


def by_steps(rows: Sequence[Row], theme: Theme) -> go.Figure:
    """The score after every inner step; who adapts without any is a level line."""
    metric = rows[0]["metric"]
    made = base.figure(theme, x="inner step", y=words.METRIC[metric], height=360)
    last = max(row["evaluation"]["steps"] for row in rows)
    for row, color in zip(rows, _colors(rows, theme), strict=True):
        points = row["evaluation"]["per_step"]
        if not row["evaluation"]["steps"]:
            points = [{**points[-1], "step": step} for step in (0, max(1, last))]
        _add_curve(made, row, "step", points, color)
    if metric == "accuracy":
        base.chance(made, rows[0]["evaluation"]["ways"], (0, max(1, last)), theme)
    return _readable(made, metric, [row["evaluation"]["per_step"] for row in rows])


def by_value(sweep: Row, metric: str, theme: Theme, *, ways: int) -> go.Figure:
    """The score against shots (of tasks of so many ways) or ways."""
    made = base.figure(theme, x=sweep["kind"], y=words.METRIC[metric], height=360)
    for row, color in zip(sweep["rows"], _colors(sweep["rows"], theme), strict=True):
        _add_curve(made, row, "value", row["scores"], color)
    if metric == "accuracy":
        by_ways = sweep["kind"] == "ways"
        base.chances(made, [(v, v if by_ways else ways) for v in sweep["values"]], theme)
    made.update_xaxes(tickvals=sweep["values"])
    return _readable(made, metric, [row["scores"] for row in sweep["rows"]])


def cost(rows: Sequence[Row], by: str, theme: Theme) -> go.Figure:
    """The score against what it took, on a logarithmic axis; what took nothing is a level line."""
    metric = rows[0]["metric"]
    made = base.figure(theme, x=COST[by], y=words.METRIC[metric], height=360)
    for number, (row, color) in enumerate(zip(rows, _colors(rows, theme), strict=True)):
        if row["evaluation"][metric] is None:
            continue
        if free(row, by):
            made.add_hline(**_level(row, color))
        else:
            made.add_trace(_place(row, by, palette.symbol(number), color))
    placed = [row[by] for row in rows if not free(row, by)]
    base.logarithmic(made, "xaxis", placed)
    return base.percent(made) if metric == "accuracy" else made


def _readable(made: go.Figure, metric: str, curves: Sequence[Sequence[Row]]) -> go.Figure:
    """Accuracies in percent; errors that differ many times over on a logarithmic axis."""
    if metric == "accuracy":
        return base.percent(made)
    means = [point["mean"] for points in curves for point in points if point["mean"]]
    if means and max(means) > FAR * min(means):
        base.logarithmic(made, "yaxis", means)
    return made


def free(row: Row, by: str) -> bool:
    """Whether a run has no place on a logarithmic axis of this cost."""
    return bool(by == "training_seconds" and not row["meta_steps"]) or not row[by]


def short(name: str) -> str:
    """A run's name, as it fits a figure."""
    return words.in_figure(_cut(name))


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"


def by_name(names: Sequence[str], theme: Theme, x: str) -> go.Figure:
    """An empty figure with a line for every name, the first on top."""
    height = 90 + ROW_HEIGHT * len(names)
    made = base.figure(theme, x=x, height=height, legend=False)
    made.update_yaxes(
        categoryorder="array",
        categoryarray=names[::-1],
        range=[-0.6, len(names) - 0.4],
        title=None,
    )
    return made


def _colors(rows: Sequence[Row], theme: Theme) -> list[str]:
    return palette.run_colors([row["algorithm"] for row in rows], theme)


def _dot(x: float, name: str, ci95: float | None, color: str, hollow: bool = False) -> go.Scatter:
    return go.Scatter(
        name=name,
        x=[x],
        y=[name],
        mode="markers",
        marker={"color": color, "size": 10, "symbol": "circle-open" if hollow else "circle"},
        error_x=error([ci95 or 0.0], color),
        showlegend=False,
    )


def _published(rows: Sequence[Row], theme: Theme) -> go.Scatter:
    return go.Scatter(
        name="published",
        x=[row["published"]["value"] for row in rows],
        y=[short(row["name"]) for row in rows],
        mode="markers",
        marker={"color": palette.INK[theme], "size": 12, "symbol": "diamond-open"},
    )


def _place(row: Row, by: str, symbol: str, color: str) -> go.Scatter:
    scores = row["evaluation"]
    return go.Scatter(
        name=short(row["name"]),
        x=[row[by]],
        y=[scores[row["metric"]]],
        mode="markers",
        marker={"color": color, "size": 12, "symbol": symbol},
        error_y=error([scores["ci95"] or 0.0], color),
    )


def _level(row: Row, color: str) -> dict[str, Any]:
    """A line at a run's score, said beside it."""
    return {
        "y": row["evaluation"][row["metric"]],
        "line": {"color": color, "width": 1.6, "dash": "dot"},
        "annotation_text": f"{short(row['name'])} (no meta-training)",
        "annotation_font_color": color,
        "annotation_position": "top left",
    }


def _add_curve(made: go.Figure, row: Row, x: str, points: Sequence[Row], color: str) -> None:
    """A line through the scores, with their intervals."""
    metric_points = [point for point in points if point["mean"] is not None]
    made.add_trace(
        base.line(
            _cut(row["name"]),
            [point[x] for point in metric_points],
            [point["mean"] for point in metric_points],
            color,
            palette.dash(row["algorithm"]),
            mode="lines+markers",
            marker={"size": 7},
            error_y=error([point["ci95"] or 0.0 for point in metric_points], color),
        )
    )


def error(sizes: Sequence[float], color: str) -> dict[str, Any]:
    return {"type": "data", "array": list(sizes), "color": color, "thickness": 1.8, "width": 8}
