"""What a training will cost, and what a person may want to change about it; see probe.py."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Self

from metacore.training.config import RunConfig

LONG_HOURS = 3.0
FEW_STEPS = 100
LARGE_SHARE = 1 / 3  # of the time, spent on validations
GOOD_SHARE = 0.1


@dataclass(frozen=True)
class Forecast:
    """What a run will take. Where the probe ran out of memory, times it did not reach are 0."""

    device: str  # its name
    kind: str  # cpu, cuda or mps
    memory: int  # bytes at the peak of the probe; at least `available` where that was too little
    available: int  # bytes that were free for it
    fits: bool
    parameters: int = 0  # numbers that are learned
    seconds: float = 0.0  # the whole run: its meta-steps and validations
    iterations: int = 0  # meta-steps the budget has room for
    step_seconds: float = 0.0
    validations: int = 0
    validation_seconds: float = 0.0  # of one
    advice: tuple[str, ...] = ()  # sentences, the most pressing first

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "advice": list(self.advice)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        return cls(**{**values, "advice": tuple(values["advice"])})


def advice(config: RunConfig, forecast: Forecast) -> Iterator[str]:
    """What a person may want to change before starting the run, with the numbers to change."""
    if not forecast.fits:
        yield (
            f"This run needs more memory than the {forecast.available / 1e9:.1f} GB that are free:"
            f" {lighten(config)}."
        )
        return
    if config.algorithm_class.trains and not config.learns:
        yield (
            f"There is nothing to learn before the test: {config.algorithm_class.title} learns its"
            f" network, and all of {config.model_name} stays as it is. The run is done at once."
        )
    if forecast.iterations:
        yield from _on_length(config, forecast)
        yield from _on_validations(config, forecast)


def lighten(config: RunConfig) -> str:
    """Names what a meta-step's weight comes from, as it is set."""
    task = config.training_task()
    wanted = [f"fewer tasks per meta-step (now {config.training.tasks})"]
    wanted.append(f"fewer queries (now {task['queries']})")
    if not config.dataset_class.regression:
        wanted.append(f"fewer ways (now {task['ways']})")
    return f"choose {', '.join(wanted)} or a smaller model"


def _on_length(config: RunConfig, forecast: Forecast) -> Iterator[str]:
    training, hours = config.training, forecast.seconds / 3600
    if forecast.kind == "cpu" and hours > LONG_HOURS:
        in_an_hour = max(1, int(3600 * forecast.iterations / forecast.seconds))
        yield (
            f"This run takes about {hours:.0f} hours on this processor: take the preset demo, which"
            f" is done within a minute, or fewer meta-steps (about {in_an_hour:,} fit in an hour)."
        )
    if training.seconds and forecast.iterations < min(FEW_STEPS, training.iterations or FEW_STEPS):
        yield (
            f"Only about {forecast.iterations} meta-steps fit into {training.seconds:g} seconds:"
            f" give the run more time, or {lighten(config)}."
        )


def _on_validations(config: RunConfig, forecast: Forecast) -> Iterator[str]:
    spent = forecast.validations * forecast.validation_seconds
    share = spent / forecast.seconds if forecast.seconds else 0.0
    if share <= LARGE_SHARE:
        return
    said = f"Validations take {share:.0%} of the time: "
    tasks = f"validate on fewer tasks (now {config.training.validation_episodes})"
    if forecast.validations == 1:
        yield f"{said}{tasks}."
    else:
        yield (
            f"{said}validate every {_sparser(forecast):,} meta-steps instead of every"
            f" {config.training.validate_every:,}, or {tasks}."
        )


def _sparser(forecast: Forecast) -> int:
    """An interval with which validations take a tenth of the time, to two digits."""
    steps = forecast.validation_seconds / forecast.step_seconds * (1 - GOOD_SHARE) / GOOD_SHARE
    unit = 10 ** max(0, math.floor(math.log10(max(steps, 1))) - 1)
    return max(1, math.ceil(steps / unit) * unit)
