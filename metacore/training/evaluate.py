"""How good a learner is: over fixed test episodes, with its uncertainty and its protocol.

The episodes are named by (seed, split, number), so every algorithm meets the same ones. Nothing is
left out of a mean: a regression task that diverged makes it large or infinite, and the median and
the share of such tasks stand beside it.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from metacore.algorithms.base import Predictor, task_scores
from metacore.capacity import suited_threads, weight
from metacore.datasets.base import Dataset
from metacore.device import synchronize
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.models.normalisation import resolve
from metacore.statistics import PairedDifference, finite, mean_ci95, paired_difference
from metacore.training.config import refuse_other_inputs
from metacore.training.conversion import conversion, seen_by
from metacore.training.learner import Learner

DIVERGED_MSE = 100.0  # eight times the error of always answering 0 to the largest sine wave


@dataclass(frozen=True)
class StepScore:
    """The score after some inner steps, over all episodes."""

    step: int
    mean: float
    ci95: float
    median: float
    diverged: float  # share of episodes; 0 for accuracies


@dataclass(frozen=True)
class Protocol:
    """What was asked: every reported number carries it."""

    dataset: str
    split: str
    ways: int
    shots: int
    queries: int
    steps: int  # 0 where adaptation is a single computation, whatever was asked for
    norm: str
    episodes: int
    seed: int
    conversion: str = ""  # what pictures of another kind or size were turned into

    @property
    def task(self) -> dict[str, int]:
        return {"ways": self.ways, "shots": self.shots, "queries": self.queries}


@dataclass(frozen=True)
class Evaluation:
    metric: str  # accuracy or mse
    mean: float
    ci95: float
    median: float
    diverged: float
    protocol: Protocol
    per_step: tuple[StepScore, ...]
    values: Tensor  # [E] the score of each episode after the last step
    seconds: float

    def better_than(self, other: float) -> bool:
        return self.mean > other if self.metric == "accuracy" else self.mean < other

    def to_dict(self) -> dict[str, Any]:
        """Flat and JSON-ready, under the names the command line prints; inf and NaN become None."""
        return {
            self.metric: finite(self.mean),
            "ci95": finite(self.ci95),
            "median": finite(self.median),
            "diverged": self.diverged,
            **asdict(self.protocol),
            "seconds": round(self.seconds, 3),
            "per_step": [
                {key: finite(value) for key, value in asdict(score).items()}
                for score in self.per_step
            ],
        }


def evaluate(
    learner: Learner,
    *,
    dataset: Dataset | None = None,
    split: str = "test",
    ways: int | None = None,
    shots: int | None = None,
    queries: int | None = None,
    steps: int | None = None,
    norm: str | None = None,
    episodes: int = 600,
    seed: int = 0,
    convert: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """The learner's score on `episodes` fixed tasks; what is not given is as it was trained.

    With `convert`, pictures of another kind or size than the learner's are turned into such.
    `progress` hears how many episodes are done.
    """
    dataset = dataset or learner.dataset
    refuse_other_inputs(learner.config, dataset.config, convert=convert)
    algorithm, task = learner.algorithm, learner.config.task
    protocol = Protocol(
        dataset=dataset.name,
        split=split,
        ways=1 if dataset.regression else _or(ways, task.ways),
        shots=_or(shots, task.shots),
        queries=_or(queries, task.queries),
        steps=_or(steps, algorithm.test_steps) if algorithm.in_steps else 0,
        norm=resolve(norm, algorithm.norms, algorithm.network),
        episodes=episodes,
        seed=seed,
        conversion=conversion(learner.config, dataset.config),
    )
    _check(protocol)
    start = time.perf_counter()
    columns: list[dict[int, Tensor]] = []
    with suited_threads(small=dataset.regression):
        for numbers in _numbers(protocol, learner):
            asked = dataset.episodes(split, **protocol.task, seed=seed, numbers=numbers)
            columns.append(_scores(learner, seen_by(learner, dataset, asked), protocol))
            if progress:
                progress(numbers.stop)
    by_step = {step: torch.cat([c[step] for c in columns]).cpu() for step in columns[0]}
    synchronize(learner.device)
    return _summary(by_step, protocol, dataset.regression, time.perf_counter() - start)


def compare(names: list[str], evaluations: list[Evaluation]) -> list[PairedDifference]:
    """Every pair of runs evaluated on the same episodes."""
    for evaluation in evaluations[1:]:
        first, other = evaluations[0].protocol, evaluation.protocol
        shared = ("dataset", "split", "ways", "shots", "queries", "episodes", "seed")
        if any(getattr(first, name) != getattr(other, name) for name in shared):
            raise UserError("Runs can only be compared on the same episodes.")
    return [
        paired_difference(
            names[i],
            names[j],
            evaluations[i].values,
            evaluations[j].values,
            accuracy=evaluations[i].metric == "accuracy",
        )
        for i in range(len(names))
        for j in range(i + 1, len(names))
    ]


SHOWN = (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 100, 200, 500, 1000)


def steps_shown(steps: int) -> list[int]:
    """The inner steps worth a point on a curve: dense at the start, and always the last."""
    return sorted({step for step in SHOWN if step < steps} | {steps})


def at_steps(predictors: Iterator[Predictor], wanted: list[int]) -> Iterator[tuple[int, Predictor]]:
    """The predictors after the wanted steps; where there is only one, it counts as the last."""
    last = None
    for step, predictor in enumerate(predictors):
        last = (step, predictor)
        if step in wanted:
            yield last
    if last is not None and last[0] not in wanted:
        yield last


def _or(value: int | None, default: int) -> int:
    return default if value is None else value


def _check(protocol: Protocol) -> None:
    if not 2 <= protocol.episodes <= 100_000:
        raise UserError(f"episodes must be between 2 and 100000, not {protocol.episodes}.")
    if not 0 <= protocol.steps <= 1000:
        raise UserError(f"steps must be between 0 and 1000, not {protocol.steps}.")
    if protocol.queries < 1:
        raise UserError(f"queries must be at least 1, not {protocol.queries}.")


def _numbers(protocol: Protocol, learner: Learner) -> Iterator[range]:
    """Episode numbers in groups small enough for the device."""
    queries, support = protocol.ways * protocol.queries, protocol.ways * protocol.shots
    images = queries * (support + 1) if protocol.norm == "support+query" else queries + support
    limit = 600 if learner.device.type == "cpu" else 20_000
    heavy = weight(learner.config.input_shape)
    size = max(1, min(int(limit / heavy) // images, protocol.episodes))
    for start in range(0, protocol.episodes, size):
        yield range(start, min(start + size, protocol.episodes))


def _scores(learner: Learner, episode: Episode, protocol: Protocol) -> dict[int, Tensor]:
    """Each task's score [T] after each shown step."""
    norm = protocol.norm if protocol.norm != "none" else None
    algorithm = learner.algorithm
    predictors = algorithm.adapt(learner.params, episode, steps=protocol.steps, norm=norm)
    shown = steps_shown(protocol.steps) if algorithm.in_steps else [*SHOWN]
    return {
        step: task_scores(predictor(episode.query_x), episode.query_y)
        for step, predictor in at_steps(predictors, shown)
    }


def _summary(
    by_step: dict[int, Tensor], protocol: Protocol, regression: bool, seconds: float
) -> Evaluation:
    per_step = tuple(_step_score(step, values, regression) for step, values in by_step.items())
    last = per_step[-1]
    return Evaluation(
        metric="mse" if regression else "accuracy",
        mean=last.mean,
        ci95=last.ci95,
        median=last.median,
        diverged=last.diverged,
        protocol=protocol,
        per_step=per_step,
        values=by_step[last.step],
        seconds=seconds,
    )


def _step_score(step: int, values: Tensor, regression: bool) -> StepScore:
    mean, ci95 = mean_ci95(values)
    diverged = (~(values <= DIVERGED_MSE)).double().mean().item() if regression else 0.0
    return StepScore(step, mean, ci95, values.nan_to_num(nan=math.inf).median().item(), diverged)
