"""The test score that a run on a shelf comes with: measured once, when it is placed there.

Validation chooses a run's weights, so it flatters them; this is the number to quote. It stands in
`test.json` in the run's folder with all of its protocol, and is believed only if it is whole.
"""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from metacore.errors import UserError
from metacore.models.normalisation import NORM_MODES
from metacore.training.checkpoint import Checkpoint
from metacore.training.config import RunConfig
from metacore.training.evaluate import Evaluation, evaluate
from metacore.training.learner import build

NAME = "test.json"
EPISODES = 600
LARGEST_BYTES = 4096
METRICS = ("accuracy", "mse")
COUNTS = ("ways", "shots", "queries", "steps", "episodes", "seed")
KEYS = {"ci95", "dataset", "split", "norm", *COUNTS}
LARGEST_COUNT = 2**31


@dataclass(frozen=True)
class Tested:
    """A score over fixed episodes, and which they were."""

    metric: str
    mean: float
    ci95: float
    dataset: str
    split: str
    ways: int
    shots: int
    queries: int
    steps: int
    norm: str
    episodes: int
    seed: int

    @classmethod
    def of(cls, evaluation: Evaluation) -> Self:
        protocol = asdict(evaluation.protocol)
        return cls(evaluation.metric, evaluation.mean, evaluation.ci95, **protocol)

    def to_json(self) -> bytes:
        values = asdict(self)
        return json.dumps({values.pop("metric"): values.pop("mean"), **values}, indent=2).encode()


def measure(config: RunConfig, weights: Checkpoint) -> Tested:
    """The score on the test episodes that every run is compared on, by the run's own protocol."""
    learner = build(config, weights.params())
    return Tested.of(evaluate(learner, split="test", episodes=EPISODES, seed=0))


def read_tested(folder: Path) -> Tested | None:
    """What stands in the folder's `test.json`; None where there is no such file."""
    path = folder / NAME
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    try:
        return _checked(json.loads(data) if len(data) <= LARGEST_BYTES else None)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise UserError(f"{path} is damaged: it is no test score.") from None


def _checked(found: Any) -> Tested:
    """Raises where the file is not what `to_json` writes."""
    metrics = [name for name in METRICS if name in found]
    if len(metrics) != 1 or set(found) != {*metrics, *KEYS}:
        raise ValueError("other keys")
    mean, highest = found.pop(metrics[0]), 1.0 if metrics[0] == "accuracy" else math.inf
    if not (_number(mean) and _number(found["ci95"]) and mean <= highest):
        raise ValueError("no score")
    if any(type(found[name]) is not int for name in COUNTS):
        raise ValueError("no whole numbers")
    if not all(0 <= found[name] <= LARGEST_COUNT for name in COUNTS):
        raise ValueError("no such numbers")
    if found["split"] != "test" or found["norm"] not in ("none", *NORM_MODES):
        raise ValueError("no such protocol")
    if not isinstance(found["dataset"], str):
        raise TypeError("no dataset")
    return Tested(metric=metrics[0], mean=mean, **found)


def _number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and value >= 0
