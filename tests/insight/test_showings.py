"""Accuracy by showing, and what a memory did with one episode."""

import numpy as np
import pytest
import torch

from metacore.algorithms.base import Stream
from metacore.datasets.glyphs import Glyphs
from metacore.episode import Episode
from metacore.insight import showings
from metacore.training.learner import Learner, build
from tests.training.small import TINY_GLYPHS, small


class Oracle:
    """Knows a label from its second showing on, and says 0 at the first."""

    def stream(self, params: object, episode: Episode, *, norm: str | None = None) -> Stream:
        known = torch.where(episode.rank() > 0, episode.support_y, 0)
        logits = torch.nn.functional.one_hot(known, episode.ways).float()
        nothing = torch.zeros(0)
        return Stream(logits, nothing, nothing)


@pytest.fixture
def learner() -> Learner:
    return build(small("memory", "glyphs"))


def test_accuracy_is_counted_by_showing(learner: Learner) -> None:
    learner.algorithm = Oracle()  # type: ignore[assignment]  # all that is asked of it is a stream
    source = Glyphs(TINY_GLYPHS, torch.device("cpu"))
    found = showings.streams(learner, source, ways=5, numbers=range(3))
    assert found.right.shape == (3, showings.MOST)
    assert np.allclose(found.right[:, 0], 1 / 5)  # one class of five is 0
    assert (found.right[:, 1:] == 1).all()
    assert found.means()[0] == pytest.approx((0.2, 0.0), abs=1e-7)


def test_a_stream_is_the_same_in_whatever_company(learner: Learner) -> None:
    source = Glyphs(TINY_GLYPHS, torch.device("cpu"))
    both = showings.streams(learner, source, ways=5, numbers=range(2)).right
    second = showings.streams(learner, source, ways=5, numbers=range(1, 2)).right
    assert np.allclose(both[1:], second)


def test_an_episode_is_looked_into_drawing_by_drawing(learner: Learner) -> None:
    episode = learner.dataset.episodes("test", ways=5, shots=1, queries=2, seed=0, numbers=range(1))
    found = showings.remembered(learner, episode)
    reads, slots = learner.config.algorithm.heads, learner.config.algorithm.slots
    assert found.drawings.shape == (15, 1, 28, 28)
    assert np.bincount(found.labels).tolist() == [3] * 5
    assert found.looked.shape == (15, reads, 15)
    assert found.held.shape == (15, slots, 15)
    later = np.triu(np.ones((15, 15), bool))
    assert (found.looked.swapaxes(0, 1)[:, later] == 0).all(), "nobody looks at what comes later"
    assert (found.held.sum(-1)[-1] > 0.5).any()


@pytest.mark.parametrize(("ways", "best"), [(2, 0.75), (5, 137 / 300)])
def test_the_best_at_a_first_showing_is_to_leave_out_what_is_taken(ways: int, best: float) -> None:
    """(1/5 + 1/4 + 1/3 + 1/2 + 1) / 5 = 137/300."""
    assert showings.by_elimination(ways) == pytest.approx(best)
