"""Every model with every algorithm it fits, from the registries: a meta-step, an adaptation."""

from dataclasses import fields, replace

import pytest
import torch

from metacore.algorithms import ALGORITHMS
from metacore.datasets import DATASETS
from metacore.models import MODELS
from metacore.training.config import fitting_models
from metacore.training.evaluate import evaluate
from metacore.training.presets import pairs
from metacore.training.trainer import Trainer
from tests.training.small import small

CASES = [
    (algorithm, dataset, model)
    for algorithm, dataset in pairs()
    if dataset in ("glyphs", "sinusoid")
    for model in fitting_models(ALGORITHMS[algorithm], DATASETS[dataset])
]


@pytest.mark.parametrize(("algorithm", "dataset", "model"), CASES)
def test_it_takes_a_meta_step_and_adapts(algorithm: str, dataset: str, model: str) -> None:
    kind = MODELS[model]
    smallest = {"width": 4, "input_size": 32}
    narrow = {name: smallest[name] for name in smallest if name in {f.name for f in fields(kind)}}
    config = small(algorithm, dataset, iterations=1, tasks=2, validation_episodes=2)
    config = config.replace(model=kind(**narrow))
    config = config.replace(training=replace(config.training, train_queries=2))
    trainer = Trainer(config)
    before = {name: value.clone() for name, value in trainer.params.items()}
    assert trainer.run() == "finished"
    learned = trainer.learner.algorithm.parts.learned(trainer.params)
    assert all(value.isfinite().all() for value in learned.values())
    moved = any(not torch.equal(value, before[name]) for name, value in learned.items())
    assert moved is config.learns
    found = evaluate(trainer.learner, episodes=2, queries=2, steps=1)
    assert found.values.isfinite().all()
    assert found.protocol.norm == next(iter(config.norms), "none")
