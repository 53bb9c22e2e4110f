"""What a learner takes for what is counted on known predictions."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor

from metacore.algorithms import ALGORITHMS
from metacore.datasets import DATASETS
from metacore.datasets.base import ImageDataset
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.insight.confusion import confusion, drawn_classes, joined
from metacore.models import MODELS
from metacore.settings import Config
from metacore.training.config import RunConfig, TaskConfig
from metacore.training.learner import Learner, build

CLASSES, WAYS, DRAWINGS = 9, 4, 6
TASK: dict[str, int] = {"shots": 1, "queries": 3, "episodes": 5}


class Numbered(ImageDataset):
    """Every picture is one shade: its class and its drawing can be read off it."""

    name, title, summary = "numbered", "Numbered", ""

    @classmethod
    def shape(cls, config: Any) -> tuple[int, ...]:
        return (1, 2, 2)

    def __init__(self) -> None:
        super().__init__(Config(), torch.device("cpu"))
        shades = torch.arange(CLASSES * DRAWINGS, dtype=torch.uint8)
        pictures = shades.view(CLASSES, DRAWINGS, 1, 1, 1).expand(-1, -1, 1, 2, 2)
        self.images = {"test": pictures.contiguous()}


def always(answer: Any) -> Learner:
    """A learner whose queries [T, N*Q] become what `answer` says of their labels and pictures."""
    seen: list[Tensor] = []

    def adapt(_params: Any, episode: Episode, **_: Any) -> Iterator[Any]:
        seen.append(episode.support_x)
        ways = episode.ways
        yield lambda query_x: torch.zeros(*query_x.shape[:2], ways)  # before it has adapted
        yield lambda query_x: torch.nn.functional.one_hot(answer(query_x), ways)

    takes_all = SimpleNamespace(takes=lambda _: True)
    algorithm = SimpleNamespace(adapt=adapt)
    made = SimpleNamespace(algorithm=algorithm, params={}, seen=seen, config=takes_all)
    return cast(Learner, made)


def label(query_x: Tensor, classes: list[int]) -> Tensor:
    """The true label of each query, read off its shade."""
    shade = (query_x[:, :, 0, 0, 0] * 255).round().long() // DRAWINGS
    return torch.tensor([classes.index(int(number)) for number in shade.flatten()]).view_as(shade)


def test_who_is_always_right_has_a_diagonal() -> None:
    classes = [7, 2, 5, 0]
    learner = always(lambda query_x: label(query_x, classes))
    found = confusion(learner, Numbered(), classes, **TASK)
    assert found.counts.tolist() == [[15 if i == j else 0 for j in range(4)] for i in range(4)]
    assert found.accuracy == 1
    assert found.worst() == (0, 0)
    assert found.names == ("test 7", "test 2", "test 5", "test 0")


def test_every_cell_knows_its_drawings() -> None:
    """Drawings of class 2 with an odd number are taken for class 0, the rest is right."""
    classes = [3, 1, 8, 6]

    def answer(query_x: Tensor) -> Tensor:
        truth = label(query_x, classes)
        odd = (query_x[:, :, 0, 0, 0] * 255).round().long() % 2 == 1
        return torch.where((truth == 2) & odd, 0, truth)

    found = confusion(always(answer), Numbered(), classes, **TASK)
    wrong, right = found.cell(2, 0), found.cell(2, 2)
    assert sum(times for _, times in wrong) == found.counts[2, 0] > 0
    assert sum(times for _, times in (*wrong, *right)) == 15
    assert [times for _, times in wrong] == sorted((times for _, times in wrong), reverse=True)
    shades = [int(found.pictures[number].flatten()[0]) for number, _ in wrong]
    assert all(shade // DRAWINGS == 8 and shade % 2 for shade in shades)
    assert len(set(shades)) == len(shades)
    assert found.worst() == (2, 0)
    assert found.cell(1, 3) == []


def test_the_seed_draws_the_tasks_and_each_has_another_support() -> None:
    classes = drawn_classes(Numbered(), WAYS, seed=3)
    assert len(set(classes)) == WAYS
    assert (
        classes == drawn_classes(Numbered(), WAYS, seed=3) != drawn_classes(Numbered(), 4, seed=4)
    )
    learners = [always(lambda query_x: label(query_x, classes)) for _ in range(3)]
    seeds = (0, 0, 1)
    for learner, seed in zip(learners, seeds, strict=True):
        confusion(learner, Numbered(), classes, seed=seed, **TASK)
    first, again, other = (torch.cat(cast(Any, learner).seen) for learner in learners)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len(first.flatten(1).unique(dim=0)) > 1


def test_a_learner_may_meet_more_classes_than_it_was_trained_for() -> None:
    config = RunConfig(
        algorithm=ALGORITHMS["maml"].Config(),
        dataset=DATASETS["glyphs"].Config(train_classes=20, test_classes=20, drawings=6),
        model=MODELS["conv4"](width=4),
        task=TaskConfig(ways=3, shots=1, queries=2),
        device="cpu",
    )
    learner = build(config)
    source = cast(ImageDataset, learner.dataset)
    found = confusion(learner, source, drawn_classes(source, 7, seed=0), **TASK)
    assert found.counts.shape == (7, 7)
    assert found.counts.sum(1).tolist() == [15] * 7


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"episodes": 0}, "episodes must be between 1 and"),
        ({"episodes": 10**9}, "episodes must be between 1 and"),
        ({"shots": 6}, "shots must be between 1 and 5"),
    ],
)
def test_what_cannot_be_dealt_is_refused(wrong: dict[str, int], said: str) -> None:
    with pytest.raises(UserError, match=said):
        confusion(always(lambda query_x: None), Numbered(), [0, 1], **{**TASK, **wrong})


def test_more_classes_than_there_are_cannot_be_drawn() -> None:
    with pytest.raises(UserError, match=f"between 2 and {CLASSES}"):
        drawn_classes(Numbered(), CLASSES + 1, seed=0)


def test_parts_of_tasks_are_joined_to_what_all_at_once_would_be() -> None:
    first, swapped = Numbered(), always(lambda query_x: (query_x[..., 0, 0, 0] * 255).long() % WAYS)
    classes = drawn_classes(first, WAYS, seed=3)
    asked = {"shots": 1, "queries": 3, "seed": 3}
    whole = confusion(swapped, first, classes, episodes=5, **asked)
    parts = [
        confusion(swapped, first, classes, first=number, episodes=count, **asked)
        for number, count in ((0, 2), (2, 1), (3, 2))
    ]
    found = joined(parts)
    assert found.episodes == 5
    assert np.array_equal(found.counts, whole.counts)
    assert np.array_equal(found.picture, whole.picture)
    assert torch.equal(found.pictures, whole.pictures)
