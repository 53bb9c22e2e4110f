"""In its own space a metric method answers as it does in an episode, whatever it is given."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from metacore import RunConfig, UserError
from metacore.algorithms import ALGORITHMS
from metacore.datasets.glyphs import GlyphsConfig
from metacore.episode import Episode
from metacore.insight.space import Space, space
from metacore.insight.trace import Explained, trace
from metacore.models.networks import Conv4
from metacore.training.learner import Learner, build

WAYS, SHOTS, QUERIES = 3, 3, 4


def made(algorithm: str, **settings: object) -> Learner:
    data = GlyphsConfig(train_classes=20, test_classes=20, drawings=8, rotations=False)
    config = ALGORITHMS[algorithm].Config(**settings)
    return build(RunConfig(algorithm=config, dataset=data, model=Conv4(width=8)))


def episode(learner: Learner) -> Episode:
    return learner.dataset.episodes(
        "test", ways=WAYS, shots=SHOTS, queries=QUERIES, seed=1, numbers=range(1)
    )


def seen(learner: Learner, task: Episode) -> Explained:
    view = trace(learner, task, features=False).explained
    assert view is not None
    return view


def spaced(learner: Learner, task: Episode, **more: str) -> Space:
    view = seen(learner, task)
    return space(learner, view.support[0], task.support_y[0].numpy(), WAYS, **more)


@pytest.mark.parametrize("algorithm", ["protonet", "matching"])
def test_it_answers_as_the_method_does_in_an_edited_episode(algorithm: str) -> None:
    learner = made(algorithm)
    whole = episode(learner)
    edited = whole.edited([4], {0: 1})
    expected = trace(learner, edited, features=False).query_probabilities
    assert expected is not None
    view = seen(learner, whole)
    kept = [index for index in range(WAYS * SHOTS) if index != 4]
    labels = edited.support_y[0].numpy()
    inside = space(learner, view.support[0][kept], labels, WAYS)
    np.testing.assert_allclose(inside.probabilities(view.query[0]), expected[0, 0], atol=1e-5)
    assert (inside.decide(view.query[0]) == expected[0, 0].argmax(1)).all()


def test_another_distance_is_that_of_a_run_configured_so() -> None:
    learner = made("protonet")
    task = episode(learner)
    cosine = replace(learner, algorithm=made("protonet", distance="cosine").algorithm)
    expected = trace(cosine, task, features=False).query_probabilities
    assert expected is not None
    found = spaced(learner, task, distance="cosine").probabilities(seen(learner, task).query[0])
    np.testing.assert_allclose(found, expected[0, 0], atol=1e-5)


def test_distances_are_lengths_to_the_prototypes() -> None:
    learner = made("protonet")
    task = episode(learner)
    view = seen(learner, task)
    inside = spaced(learner, task)
    assert view.distances is not None
    found = inside.distances(view.query[0])
    np.testing.assert_allclose(found, np.sqrt(view.distances[0]), rtol=1e-3, atol=1e-4)
    assert inside.attention(view.query[0]) is None


def test_matching_has_attention_and_no_prototypes() -> None:
    learner = made("matching")
    task = episode(learner)
    view = seen(learner, task)
    inside = spaced(learner, task)
    assert view.attention is not None
    np.testing.assert_allclose(inside.attention(view.query[0]), view.attention[0], atol=1e-6)
    assert inside.prototypes is None
    assert inside.distances(view.query[0]) is None
    assert inside.distance == "cosine"


def test_a_support_drawing_is_nearest_to_itself() -> None:
    learner = made("protonet")
    inside = spaced(learner, episode(learner))
    (first, distance), second = inside.nearest(inside.support[5], 2)
    assert first == 5
    assert distance == pytest.approx(0, abs=1e-3)
    assert second[1] > 0


def test_a_method_with_an_inner_loop_has_no_such_space() -> None:
    learner = made("maml")
    with pytest.raises(UserError, match="does not answer by distances"):
        space(learner, torch.zeros(2, 4).numpy(), [0, 1], 2)
