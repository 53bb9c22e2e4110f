"""A run's command, read as the command line reads it, is the run again."""

import shlex
from dataclasses import replace
from typing import Any

import pytest

from metacore.algorithms import ALGORITHMS
from metacore.cli.flags import Parser, add_run_flags, run_config
from metacore.cli.reproduce import command_line
from metacore.datasets import DATASETS
from metacore.models import MODELS
from metacore.settings import Config, Setting, settings_of
from metacore.training.config import RunConfig
from metacore.training.presets import PRESETS, pairs, preset
from tests.training.small import ALIKE, some_pairs, unlike_pairs


def read(line: str) -> tuple[RunConfig, str | None]:
    program, verb, *words = shlex.split(line)
    assert (program, verb) == ("metacore", "train")
    parser = Parser(prog="metacore train")
    parser.add_argument("--name")
    add_run_flags(parser, words)
    arguments = parser.parse_args(words)
    return run_config(arguments), arguments.name


@pytest.mark.parametrize(("algorithm", "dataset"), some_pairs())
@pytest.mark.parametrize("level", PRESETS)
def test_a_presets_command_needs_nothing_else(algorithm: str, dataset: str, level: str) -> None:
    config = preset(algorithm, dataset, level)
    line = command_line(config)
    assert read(line) == (config, None)
    assert line.count("--") == 3


@pytest.mark.parametrize(("ways", "shots"), [(2, 1), (20, 5), (60, 20)])
@pytest.mark.parametrize(("algorithm", "dataset"), some_pairs())
def test_another_task_is_repeated(algorithm: str, dataset: str, ways: int, shots: int) -> None:
    config = preset(algorithm, dataset, "demo", ways=ways, shots=shots)
    assert read(command_line(config))[0] == config


def another(setting: Setting, value: Any) -> Any:
    """A value of this setting that is not the given one."""
    if setting.choices:
        return next(choice for choice in setting.choices if choice != value)
    if setting.type is bool:
        return not value
    if setting.type is str:
        return f"{value} x"
    low = setting.low or 0
    nudged = value + 1 if setting.type is int else value * 0.9 + 0.0123
    return nudged if setting.high is None or nudged <= setting.high else setting.type(low)


def changes(config: RunConfig) -> list[RunConfig]:
    """The config with each of its settings changed, one at a time."""
    found = []
    for part in ("algorithm", "dataset", "model", "task", "training"):
        settings: Config = getattr(config, part)
        for setting in settings_of(settings):
            if setting.name in ("train_ways", "ways"):
                continue  # tied to each other for some algorithms; tasks are tested above
            value = another(setting, getattr(settings, setting.name))
            found.append(config.replace(**{part: replace(settings, **{setting.name: value})}))
    return found


@pytest.mark.parametrize(("algorithm", "dataset"), unlike_pairs())
def test_every_setting_is_repeated(algorithm: str, dataset: str) -> None:
    for config in changes(preset(algorithm, dataset, "demo")):
        assert read(command_line(config))[0] == config


@pytest.mark.parametrize("dataset", [name for name in DATASETS if name not in ALIKE])
@pytest.mark.parametrize("model", MODELS)
def test_another_model_is_repeated(dataset: str, model: str) -> None:
    kind = MODELS[model]
    if kind.regression != DATASETS[dataset].regression:
        return
    algorithm = next(name for name in ALGORITHMS if (name, dataset) in pairs())
    for config in changes(preset(algorithm, dataset).replace(model=kind())):
        assert read(command_line(config))[0] == config


@pytest.mark.parametrize(("iterations", "seconds"), [(50, 0.0), (0, 12.5), (50, 12.5)])
def test_budgets_are_repeated(iterations: int, seconds: float) -> None:
    for level in PRESETS:
        config = preset("maml", "sinusoid", level)
        budget = replace(config.training, iterations=iterations, seconds=seconds)
        assert read(command_line(config.replace(training=budget)))[0].training == budget


def test_a_run_without_training_needs_no_budget() -> None:
    config = preset("scratch", "glyphs")
    config = config.replace(training=replace(config.training, iterations=0))
    assert read(command_line(config))[0] == config


def test_seed_and_device_are_repeated() -> None:
    config = preset("maml", "glyphs", seed=2**62 + 1, device="cuda:1")
    assert read(command_line(config))[0] == config


@pytest.mark.parametrize("name", ["wave", "my run; rm -rf /", "--name", "-1", 'it\'s "ü" $HOME'])
def test_any_name_is_quoted(name: str) -> None:
    assert read(command_line(preset("maml", "sinusoid"), name))[1] == name
