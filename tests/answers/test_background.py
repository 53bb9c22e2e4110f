"""The episodes behind one are gone through a few at a time, and end up as if taken at once."""

import numpy as np
import pytest

import metacore as mc
from metacore.answers.episode_spec import EpisodeSpec
from metacore.answers.questions import BackgroundEpisodes, Learned
from metacore.insight.spread import spread
from metacore.insight.trace import trace
from tests.training.small import small


@pytest.fixture
def spec() -> EpisodeSpec:
    config = small("maml", "glyphs").dataset
    return EpisodeSpec(dataset=config, ways=5, shots=1, queries=2, name="glyphs")


def background(spec: EpisodeSpec, total: int) -> BackgroundEpisodes:
    learned = Learned(small("maml", "glyphs"))
    return BackgroundEpisodes(learned=learned, spec=spec, steps=2, norm="support", total=total)


def test_many_pieces_are_the_same_as_one(spec: EpisodeSpec) -> None:
    question, done, pieces = background(spec, 23), 0, []
    while done < 23:
        piece, done = question.some(done, 0.0)
        pieces.append(piece)
    assert len(pieces) > 1
    found = question.joined(pieces)
    learner = mc.build(small("maml", "glyphs"))
    whole = trace(learner, spec.numbered(range(23)), steps=2, norm="support", features=False)
    assert found is not None
    assert found.episodes == spread(found.scores).episodes == 23
    assert np.allclose(spread(found.scores).mean, whole.query_score.mean(1), atol=1e-5)
    assert np.allclose(spread(found.losses).mean, whole.support_loss.mean(1), atol=1e-4)


def test_a_piece_takes_as_many_as_there_is_time_for(spec: EpisodeSpec) -> None:
    _, few = background(spec, 100).some(0, 0.0)
    _, every = background(spec, 30).some(10, 60.0)
    assert few < 30
    assert every == 30
