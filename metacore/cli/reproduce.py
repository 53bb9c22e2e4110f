"""The way back: from a run's config to the command that trains it again."""

import shlex
from typing import Any

from metacore.models import MODELS
from metacore.settings import Config, settings_of
from metacore.training.config import RunConfig
from metacore.training.differences import nearest_preset
from metacore.training.presets import preset

BUDGET = ("iterations", "seconds")  # where one is given, it replaces both of the preset's


def command_line(config: RunConfig, name: str | None = None) -> str:
    """`metacore train …`: the closest preset, and a flag for whatever differs from it."""
    algorithm, dataset = config.algorithm_class.name, config.dataset_class.name
    level, usual = nearest_preset(config)
    words = ["metacore", "train", "--algorithm", algorithm, "--dataset", dataset]
    words += ["--preset", level]
    model = usual.model
    if type(config.model) is not type(model):
        words += ["--model", config.model_name]
        model = MODELS[config.model_name]()
    words += _flags(config.task, preset(algorithm, dataset, level).task)
    words += _flags(config.algorithm, usual.algorithm)
    words += _flags(config.dataset, usual.dataset)
    words += _flags(config.model, model)
    words += _budget(config, usual)
    words += _flags(config.training, usual.training, besides=BUDGET)
    words += _flag("seed", config.seed) if config.seed else []
    words += _flag("device", config.device) if config.device != "auto" else []
    words += _flag("name", name) if name else []
    return shlex.join(words)


def _budget(config: RunConfig, usual: RunConfig) -> list[str]:
    training = config.training
    if all(getattr(training, name) == getattr(usual.training, name) for name in BUDGET):
        return []
    given = [name for name in BUDGET if getattr(training, name)] or ["iterations"]
    return [word for name in given for word in _flag(name, getattr(training, name))]


def _flags(config: Config, usual: Config, besides: tuple[str, ...] = ()) -> list[str]:
    words: list[str] = []
    for setting in settings_of(config):
        value = getattr(config, setting.name)
        if setting.name not in besides and value != getattr(usual, setting.name):
            words += _flag(setting.name, value)
    return words


def _flag(name: str, value: Any) -> list[str]:
    """A value that looks like a flag is tied to its own."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return [f"--{flag}" if value else f"--no-{flag}"]
    text = repr(value) if isinstance(value, float) else str(value)
    return [f"--{flag}={text}"] if text.startswith("-") else [f"--{flag}", text]
