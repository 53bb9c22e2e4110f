"""Tasks of classes that a person chose, and the pictures to choose them by."""

import pytest
import torch

from metacore.datasets.base import ImageDataset
from metacore.datasets.glyphs import Glyphs
from metacore.errors import UserError
from metacore.randomness import generator
from tests.training.small import TINY_GLYPHS


@pytest.fixture
def glyphs() -> Glyphs:
    return Glyphs(TINY_GLYPHS, torch.device("cpu"))


def drawings_of(dataset: ImageDataset, number: int) -> list[bytes]:
    return [bytes(drawing.flatten().tolist()) for drawing in dataset.images["test"][number]]


def test_a_chosen_task_has_these_classes_in_this_order(glyphs: Glyphs) -> None:
    chosen = [7, 3, 40]
    episode = glyphs.chosen("test", chosen, shots=2, queries=3, generator=generator(0, "test"))
    assert (episode.tasks, episode.ways) == (1, 3)
    assert episode.classes.tolist() == [chosen]
    assert episode.support_y.tolist() == [[0, 0, 1, 1, 2, 2]]
    support = (episode.support_x[0] * 255).round().byte().view(3, 2, -1)
    query = (episode.query_x[0] * 255).round().byte().view(3, 3, -1)
    for label, number in enumerate(chosen):
        dealt = [bytes(p.tolist()) for p in torch.cat([support[label], query[label]])]
        assert len(set(dealt)) == 5
        assert set(dealt) <= set(drawings_of(glyphs, number))


def test_a_chosen_task_is_named_by_its_generator(glyphs: Glyphs) -> None:
    def draw(seed: int) -> torch.Tensor:
        chance = generator(seed, "test")
        return glyphs.chosen("val", [1, 2], shots=1, queries=2, generator=chance).support_x

    assert draw(0).equal(draw(0))
    assert not draw(0).equal(draw(1))


@pytest.mark.parametrize(
    ("classes", "shots", "sentence"),
    [
        ([1, 2, 1], 1, "Class 1 is chosen twice"),
        ([1, 80], 1, "from 0 to 79: there is no class 80"),
        ([-1, 3], 1, "there is no class -1"),
        ([1], 1, "ways must be between 2 and 80"),
        ([1, 2], 20, "shots must be between 1 and 19"),
        ([1, 2], 17, "at most 3 queries"),
    ],
)
def test_an_impossible_choice_is_refused(
    glyphs: Glyphs, classes: list[int], shots: int, sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        glyphs.chosen("test", classes, shots=shots, queries=5, generator=generator(0, "test"))


def test_pictures_are_those_of_the_classes(glyphs: Glyphs) -> None:
    found = glyphs.pictures("test", [5, 0, 5], drawing=2)
    assert (found.shape, found.dtype, found.device.type) == ((3, 1, 28, 28), torch.uint8, "cpu")
    assert found[0].equal(glyphs.images["test"][5, 2])
    assert found[1].equal(glyphs.images["test"][0, 2])
    assert glyphs.pictures("test", []).shape == (0, 1, 28, 28)


def test_pictures_that_are_not_there_are_refused(glyphs: Glyphs) -> None:
    with pytest.raises(UserError, match="drawing must be between 0 and 19"):
        glyphs.pictures("test", [0], drawing=20)
    with pytest.raises(UserError, match="no class 80"):
        glyphs.pictures("test", [80])
    with pytest.raises(UserError, match="split must be one of"):
        glyphs.pictures("exam", [0])
