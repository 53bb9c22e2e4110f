"""The toys are in the registries while a test runs, and runs of them have been trained a little.

Questions are answered in this process: helpers and workers would not know the toys.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from metacore import ALGORITHMS, DATASETS, MODELS, Run, RunConfig, Store, answers, preset
from metacore.algorithms import FAMILIES
from metacore.answers import Here
from metacore.runs import execute
from metacore.training.config import TaskConfig
from tests.cli.conftest import metacore  # noqa: F401  (a fixture)
from tests.extension.toys import (
    FAMILY,
    Blend,
    Flags,
    FlagsConfig,
    GlanceConfig,
    Thermal,
    draw_flags,
)
from tests.pages.conftest import visit  # noqa: F401  (a fixture)


@pytest.fixture(scope="session")
def flags_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_flags(tmp_path_factory.mktemp("flags"))


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(FAMILIES, "calibrated", FAMILY)
    monkeypatch.setitem(ALGORITHMS, Thermal.name, Thermal)
    monkeypatch.setitem(ALGORITHMS, Blend.name, Blend)
    monkeypatch.setitem(DATASETS, Flags.name, Flags)
    monkeypatch.setitem(MODELS, "glance", GlanceConfig)
    before = answers.desk()
    answers.use(Here())
    yield
    answers.use(before)


@pytest.fixture
def flags(flags_folder: Path) -> FlagsConfig:
    return FlagsConfig(folder=str(flags_folder))


def brief(algorithm: str, dataset: FlagsConfig, iterations: int = 6) -> RunConfig:
    """The demo preset, on these flags, for a moment."""
    config = preset(algorithm, "flags", "demo", ways=3)
    settings = {"iterations": iterations, "validate_every": 3, "validation_episodes": 4}
    return config.replace(
        dataset=dataset,
        task=TaskConfig(ways=3, shots=2, queries=2),
        training=replace(config.training, tasks=2, train_ways=0, train_shots=0, **settings),
        device="cpu",
    )


@pytest.fixture
def thermal(flags: FlagsConfig) -> Run:
    return trained(brief("thermal", flags), "warm flags")


@pytest.fixture
def blend(flags: FlagsConfig) -> Run:
    return trained(brief("blend", flags), "mixed flags")


@pytest.fixture
def maml(flags: FlagsConfig) -> Run:
    return trained(brief("maml", flags), "quick flags")


def trained(config: RunConfig, name: str) -> Run:
    store = Store()
    run = execute(store, store.create(config, name))
    assert run.status == "finished", run.message
    return run
