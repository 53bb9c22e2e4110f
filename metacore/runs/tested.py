"""The test score that a bundled run comes with: measured once, when it is bundled.

Validation chooses a run's weights, so it flatters them; this is the number to quote. It stands in
`test.json` in the run's folder with all of its protocol, and is believed only if it is whole.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from metacore import strict
from metacore.errors import UserError
from metacore.models.normalisation import NORM_MODES
from metacore.runs.files import read_up_to
from metacore.runs.schema import Score
from metacore.training.checkpoint import Checkpoint
from metacore.training.config import RunConfig
from metacore.training.evaluate import Evaluation, Protocol, evaluate
from metacore.training.learner import build

NAME = "test.json"
EPISODES = 600
LARGEST_BYTES = 4096
METRICS = ("accuracy", "mse")
KEYS = tuple(name for name in Score.__struct_fields__ if name not in METRICS)


@dataclass(frozen=True, kw_only=True)
class Tested(Protocol):
    """A score over fixed episodes, and which they were."""

    metric: str
    mean: float
    ci95: float

    @classmethod
    def of(cls, found: Evaluation) -> Self:
        return cls(metric=found.metric, mean=found.mean, ci95=found.ci95, **vars(found.protocol))

    def to_json(self) -> bytes:
        values = asdict(self)
        values.pop("conversion")  # it is tested on what it was trained for
        score = {values.pop("metric"): values.pop("mean"), "ci95": values.pop("ci95")}
        return json.dumps({**score, **values}, indent=2).encode()


def measure(config: RunConfig, weights: Checkpoint) -> Tested:
    """The score on the test episodes that every run is compared on, by the run's own protocol."""
    learner = build(config, weights.params())
    return Tested.of(evaluate(learner, split="test", episodes=EPISODES, seed=0))


def read_tested(folder: Path) -> Tested | None:
    """What stands in the folder's `test.json`; None where there is no such file."""
    path = folder / NAME
    if not path.exists():
        return None
    what = f"{path} is damaged, it is no test score: it"
    found = strict.read(read_up_to(path, LARGEST_BYTES), Score, what, largest=LARGEST_BYTES)
    scores = [(name, score) for name in METRICS if (score := getattr(found, name)) is not None]
    if len(scores) != 1:
        raise UserError(f"{what} has no score, or two.")
    if found.norm not in ("none", *NORM_MODES):
        raise UserError(f"{what} has no valid norm.")
    metric, mean = scores[0]
    return Tested(metric=metric, mean=mean, **{key: getattr(found, key) for key in KEYS})
