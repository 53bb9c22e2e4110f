"""Classes that differ in how many pictures they have, in colour."""

from typing import Any

import pytest
import torch

from metacore.datasets.base import ImageDataset
from metacore.errors import UserError
from metacore.settings import Config

SIZES = [2, 6, 4, 9, 6]


class Ragged(ImageDataset):
    """Every picture is one shade, which says its class and its number."""

    name, title, summary, item = "ragged", "Ragged", "", "picture"
    Config = Config

    @classmethod
    def shape(cls, config: Any) -> tuple[int, ...]:
        return (3, 4, 4)

    def __init__(self) -> None:
        super().__init__(Config(), torch.device("cpu"))
        shades = torch.arange(5)[:, None] * 20 + torch.arange(9)
        pictures = shades.to(torch.uint8).view(5, 9, 1, 1, 1)
        self.images = {"test": pictures.expand(-1, -1, 3, 4, 4).contiguous()}
        self.sizes = {"test": torch.tensor(SIZES)}


def sample(**task: int) -> Any:
    return Ragged().sample("test", **task, generator=torch.Generator().manual_seed(0))


def test_only_pictures_that_there_are_are_dealt_and_none_twice() -> None:
    found = sample(tasks=200, ways=3, shots=2, queries=2)
    shades = torch.cat([found.support_x, found.query_x], 1)[:, :, 0, 0, 0].mul(255).round().int()
    for task in shades.tolist():
        assert len(set(task)) == 12
        assert all(shade % 20 < SIZES[shade // 20] for shade in task)


def test_classes_too_small_for_a_task_are_left_out_of_it() -> None:
    found = sample(tasks=200, ways=3, shots=2, queries=4)
    assert set(found.classes.flatten().tolist()) == {1, 3, 4}


def test_too_few_large_classes_are_a_sentence_with_the_numbers() -> None:
    with pytest.raises(UserError, match="only 1 of the 5 classes of ragged's test split have"):
        sample(tasks=1, ways=2, shots=4, queries=4)


def test_a_class_that_is_too_small_cannot_be_chosen() -> None:
    chance = torch.Generator().manual_seed(0)
    with pytest.raises(UserError, match="test 0 has 2: choose another class"):
        Ragged().chosen("test", [0, 1], shots=1, queries=3, generator=chance)


def test_equal_classes_are_dealt_as_they_always_were() -> None:
    """The same numbers are drawn whether sizes are given or follow from the tensor."""
    plain, sized = Ragged(), Ragged()
    plain.sizes, sized.sizes = None, {"test": torch.full((5,), 9)}
    task: dict[str, Any] = {"tasks": 3, "ways": 2, "shots": 1, "queries": 2}
    first, second = (
        each.sample("test", **task, generator=torch.Generator().manual_seed(3))
        for each in (plain, sized)
    )
    assert torch.equal(first.support_x, second.support_x)
    assert torch.equal(first.query_x, second.query_x)


def test_colour_is_not_ink() -> None:
    assert not Ragged.inked(torch.zeros(2, 3, 4, 4))
    assert Ragged.described(Config()) == "4 x 4 pixels in colour"
