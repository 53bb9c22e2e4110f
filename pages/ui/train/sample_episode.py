"""A real training episode, drawn: what an algorithm is shown and what it is then asked."""

from collections.abc import Sequence
from html import escape

import streamlit as st
import torch
from torch import Tensor

from metacore import RunConfig
from metacore.answers import EpisodeSpec
from metacore.answers.questions import Drawn, Notes
from metacore.datasets.base import Dataset
from pages.ui import charts, drawings, kinds, palette, waiting, words
from pages.ui.curve_task import CurveTask
from pages.ui.figures import sample

SPLIT = "train"
SHOWN = "sample shown"
MOST_CLASSES, MOST_SHOTS, MOST_QUERIES = 10, 5, 3


def show(config: RunConfig, seed: int) -> None:
    """One episode of the training classes, with the ways and shots of the run's task."""
    question = wanted(config, seed)
    found = waiting.one(question)
    if not found.complete:
        waiting.bar([question], "Drawing an episode", key="sample")
        found = waiting.known(st.session_state.get(SHOWN) or question)
        if not found.complete:
            return
    else:
        st.session_state[SHOWN] = question
    episode = found.get()
    if config.dataset_class.regression and episode.regression:
        _curve(CurveTask.of(question.spec, episode))
    elif not (config.dataset_class.regression or episode.regression):
        ways = episode.ways
        by_class = episode.support_x[0].unflatten(0, (ways, -1))
        asked = episode.query_x[0].unflatten(0, (ways, -1))
        names = kinds.of(question.spec)
        st.html(_shown(by_class, asked[:, 0], names, config.dataset_class, charts.theme()))


def notes(config: RunConfig) -> None:
    """What is left out of the data, once they are there."""
    question = Notes(spec=wanted(config, 0).spec)
    found = waiting.one(question)
    if found.complete and (said := found.get()):
        title = f"What was left out: {words.several(len(said), 'remark')}"
        with st.expander(title, icon=":material/info:"):
            st.markdown("\n".join(f"- {words.plain(sentence)}" for sentence in said))


def wanted(config: RunConfig, seed: int) -> Drawn:
    """The episode that is shown."""
    task = config.task.to_dict()
    return Drawn(spec=EpisodeSpec.of(config, split=SPLIT, seed=seed, **task))


def _shown(
    by_class: Tensor,
    asked: Tensor,
    names: Sequence[str],
    kind: type[Dataset],
    theme: palette.Theme,
) -> str:
    """Support drawings [N, K, 1, H, W], class by class, and a query [N, 1, H, W] of some."""
    ways, shots = by_class.shape[:2]
    classes = [
        _class(number, names[number], by_class[number, :MOST_SHOTS], kind, theme)
        for number in range(min(ways, MOST_CLASSES))
    ]
    order = torch.randperm(min(ways, MOST_QUERIES), generator=torch.Generator().manual_seed(1))
    addresses = drawings.addresses(asked[order], palette.INK[theme], kind)
    queries = "".join(map(image, addresses))
    return (
        f'<div class="sample{" many" if shots > 1 else ""}"><div><p>It sees</p>'
        f'<div class="seen" role="img" aria-label="{ways} classes of {shots} {kind.item}s">'
        f"{''.join(classes)}</div>{_left_out(ways, shots)}</div>"
        f'<div><p>and is asked: which one?</p><div class="asked">{queries}</div></div></div>'
    )


def _class(
    number: int, name: str, pictures: Tensor, kind: type[Dataset], theme: palette.Theme
) -> str:
    color = palette.of_class(number, theme)
    images = "".join(map(image, drawings.addresses(pictures, color, kind)))
    shade = palette.faded(color, 0.12)
    return (
        f'<div class="kind" style="background: {shade}; border-color: {color}">'
        f"<b>{escape(name)}</b><span>{images}</span></div>"
    )


def image(address: str) -> str:
    return f'<img src="{address}" alt="">'


def _left_out(ways: int, shots: int) -> str:
    more = []
    if ways > MOST_CLASSES:
        more.append(f"{ways - MOST_CLASSES} more classes")
    if shots > MOST_SHOTS:
        more.append(f"{shots - MOST_SHOTS} more of each class")
    return f"<p>… and {' and '.join(more)}</p>" if more else ""


def _curve(task: CurveTask) -> None:
    charts.chart(
        sample.curve(task.grid, task.truth, task.points, task.queries, charts.theme()),
        f"It sees {len(task.points)} points and is asked about {len(task.queries)} others",
        alt="A curve, the points of it that are shown, and those that are asked about.",
        key="sample",
    )
