"""Drawings where a network puts them: on a plane, with prototypes and regions; in space by `space`.

Classes are told apart by colour and by symbol, support drawings are filled, queries are open. What
is looked at stands out by Plotly's own selection, so that a click changes nothing in the figure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from pages.ui import palette
from pages.ui.figures import base, space
from pages.ui.figures.cloud import WRONG, Array, Cloud, Points, Regions, buttons, span
from pages.ui.palette import Theme
from pages.ui.words import letter

ORDINAL = ("first", "second", "third")
MARK, STAR, LOOKED_AT = 13, 34, 22  # pixels
THUMBNAIL = 0.075  # of the plane's wider side
UNSEEN = "rgba(128, 128, 128, 0.01)"  # to be clicked on


def draw(
    cloud: Cloud,
    theme: Theme,
    *,
    selected: str | None = None,
    pictures: Mapping[str, str] | None = None,
    frame: Array | None = None,
    height: int = 590,
) -> go.Figure:
    """`pictures` are shown instead of marks (on a plane only); `frame` is what must be in view."""
    if cloud.dimensions == 3:
        return space.draw(cloud, theme, selected, height)
    frame = cloud.all if frame is None else frame
    x, y = (axis_title(number, cloud.explained) for number in (0, 1))
    made = base.figure(theme, x=x, y=y, height=height, dragmode="pan", hovermode="closest")
    if cloud.regions is not None:
        made.add_trace(_tint(cloud.regions, theme))
    made.add_traces(_paths(cloud, theme))
    made.add_traces(_marks(cloud, theme, selected, thumbnails=pictures is not None))
    if pictures is not None:
        made.update_layout(images=_thumbnails(cloud, pictures, frame))
    made.add_traces(_rings(cloud, theme, size=25 if pictures is None else 42))
    made.add_traces(_left_places(cloud, theme))
    made.add_traces(_stars(cloud, theme))
    made.update_layout(annotations=_arrows(cloud, theme) + _letters(cloud, theme))
    made.update_layout(modebar=buttons(theme))
    for trace in made.data:
        if trace.type == "scatter":
            trace.unselected = {"marker": {"opacity": 1}}
    _fit(made, frame)
    return made


def axis_title(number: int, explained: Sequence[float]) -> str:
    return f"{ORDINAL[number]} axis: {explained[number]:.0%} of the variance"


def _fit(made: go.Figure, frame: Array) -> None:
    """Both axes have one scale, or distances would not look like distances."""
    for axis, (low, high) in zip(("xaxis", "yaxis"), span(frame), strict=True):
        made.update_layout(
            {axis: {"range": [low, high], "showticklabels": False, "showgrid": False}}
        )
    made.update_yaxes(scaleanchor="x", scaleratio=1)
    made.update_layout(margin={"b": 36})


def _tint(regions: Regions, theme: Theme) -> go.Heatmap:
    ways = int(regions.classes.max()) + 1
    side = len(regions.classes)
    steps = [(edge / ways, palette.of_class(n, theme)) for n in range(ways) for edge in (n, n + 1)]
    return go.Heatmap(
        z=regions.classes.astype(np.uint8),
        x=np.linspace(*regions.x, side, dtype=np.float32),
        y=np.linspace(*regions.y, side, dtype=np.float32),
        zmin=-0.5,
        zmax=ways - 0.5,
        colorscale=steps,
        opacity=0.17,
        showscale=False,
        hoverinfo="skip",
    )


def _paths(cloud: Cloud, theme: Theme) -> list[go.Scatter]:
    """Where each prototype has been, one shot after the other."""
    if cloud.paths is None or len(cloud.paths) < 2:
        return []
    return [
        go.Scatter(
            x=path[:, 0],
            y=path[:, 1],
            mode="lines+markers",
            line={"color": palette.of_class(number, theme), "width": 1.6, "dash": "dot"},
            marker={"size": 5, "color": palette.of_class(number, theme)},
            opacity=0.75,
            hoverinfo="skip",
            name="its way from 1 shot",
            showlegend=number == 0,
        )
        for number, path in enumerate(cloud.paths.transpose(1, 0, 2))
    ]


def _marks(
    cloud: Cloud, theme: Theme, selected: str | None, *, thumbnails: bool
) -> list[go.Scatter]:
    """Support drawings, queries and what was left out; under thumbnails, something to click on."""
    support, query = cloud.support, cloud.query
    strange = [n in set(cloud.mislabelled) for n in range(len(support.names))]
    filled = {
        "symbol": [palette.class_symbol(n) for n in support.labels],
        "color": [palette.of_class(n, theme) for n in support.labels],
        "line": {
            "width": [2.5 if one else 1 for one in strange],
            "color": [palette.INK[theme] if one else palette.PAPER[theme] for one in strange],
        },
        "size": MARK + 2,
    }
    opened = {  # filled with paper: a symbol that is open would be filled when it is selected
        "symbol": [palette.class_symbol(n) for n in query.labels],
        "color": palette.PAPER[theme],
        "line": {"width": 2, "color": [palette.of_class(n, theme) for n in query.labels]},
        "size": MARK,
    }
    if thumbnails:
        tint = [palette.faded(palette.of_class(n, theme), 0.22) for n in support.labels]
        filled |= {"symbol": "square", "size": 30, "color": tint}
        opened |= {"symbol": "square", "size": 26, "color": UNSEEN, "line": {"width": 0}}
    chosen = palette.faded(palette.INK[theme], 0.4 if thumbnails else 1)
    traces = [
        _clickable("support", support, filled, selected, chosen),
        _clickable("query", query, opened, selected, chosen),
    ]
    traces[1].showlegend = not thumbnails  # there would be no mark beside its name
    if cloud.left_out is not None and len(cloud.left_out.names):
        gray = {"symbol": "x-thin", "size": MARK, "line": {"width": 2, "color": "#888888"}}
        traces.append(_clickable("left out", cloud.left_out, gray, None, chosen))
    return traces


def _clickable(
    name: str, points: Points, marker: dict[str, Any], selected: str | None, chosen_color: str
) -> go.Scatter:
    which = [n for n, known in enumerate(points.names) if known == selected]
    return base.marks(
        points.at,
        marker,
        name=name,
        customdata=list(points.names),
        text=list(points.notes),
        hovertemplate="%{text}<extra></extra>",
        selected={"marker": {"size": max(LOOKED_AT, marker["size"] + 2), "color": chosen_color}},
        selectedpoints=which or None,
    )


def _rings(cloud: Cloud, theme: Theme, size: int) -> list[go.Scatter]:
    if not cloud.wrong:
        return []
    at = cloud.query.at[list(cloud.wrong)]
    ring = {"symbol": "circle-open", "size": size, "color": WRONG[theme], "line": {"width": 2.5}}
    return [base.marks(at, ring, name="answered wrongly", hoverinfo="skip")]


def _stars(cloud: Cloud, theme: Theme) -> list[go.Scatter]:
    if cloud.paths is None:
        return []
    now = cloud.paths[-1]
    outline = {"color": palette.INK[theme], "width": 1.2}
    colors = [palette.of_class(n, theme) for n in range(len(now))]
    star = {"symbol": "star", "size": STAR, "color": colors, "line": outline}
    said = [f"prototype of class {letter(n)}" for n in range(len(now))]
    return [base.marks(now, star, name="prototype", hovertext=said, hoverinfo="text")]


def _left_places(cloud: Cloud, theme: Theme) -> list[go.Scatter]:
    """Hollow stars where prototypes were before the edits."""
    if not cloud.moves:
        return []
    numbers, before, _ = zip(*cloud.moves, strict=True)
    outline = {"color": [palette.of_class(number, theme) for number in numbers], "width": 2.5}
    star = {"symbol": "star", "size": STAR, "color": palette.PAPER[theme], "line": outline}
    said = [f"class {letter(number)}, before the edit" for number in numbers]
    at = np.stack(before)
    return [base.marks(at, star, name="before the edit", hovertext=said, hoverinfo="text")]


def _arrows(cloud: Cloud, theme: Theme) -> list[dict[str, Any]]:
    """From where each prototype was to where the edits put it."""
    return [
        {
            "text": "",
            "x": float(new[0]),
            "y": float(new[1]),
            "ax": float(old[0]),
            "ay": float(old[1]),
            "axref": "x",
            "ayref": "y",
            "showarrow": True,
            "arrowhead": 2,
            "arrowwidth": 3.5,
            "arrowcolor": palette.INK[theme],
            "standoff": STAR / 3,
        }
        for _, old, new in cloud.moves
    ]


def _letters(cloud: Cloud, theme: Theme) -> list[dict[str, Any]]:
    """Names on the stars; as a trace's text they would fade whenever something is selected."""
    return [
        {
            "text": f"<b>{letter(n)}</b>",
            "x": float(at[0]),
            "y": float(at[1]),
            "showarrow": False,
            "font": {"color": palette.PAPER[theme], "size": 14},
        }
        for n, at in enumerate(cloud.paths[-1] if cloud.paths is not None else ())
    ]


def _thumbnails(cloud: Cloud, pictures: Mapping[str, str], frame: Array) -> list[dict[str, Any]]:
    side = THUMBNAIL * max(high - low for low, high in span(frame))
    places = {
        name: at
        for points in (cloud.query, cloud.support)
        for name, at in zip(points.names, points.at, strict=True)
    }
    return [
        base.image(pictures[name], float(at[0]), float(at[1]), side, side)
        for name, at in places.items()
    ]
