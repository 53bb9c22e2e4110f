"""Every algorithm × dataset, from the registries: trains, evaluates in every mode, is traced."""

import math

import numpy as np
import pytest

from metacore.insight.trace import trace
from metacore.training.evaluate import evaluate
from metacore.training.presets import pairs
from metacore.training.trainer import Trainer
from tests.training.small import small, unlike_pairs


@pytest.mark.parametrize(("algorithm", "dataset"), unlike_pairs())
def test_it_trains_evaluates_and_is_traced(
    algorithm: str, dataset: str, request: pytest.FixtureRequest
) -> None:
    if dataset == "omniglot":
        request.getfixturevalue("omniglot_home")  # skips where its pictures are not at hand
    trainer = Trainer(small(algorithm, dataset, iterations=2))
    before = {name: value.clone() for name, value in trainer.params.items()}
    assert trainer.run() == "finished"
    learner = trainer.learner
    changed = any(not value.equal(before[name]) for name, value in trainer.params.items())
    assert changed is trainer.config.learns

    for norm in learner.algorithm.norms:
        asked = {"norm": norm, "episodes": 4, "queries": 2, "steps": 2, "shots": 2}
        found = evaluate(learner, **asked)
        assert math.isfinite(found.mean)
        assert len(found.values) == found.protocol.episodes == 4
        has_batch_norm = learner.algorithm.network.uses_batch_statistics
        assert found.protocol.norm == (norm if has_batch_norm else "none")

    episode = learner.dataset.episodes("test", ways=5, shots=1, queries=2, seed=0, numbers=range(2))
    recorded = trace(learner, episode, steps=2)
    assert recorded.query_loss.shape == (len(recorded.steps), 2)
    assert np.isfinite(recorded.support_loss).all()


@pytest.mark.parametrize("algorithm", [a for a, d in pairs() if d == "glyphs"])
def test_it_evaluates_for_other_ways(algorithm: str) -> None:
    trainer = Trainer(small(algorithm, "glyphs", iterations=1))
    trainer.run()
    found = evaluate(trainer.learner, ways=8, episodes=3, queries=2, steps=2)
    assert found.protocol.ways == 8
    assert 0 <= found.mean <= 1
