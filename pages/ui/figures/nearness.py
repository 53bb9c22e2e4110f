"""Queries against what they are measured by: prototypes, or the support drawings themselves."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from pages.ui import palette
from pages.ui.figures import base
from pages.ui.figures.cloud import WRONG, Matrix
from pages.ui.palette import Theme

STRONG = {"light": "#0B3C6F", "dark": "#BFE0FF"}
ABOVE, BESIDE, WIDE = 1.1, 1.0, 0.96  # cells for drawings, and how wide they are in them


def draw(
    matrix: Matrix,
    theme: Theme,
    *,
    row_name: str,
    column_pictures: Sequence[str],
    row_pictures: Sequence[str] = (),
    row_height: int = 32,
) -> go.Figure:
    """Drawings stand where the names of columns (and rows) would: in cells of their own."""
    rows, columns = matrix.values.shape
    height = round((rows + ABOVE) * row_height) + 44
    made = base.figure(theme, x="queries, class by class", y=row_name, height=height, legend=False)
    made.add_trace(_cells(matrix, theme))
    made.add_traces(_dots(matrix, theme))
    left = -0.5 - (BESIDE if row_pictures else 0)
    made.update_xaxes(showticklabels=False, showgrid=False, range=[left, columns - 0.5])
    made.update_yaxes(
        tickvals=list(range(rows)),
        ticktext=list(matrix.rows),
        range=[rows - 0.5, -0.5 - ABOVE],
        showgrid=False,
        linewidth=0,
    )
    top, side = -0.5 - ABOVE / 2, -0.6 - BESIDE / 2
    above = [base.image(one, n, top, WIDE, ABOVE) for n, one in enumerate(column_pictures)]
    beside = [base.image(one, side, n, WIDE, 1) for n, one in enumerate(row_pictures)]
    made.update_layout(images=above + beside)
    return made


def _cells(matrix: Matrix, theme: Theme) -> go.Heatmap:
    near, far = STRONG[theme], palette.PAPER[theme]
    scale = [(0, near), (1, far)] if matrix.near_is_small else [(0, far), (1, near)]
    text = [
        [
            f"{column}, {row}: {value:.3g}"
            for column, value in zip(matrix.columns, line, strict=True)
        ]
        for row, line in zip(matrix.rows, matrix.values, strict=True)
    ]
    return go.Heatmap(
        z=matrix.values,
        text=text,
        hovertemplate="%{text}<extra></extra>",
        colorscale=scale,
        xgap=1.5,
        ygap=1.5,
        colorbar={
            "title": {"text": matrix.unit, "side": "right", "font": {"size": base.LETTERS}},
            "thickness": 10,
            "outlinewidth": 0,
            "nticks": 5,
            "tickfont": {"size": base.LETTERS},
        },
    )


def _dots(matrix: Matrix, theme: Theme) -> list[go.Scatter]:
    """Which row each query is answered by, and whether that is right."""
    if matrix.row_of_answer is None:
        return []
    kinds = (("right", "circle", "#FFFFFF"), ("wrong", "x", WRONG["dark"]))
    traces = []
    for name, symbol, color in kinds:
        which = [
            n for n in range(len(matrix.columns)) if (n in set(matrix.wrong)) == (name == "wrong")
        ]
        if theme == "dark":
            color = palette.PAPER[theme] if name == "right" else WRONG["light"]
        traces.append(
            go.Scatter(
                x=which,
                y=[matrix.row_of_answer[n] for n in which],
                mode="markers",
                marker={"symbol": symbol, "size": 11, "color": color},
                hoverinfo="skip",
            )
        )
    return traces


def settling(scores: Sequence[float], shots: int, color: str, theme: Theme) -> go.Figure:
    """The score on the same queries with 1, 2, 3 … drawings of each class."""
    made = base.figure(theme, x="shots", y="queries answered rightly", height=230, legend=False)
    counts = list(range(1, len(scores) + 1))
    made.add_trace(base.line("", counts, scores, color, mode="lines+markers"))
    made.add_trace(
        go.Scatter(
            x=[shots],
            y=[scores[shots - 1]],
            mode="markers",
            marker={"size": 15, "color": color, "line": {"color": palette.INK[theme], "width": 2}},
            hoverinfo="skip",
        )
    )
    made.update_xaxes(dtick=1, range=[0.6, len(scores) + 0.4])
    known = [score for score in scores if not math.isnan(score)]
    low = min(0.75, min(known) - 0.05)
    made.update_yaxes(range=[low, 1.03])
    return base.percent(made)
