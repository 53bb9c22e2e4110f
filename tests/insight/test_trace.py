"""A trace records what adaptation does, and agrees with evaluation on the same episodes."""

import numpy as np
import pytest

from metacore.datasets.regression import GRID_POINTS
from metacore.insight.trace import trace
from metacore.training.evaluate import evaluate
from metacore.training.learner import build
from tests.training.small import small

EPISODES, WAYS, SHOTS, QUERIES, STEPS = 3, 5, 2, 4, 4


def traced(algorithm: str, dataset: str = "glyphs", **options: object) -> tuple:
    learner = build(small(algorithm, dataset))
    ways = 1 if dataset == "sinusoid" else WAYS
    episode = learner.dataset.episodes(
        "test", ways=ways, shots=SHOTS, queries=QUERIES, seed=0, numbers=range(EPISODES)
    )
    return learner, trace(learner, episode, steps=STEPS, **options)


@pytest.mark.parametrize("algorithm", ["maml", "anil", "reptile", "finetune", "scratch"])
def test_every_inner_step_is_recorded(algorithm: str) -> None:
    _, found = traced(algorithm)
    assert found.steps == list(range(STEPS + 1))
    assert found.support_loss.shape == found.query_score.shape == (STEPS + 1, EPISODES)
    assert found.query_probabilities.shape == (STEPS + 1, EPISODES, WAYS * QUERIES, WAYS)
    assert np.allclose(found.query_probabilities.sum(-1), 1, atol=1e-5)
    assert found.support_features.shape[:3] == (STEPS + 1, EPISODES, WAYS * SHOTS)
    for norms in found.update_norms.values():
        assert norms.shape == (STEPS, EPISODES)


@pytest.mark.parametrize(
    ("algorithm", "moving"), [("anil", {"head"}), ("maml", {"conv1", "norm4", "head"})]
)
def test_update_norms_tell_which_layers_moved(algorithm: str, moving: set) -> None:
    _, found = traced(algorithm)
    moved = {layer for layer, norms in found.update_norms.items() if norms.max() > 0}
    assert moving <= moved
    assert algorithm != "anil" or moved == {"head"}


@pytest.mark.parametrize("algorithm", ["maml", "protonet", "reptile"])
def test_the_scores_are_those_of_the_evaluation(algorithm: str) -> None:
    learner, found = traced(algorithm)
    asked = {"shots": SHOTS, "queries": QUERIES, "steps": STEPS, "episodes": EPISODES}
    values = evaluate(learner, ways=WAYS, **asked).values.numpy()
    assert np.allclose(found.query_score[-1], values, atol=1e-6)


def test_curves_bend_on_a_grid() -> None:
    _, found = traced("maml", "sinusoid")
    assert found.metric == "mse"
    assert found.grid.shape == (GRID_POINTS,)
    assert found.curves.shape == (STEPS + 1, EPISODES, GRID_POINTS)
    assert not np.allclose(found.curves[0], found.curves[-1])


def test_a_prototype_is_the_mean_of_its_class() -> None:
    _, found = traced("protonet")
    view = found.explained
    by_class = view.support.reshape(EPISODES, WAYS, SHOTS, -1)
    assert np.allclose(view.prototypes, by_class.mean(2), atol=1e-5)
    gaps = view.query[:, :, None] - view.prototypes[:, None]
    assert np.allclose(view.distances, (gaps**2).sum(-1), rtol=1e-3, atol=1e-3)
    nearest = view.distances.argmin(-1)
    assert np.array_equal(nearest, found.query_probabilities[-1].argmax(-1))


def test_attention_is_a_distribution_over_the_support_set() -> None:
    _, found = traced("matching")
    view = found.explained
    assert view.attention.shape == (EPISODES, WAYS * QUERIES, WAYS * SHOTS)
    assert np.allclose(view.attention.sum(-1), 1, atol=1e-5)


def test_features_can_be_left_out() -> None:
    _, found = traced("maml", features=False)
    assert found.support_features is None
    assert found.query_features is None


def test_the_norm_mode_is_recorded_and_matters() -> None:
    _, transductive = traced("maml", norm="transductive")
    _, support = traced("maml", norm="support")
    assert (transductive.norm, support.norm) == ("transductive", "support")
    assert not np.allclose(transductive.query_loss, support.query_loss)
