"""The episodes behind one are gone through a few at a time, and end up as if taken at once."""

import numpy as np
import pytest

from metacore.answers.asked import Asked
from metacore.insight.trace import trace
from metacore.training.learner import Learner, build
from pages.ui.adapt.others import Others
from tests.training.small import small


@pytest.fixture
def learner() -> Learner:
    return build(small("maml", "glyphs"))


def asked(learner: Learner) -> Asked:
    return Asked(dataset=learner.config.dataset, ways=5, shots=1, queries=2, name="glyphs")


def test_many_pieces_are_the_same_as_one(learner: Learner) -> None:
    others = Others(learner, asked(learner), 23, steps=2, norm="support")
    pieces = 0
    while not others.complete:
        others.advance()
        pieces += 1
    assert pieces > 1
    whole = trace(
        learner, asked(learner).numbered(range(23)), steps=2, norm="support", features=False
    )
    assert others.done == others.scores().episodes == 23
    assert np.allclose(others.scores().mean, whole.query_score.mean(1), atol=1e-5)
    assert np.allclose(others.losses().mean, whole.support_loss.mean(1), atol=1e-4)


def test_what_is_complete_stays_as_it_is(learner: Learner) -> None:
    others = Others(learner, asked(learner), 3, steps=1, norm=None)
    others.advance()
    assert others.complete
    others.advance()
    assert others.done == 3
