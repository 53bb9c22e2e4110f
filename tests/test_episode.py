"""Episodes: slices and stacks keep every part in step."""

import pytest
import torch

from metacore.datasets.regression import Sinusoid, SinusoidConfig
from metacore.episode import Episode, stack
from metacore.randomness import generator

NAMES = ("support_x", "support_y", "query_x", "query_y", "classes")


@pytest.fixture
def episode() -> Episode:
    """Seven tasks whose every number says which task it is of."""
    task = torch.arange(7)
    return Episode(
        support_x=task[:, None, None].expand(7, 6, 4).float(),
        support_y=task[:, None].expand(7, 6),
        query_x=task[:, None, None].expand(7, 9, 4).float(),
        query_y=task[:, None].expand(7, 9),
        ways=3,
        classes=task[:, None].expand(7, 3),
    )


def test_a_slice_has_its_tasks_only(episode: Episode) -> None:
    piece = episode[2:5]
    assert (piece.tasks, piece.ways, piece.regression) == (3, 3, False)
    for name in NAMES:
        assert getattr(piece, name).flatten(1)[:, 0].tolist() == [2, 3, 4]


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_pieces_put_together_are_the_whole(episode: Episode, size: int) -> None:
    pieces = list(episode.split(size))
    assert max(piece.tasks for piece in pieces) == min(size, 7)
    whole = stack(pieces)
    assert all(getattr(whole, name).equal(getattr(episode, name)) for name in NAMES)


def test_curves_have_no_classes() -> None:
    curves = Sinusoid(SinusoidConfig(), torch.device("cpu")).sample(
        "train", tasks=4, shots=5, queries=2, generator=generator(0, "test")
    )
    assert curves.regression
    assert stack(list(curves.split(3))).classes is None
    assert curves[1:2].support_x.shape == (1, 5, 1)


def test_a_generator_is_named_by_all_three() -> None:
    def draw(*name: int | str) -> int:
        return int(torch.randint(2**62, (), generator=generator(*name)))  # type: ignore[arg-type]

    names = [(0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1), (10, "a", 0), (1, "0/a", 0)]
    assert len({draw(*name) for name in names}) == len(names)
    assert draw(0, "a", 0) == draw(0, "a", 0)
