"""What the queries of a run that reads look at, layer by layer."""

from collections.abc import Sequence
from functools import partial

import streamlit as st
from torch import Tensor

from pages.ui import charts, kinds, words
from pages.ui.adapt.scene import AdaptedRun, AdaptScene
from pages.ui.figures import attention


def cards(scene: AdaptScene) -> None:
    for adapted in scene.runs:
        if adapted.trace.heads is not None:
            card(adapted, scene)


def card(adapted: AdaptedRun, scene: AdaptScene) -> None:
    assert adapted.trace.heads is not None, "of runs that look at examples"
    episode, regression = scene.episode, scene.regression
    rows = order(episode.query_x[0], episode.query_y[0])
    columns = order(episode.support_x[0], episode.support_y[0])
    shown = adapted.trace.heads[0][:, :, rows][:, :, :, columns]
    called = kinds.of(scene.choice.spec)
    item = "point" if regression else scene.choice.spec.kind.item
    draw = partial(
        attention.heads,
        shown,
        [f"a query {name}" for name in named(episode.query_x[0], episode.query_y[0], rows, called)],
        [
            f"a {item} {name}"
            for name in named(episode.support_x[0], episode.support_y[0], columns, called)
        ],
        adapted.color,
        charts.theme(),
    )
    charts.chart(
        charts.cached("heads", (repr(adapted.adaptation), adapted.color), draw),
        f"{adapted.name}: what its queries look at",
        alt=f"For every layer and head of {adapted.name}: how much each query attends to each"
        " example of the support set.",
        key=f"heads {adapted.run.id}",
        help="A row is a query, a column an example of the support set. What is missing to 100%, a"
        " query gives to itself.",
    )
    st.caption(_legend(item, regression))


def order(x: Tensor, y: Tensor) -> list[int]:
    """Class by class; points of a curve from left to right."""
    by = x.flatten() if y.is_floating_point() else y
    return [int(number) for number in by.argsort(stable=True)]


def named(x: Tensor, y: Tensor, numbers: Sequence[int], called: Sequence[str]) -> list[str]:
    """What each of these is, for a pointer."""
    if y.is_floating_point():
        return [f"at x = {float(x[number]):.1f}" for number in numbers]
    return [f"of class {words.in_figure(called[int(y[number])])}" for number in numbers]


def _legend(item: str, regression: bool) -> str:
    if regression:
        return "Rows and columns go from left to right: on the diagonal lie the nearest points."
    return (
        "Rows and columns go class by class: where the diagonal is dark, queries have found the"
        f" {item}s of their own class."
    )
