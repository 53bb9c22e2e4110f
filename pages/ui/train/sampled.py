"""A real training episode, drawn: what an algorithm is shown and what it is then asked."""

from collections.abc import Sequence
from typing import Any, cast

import streamlit as st
import torch
from torch import Tensor

from metacore import datasets
from metacore.answers.questions import Sample
from metacore.datasets.regression import HIGH, LOW, CurveDataset
from metacore.episode import Episode
from metacore.training.config import RunConfig
from pages.ui import charts, drawings, palette, waiting, words
from pages.ui.figures import sample
from pages.ui.figures.strip import Points

SPLIT = "train"
SHOWN = "sample shown"
MOST_CLASSES, MOST_SHOTS, MOST_QUERIES = 10, 5, 3
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
GRID = 101


def strip(config: RunConfig, seed: int) -> None:
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
        _curve(config, episode, seed)
    elif not (config.dataset_class.regression or episode.regression):
        ways = episode.ways
        by_class = episode.support_x[0].unflatten(0, (ways, -1))
        asked = episode.query_x[0].unflatten(0, (ways, -1))
        st.html(_shown(by_class, asked[:, 0], charts.theme()))


def wanted(config: RunConfig, seed: int) -> Sample:
    """The episode that is shown."""
    task, regression = config.task, config.dataset_class.regression
    return Sample(
        dataset=config.dataset,
        split=SPLIT,
        ways=1 if regression else task.ways,
        shots=task.shots,
        queries=task.queries,
        seed=seed,
    )


def _shown(by_class: Tensor, asked: Tensor, theme: palette.Theme) -> str:
    """Support drawings [N, K, 1, H, W], class by class, and a query [N, 1, H, W] of some."""
    ways, shots = by_class.shape[:2]
    classes = [
        _class(number, by_class[number, :MOST_SHOTS], theme)
        for number in range(min(ways, MOST_CLASSES))
    ]
    order = torch.randperm(min(ways, MOST_QUERIES), generator=torch.Generator().manual_seed(1))
    queries = "".join(_image(a) for a in drawings.addresses(asked[order], palette.INK[theme]))
    return (
        f'<div class="sample{" many" if shots > 1 else ""}"><div><p>It sees</p>'
        f'<div class="seen" role="img" aria-label="{ways} classes of {shots} drawings">'
        f"{''.join(classes)}</div>{_left_out(ways, shots)}</div>"
        f'<div><p>and is asked: which one?</p><div class="asked">{queries}</div></div></div>'
    )


def _class(number: int, pictures: Tensor, theme: palette.Theme) -> str:
    color = palette.of_class(number, theme)
    images = "".join(_image(address) for address in drawings.addresses(pictures, color))
    letter = LETTERS[number % len(LETTERS)]
    shade = palette.faded(color, 0.12)
    return (
        f'<div class="kind" style="background: {shade}; border-color: {color}">'
        f"<b>{letter}</b><span>{images}</span></div>"
    )


def _image(address: str) -> str:
    return f'<img src="{address}" alt="">'


def _left_out(ways: int, shots: int) -> str:
    more = []
    if ways > MOST_CLASSES:
        more.append(f"{ways - MOST_CLASSES} more classes")
    if shots > MOST_SHOTS:
        more.append(f"{shots - MOST_SHOTS} more of each class")
    return f"<p>… and {' and '.join(more)}</p>" if more else ""


def _curve(config: RunConfig, episode: Episode, seed: int) -> None:
    shots, queries = len(episode.support_x[0]), len(episode.query_x[0])
    grid, truth = true_curve(config, split=SPLIT, seed=seed)
    figure = sample.curve(
        grid,
        truth,
        points(episode.support_x[0], episode.support_y[0]),
        points(episode.query_x[0], episode.query_y[0]),
        charts.theme(),
    )
    charts.chart(
        figure,
        f"It sees {shots} points and is asked about {queries} others",
        alt="A curve, the points of it that are shown, and those that are asked about.",
        key="sample",
    )


def true_curve(
    config: RunConfig, *, split: str, seed: int, grid: Sequence[float] | None = None
) -> tuple[list[float], list[float]]:
    """The true curve of the regression episode number 0 of this seed, on a grid."""
    source = cast(CurveDataset, datasets.load(config.dataset, torch.device("cpu")))
    x = torch.linspace(LOW, HIGH, GRID) if grid is None else torch.tensor(grid)
    y = source.curve(source.parameters(split, seed=seed, number=0), x[None, :, None])
    return x.tolist(), y.flatten().tolist()


def points(x: Tensor, y: Tensor) -> Points:
    """The points of one regression task [K, 1], [K, 1]."""
    return list(zip(x.flatten().tolist(), y.flatten().tolist(), strict=True))


def support_points(config: RunConfig, named: dict[str, Any]) -> Points:
    """The support points of the regression episode a strip is about."""
    source = datasets.load(config.dataset, torch.device("cpu"))
    question = named_by(config, named)
    task = {"ways": question.ways, "shots": question.shots, "queries": question.queries}
    numbers = range(question.number, question.number + 1)
    episode = source.episodes(question.split, **task, seed=question.seed, numbers=numbers)
    return points(episode.support_x[0], episode.support_y[0])


def named_by(config: RunConfig, named: dict[str, Any]) -> Sample:
    """The episode a strip is about."""
    task = {name: int(named[name]) for name in ("ways", "shots", "queries", "seed", "number")}
    return Sample(dataset=config.dataset, split=str(named["split"]), **task)


def answers(episode: Episode, strip: dict[str, Any], theme: palette.Theme) -> str:
    """The strip's queries, marked right or wrong: at the start and now."""
    named = strip["episode"]
    images = _queries(episode, theme)
    first, last = strip["moments"][0], strip["moments"][-1]
    blocks = [("At the start", first)] if first is not last else []
    blocks.append((f"After {words.count(last['iteration'])} meta-steps", last))
    each = [_block(title, moment, images, named["ways"], theme) for title, moment in blocks]
    return f'<div class="sample">{"".join(each)}</div>'


def _queries(episode: Episode, theme: palette.Theme) -> list[str]:
    """Query drawings, class by class, each in the colour of its class."""
    return [
        drawings.addresses(image[None], palette.of_class(int(label), theme))[0]
        for image, label in zip(episode.query_x[0], episode.query_y[0], strict=True)
    ]


def _block(
    title: str, moment: dict[str, Any], images: list[str], ways: int, theme: palette.Theme
) -> str:
    each = len(images) // ways
    guesses = [max(range(ways), key=shares.__getitem__) for shares in moment["probabilities"][-1]]
    right = sum(guess == number // each for number, guess in enumerate(guesses))
    columns = "".join(
        _column(label, images, guesses, each, theme) for label in range(min(ways, MOST_CLASSES))
    )
    said = f"{right} of {len(images)} right"
    return (
        f"<div><p>{title}<br><b>{said}</b></p>"
        f'<div class="seen" role="img" aria-label="{title}: {said}">{columns}</div></div>'
    )


def _column(
    label: int, images: list[str], guesses: list[int], each: int, theme: palette.Theme
) -> str:
    numbers = range(label * each, (label + 1) * each)
    verdicts = ["right" if guesses[number] == label else "wrong" for number in numbers]
    marks = "".join(
        f'<i class="{verdict}">{_image(images[number])}</i>'
        for number, verdict in zip(numbers, verdicts, strict=True)
    )
    return f'<div class="answers" style="color: {palette.of_class(label, theme)}">{marks}</div>'
