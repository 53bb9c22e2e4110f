"""The episodes behind one are gone through a few at a time, and end up as if taken at once."""

import numpy as np
import pytest

import metacore as mc
from metacore.answers.asked import Asked
from metacore.answers.questions import Learned, Others
from metacore.insight.trace import trace
from tests.training.small import small


@pytest.fixture
def asked() -> Asked:
    config = small("maml", "glyphs").dataset
    return Asked(dataset=config, ways=5, shots=1, queries=2, name="glyphs")


def others(asked: Asked, total: int) -> Others:
    learned = Learned(small("maml", "glyphs"))
    return Others(learned=learned, asked=asked, steps=2, norm="support", total=total)


def test_many_pieces_are_the_same_as_one(asked: Asked) -> None:
    question, done, pieces = others(asked, 23), 0, []
    while done < 23:
        piece, done = question.some(done, 0.0)
        pieces.append(piece)
    assert len(pieces) > 1
    found = question.joined(pieces)
    learner = mc.build(small("maml", "glyphs"))
    whole = trace(learner, asked.numbered(range(23)), steps=2, norm="support", features=False)
    assert found is not None
    assert found.episodes == found.score_spread().episodes == 23
    assert np.allclose(found.score_spread().mean, whole.query_score.mean(1), atol=1e-5)
    assert np.allclose(found.loss_spread().mean, whole.support_loss.mean(1), atol=1e-4)


def test_a_piece_takes_as_many_as_there_is_time_for(asked: Asked) -> None:
    _, few = others(asked, 100).some(0, 0.0)
    _, every = others(asked, 30).some(10, 60.0)
    assert few < 30
    assert every == 30
