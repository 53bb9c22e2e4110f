"""A store for every test, and runs small enough to train in a second."""

from collections.abc import Callable
from pathlib import Path

import pytest

from metacore.algorithms import ALGORITHMS
from metacore.datasets import DATASETS
from metacore.models import MODELS
from metacore.runs.store import Store
from metacore.training.config import RunConfig, TaskConfig, TrainingConfig

MakeConfig = Callable[..., RunConfig]


@pytest.fixture
def store(home: Path) -> Store:
    """The store of this test's home."""
    return Store(home / "runs")


@pytest.fixture(scope="session")
def make_config() -> MakeConfig:
    """MAML on sine waves: milliseconds per meta-step, with the training settings asked for."""

    def make(**training: float | str) -> RunConfig:
        small = {"iterations": 40, "validate_every": 20, "validation_episodes": 4, "tasks": 2}
        return RunConfig(
            algorithm=ALGORITHMS["maml"].Config(inner_rate=0.01, test_steps=1),
            dataset=DATASETS["sinusoid"].Config(),
            model=MODELS["sine-mlp"](width=8),
            task=TaskConfig(shots=5, queries=5),
            training=TrainingConfig(**{**small, **training}),
            device="cpu",
        )

    return make


@pytest.fixture
def config(make_config: MakeConfig) -> RunConfig:
    return make_config()
