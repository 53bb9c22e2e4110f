"""What sets a config apart: from the preset it is closest to, or from the runs beside it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metacore.settings import settings_of
from metacore.training.config import RunConfig
from metacore.training.presets import preset

PARTS = ("algorithm", "dataset", "model", "task", "training")
LEVELS = ("good", "demo", "paper")  # where several are equally close, the first


@dataclass(frozen=True)
class Difference:
    """One setting and its value in each config; None where a config has no such setting."""

    part: str  # one of PARTS, or "run"
    name: str
    label: str
    values: tuple[Any, ...]


def described(config: RunConfig) -> list[Difference]:
    """Every setting of one config, part by part."""
    return [
        Difference(part, name, label, (value,))
        for (part, name), (label, value) in _flat(config).items()
    ]


def between(configs: Sequence[RunConfig]) -> list[Difference]:
    """The settings in which the configs are not all alike."""
    flat = [_flat(config) for config in configs]
    keys = dict.fromkeys(key for settings in flat for key in settings)
    rows = []
    for part, name in sorted(keys, key=lambda key: (*PARTS, "run").index(key[0])):
        found = [settings.get((part, name)) for settings in flat]
        label = next(entry[0] for entry in found if entry is not None)
        values = tuple(None if entry is None else entry[1] for entry in found)
        if any(value != values[0] for value in values):
            rows.append(Difference(part, name, label, values))
    return rows


def nearest_preset(config: RunConfig) -> tuple[str, RunConfig]:
    """The preset that needs the fewest changes to become the config, for the same task."""
    found = {level: _preset(config, level) for level in LEVELS}
    level = min(found, key=lambda name: len(between([config, found[name]])))
    return level, found[level]


def _preset(config: RunConfig, level: str) -> RunConfig:
    return preset(
        config.algorithm_class.name,
        config.dataset_class.name,
        level,
        ways=config.task.ways,
        shots=config.task.shots,
        seed=config.seed,
        device=config.device,
    )


def _flat(config: RunConfig) -> dict[tuple[str, str], tuple[str, Any]]:
    """Label and value of each setting, by its part and name."""
    values = config.to_dict()
    flat: dict[tuple[str, str], tuple[str, Any]] = {}
    for part in PARTS:
        if "name" in values[part]:
            flat[part, "name"] = (part.capitalize(), values[part]["name"])
        for setting in settings_of(getattr(config, part)):
            flat[part, setting.name] = (setting.label, values[part][setting.name])
    flat["run", "seed"] = ("Seed", config.seed)
    flat["run", "device"] = ("Device", config.device)
    return flat
