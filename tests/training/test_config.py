"""A run's description survives JSON and refuses nonsense in sentences."""

import json
from dataclasses import replace

import pytest

from metacore.algorithms import ALGORITHMS
from metacore.datasets import DATASETS
from metacore.errors import UserError
from metacore.models import MODELS
from metacore.models.networks import Conv4
from metacore.models.proof import multiplications
from metacore.settings import settings_of
from metacore.training.config import RunConfig, TaskConfig, TrainingConfig
from metacore.training.presets import PRESETS, pairs, preset
from tests.training.small import some_pairs


@pytest.mark.parametrize("level", PRESETS)
@pytest.mark.parametrize(("algorithm", "dataset"), some_pairs())
def test_every_preset_survives_json(algorithm: str, dataset: str, level: str) -> None:
    config = preset(algorithm, dataset, level, seed=3)
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_presets_cover_every_pair_that_makes_sense() -> None:
    sensible = {
        (algorithm, dataset)
        for algorithm, method in ALGORITHMS.items()
        for dataset, source in DATASETS.items()
        if method.regression or not source.regression
    }
    assert set(pairs()) == sensible


def test_no_two_entries_share_a_config_class() -> None:
    """A config says which algorithm, dataset or model it belongs to."""
    for registry in (ALGORITHMS, DATASETS, MODELS):
        kinds = [getattr(entry, "Config", entry) for entry in registry.values()]
        assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize(("algorithm", "dataset"), some_pairs())
def test_flags_of_one_run_never_clash(algorithm: str, dataset: str) -> None:
    config = preset(algorithm, dataset)
    parts = (config.algorithm, config.dataset, config.model, config.task, config.training)
    names = [setting.name for part in parts for setting in settings_of(part)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("level", PRESETS)
@pytest.mark.parametrize(("algorithm", "dataset"), some_pairs())
def test_every_preset_is_repeatable(algorithm: str, dataset: str, level: str) -> None:
    """No budget is in seconds, and validations come out even."""
    for ways in (5, 20):
        training = preset(algorithm, dataset, level, ways=ways).training
        assert training.seconds == 0
        assert training.iterations % training.validate_every == 0


# Meta-steps per second on two idle cores, 5 ways.
RATES = {
    "glyphs": {
        **{"maml": 9.5, "fomaml": 10, "anil": 13.5, "reptile": 9.5},
        **{"protonet": 20, "matching": 19.5, "finetune": 21, "logistic": 21},
    },
    "sinusoid": {"maml": 500, "fomaml": 500, "anil": 500, "finetune": 500, "reptile": 70},
}


@pytest.mark.parametrize("dataset", RATES)
def test_a_demo_takes_less_than_a_minute_on_two_idle_cores(dataset: str) -> None:
    for algorithm, rate in RATES[dataset].items():
        training = preset(algorithm, dataset, "demo").training
        assert 10 < training.iterations / rate < 40, algorithm
        assert 1 < training.validate_every / rate < 6, algorithm


def test_budgets_shrink_where_a_task_is_larger() -> None:
    def budget(algorithm: str, **task: int) -> int:
        return preset(algorithm, "glyphs", "demo", **task).training.iterations

    for algorithm in ("maml", "reptile", "protonet"):
        larger = {"shots": 5} if algorithm == "protonet" else {"ways": 20}
        assert 0.15 * budget(algorithm) < budget(algorithm, **larger) < 0.8 * budget(algorithm)
    assert preset("maml", "glyphs", "paper", shots=5).training.iterations == 60_000


def test_the_paper_preset_of_maml_is_the_published_protocol() -> None:
    config = preset("maml", "omniglot", "paper")
    assert (config.algorithm.inner_rate, config.algorithm.inner_steps) == (0.4, 1)
    assert (config.training.tasks, config.training.iterations) == (32, 60_000)
    assert preset("maml", "omniglot", "paper", ways=20).algorithm.inner_steps == 5


def test_the_paper_preset_of_reptile_is_the_published_protocol() -> None:
    config = preset("reptile", "omniglot", "paper")
    assert (config.training.train_shots, config.training.tasks) == (10, 5)
    assert (config.training.schedule, config.training.learning_rate) == ("linear", 1.0)
    assert (config.algorithm.inner_batch, config.algorithm.test_steps) == (10, 50)


def test_pictures_that_take_longer_get_fewer_meta_steps() -> None:
    def demo(dataset: str) -> int:
        return preset("maml", dataset, "demo").training.iterations

    assert demo("glyphs") == demo("omniglot") == demo("quickdraw")
    assert demo("glyphs") > demo("emoji") > demo("mini-imagenet") >= demo("glyphs") / 5


def test_a_networks_work_is_counted() -> None:
    by_hand = 9 * 64 * 14**2 + 9 * 64 * 64 * (7**2 + 4**2 + 2**2)
    assert multiplications(Conv4(), (1, 28, 28)) == by_hand


@pytest.mark.parametrize("algorithm", ["protonet", "matching"])
def test_a_metric_method_on_a_curve_is_refused(algorithm: str) -> None:
    with pytest.raises(UserError, match="regression task: choose one of maml"):
        preset(algorithm, "sinusoid")
    curve = preset("maml", "sinusoid")
    with pytest.raises(UserError, match="classifies"):
        replace(curve, algorithm=ALGORITHMS[algorithm].Config())


def test_a_model_that_does_not_fit_is_refused_with_those_that_do() -> None:
    with pytest.raises(UserError, match=r"conv4 or conv4-pool or .* or mlp"):
        preset("maml", "glyphs").replace(model=MODELS["sine-mlp"]())


def test_training_ways_that_the_head_cannot_have_are_refused() -> None:
    with pytest.raises(UserError, match="leave train_ways at 0"):
        preset("maml", "glyphs").replace(training=TrainingConfig(train_ways=20))
    preset("protonet", "glyphs").replace(training=TrainingConfig(train_ways=20))


def test_a_run_without_a_budget_is_refused() -> None:
    with pytest.raises(UserError, match="budget"):
        preset("maml", "glyphs").replace(training=TrainingConfig(iterations=0))


@pytest.mark.parametrize("values", [{}, {"algorithm": 3}, {"algorithm": {"name": "magic"}}])
def test_json_that_is_no_run_is_refused(values: dict) -> None:
    with pytest.raises(UserError):
        RunConfig.from_dict({**preset("maml", "glyphs").to_dict(), **values} if values else {})


def test_task_bounds_are_said() -> None:
    with pytest.raises(UserError, match="ways must be between 2 and 100, not 1"):
        TaskConfig(ways=1)
