"""Snapshots of how a run adapts to one fixed validation task: now, and at the start.

While a run trains, its worker traces the same episode every few seconds and keeps the first
moment, the latest, and a few between. It waits fifty times as long as a trace took, so that
looking costs about two percent; no randomness of the training is touched, and whatever goes
wrong with looking is logged and never ends a training.
"""

import json
import math
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from metacore import strict
from metacore.atomic import write_whole
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.insight.trace import Array, Trace, trace
from metacore.runs.files import LOG, log, read_up_to
from metacore.runs.record import Run
from metacore.runs.schema import Adaptation
from metacore.training.config import RunConfig
from metacore.training.evaluate import Evaluation
from metacore.training.trainer import Callback, Trainer

NAME = "adaptation.json"
PAUSE_SECONDS = 2.0
WORTH = 50  # a trace is worth waiting this many times as long as it takes
BETWEEN = 10  # moments kept between the first and the latest
MOST_STEPS = 20
MOST_QUERIES = 5  # of each class
SERIES = ("query_score", "query_loss", "support_loss")
PLACES = 3
LARGEST_BYTES = 16_000_000  # a hundred ways have half a million probabilities

Moment = dict[str, Any]


def read_snapshots(run: Run) -> dict[str, Any] | None:
    """What the run's worker has recorded; None where there is nothing, or nothing whole."""
    return _read(run.folder / NAME)


class Snapshots(Callback):
    """Records moments of a run in its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._moments: list[Moment] = []
        self._failed = False
        # What the first trace takes is no measure: it also warms the machine up.
        self._at, self._cost = -math.inf, PAUSE_SECONDS / WORTH

    def on_start(self, trainer: Trainer) -> None:
        found = _read(self.folder / NAME) if trainer.iteration else None
        before = found["moments"] if found else []
        self._moments = [moment for moment in before if moment["iteration"] < trainer.iteration]
        self._attempt(trainer)

    def on_step(self, trainer: Trainer, metrics: dict[str, float]) -> None:
        if self._waited(PAUSE_SECONDS):
            self._measured(trainer)

    def on_validation(self, trainer: Trainer, evaluation: Evaluation, best: bool) -> None:
        if self._waited(0.0):
            self._measured(trainer)

    def complete(self, trainer: Trainer) -> None:
        """The latest moment is the last one; called while the run still belongs to this process."""
        self._attempt(trainer)

    def _waited(self, pause: float) -> bool:
        return time.monotonic() - self._at >= max(pause, WORTH * self._cost)

    def _measured(self, trainer: Trainer) -> None:
        begun = time.monotonic()
        self._attempt(trainer)
        self._cost = time.monotonic() - begun

    def _attempt(self, trainer: Trainer) -> None:
        """Records the weights as they are, unless they are those of the latest moment."""
        known = self._moments and self._moments[-1]["iteration"] == trainer.iteration
        if self._failed or known:
            return
        try:
            self._record(trainer)
        except Exception:
            self._failed = True  # it would fail again, and the log would grow
            log(self.folder / LOG, traceback.format_exc())
        self._at = time.monotonic()

    def _record(self, trainer: Trainer) -> None:
        seen, task = _look(trainer)
        moment = {"iteration": trainer.iteration, "seconds": round(trainer.seconds, 3)}
        self._moments = thinned([*self._moments, {**moment, **_series(seen)}])
        recorded = {
            "metric": seen.metric,
            "norm": seen.norm,
            "steps": seen.steps,
            "episode": task,
            "moments": self._moments,
            "grid": None if seen.grid is None else _rounded(seen.grid),
        }
        write_whole(self.folder / NAME, json.dumps(recorded, allow_nan=False).encode())


def fixed_episode(config: RunConfig) -> dict[str, Any]:
    """Which episode a run's snapshots are about, in words `Dataset.episodes` understands."""
    task = config.task.to_dict()
    if not config.dataset_class.regression:
        task["queries"] = min(task["queries"], MOST_QUERIES)
    return {"split": "val", **task, "seed": config.seed, "number": 0}


def thinned(moments: list[Moment]) -> list[Moment]:
    """The first, the latest, and at most ten others spread evenly over the meta-steps.

    Probabilities, the bulk of it, stay only with the first and the latest.
    """
    kept = list(moments)
    while len(kept) > BETWEEN + 2:
        gaps = [
            kept[n + 1]["iteration"] - kept[n - 1]["iteration"] for n in range(1, len(kept) - 1)
        ]
        del kept[1 + gaps.index(min(gaps))]
    between = [{k: v for k, v in m.items() if k != "probabilities"} for m in kept[1:-1]]
    return [kept[0], *between, *kept[1:][-1:]]


def _look(trainer: Trainer) -> tuple[Trace, dict[str, Any]]:
    learner, task = trainer.learner, fixed_episode(trainer.config)
    where = {k: v for k, v in task.items() if k not in ("split", "number")}
    number = task["number"]
    episode: Episode = learner.dataset.episodes(
        task["split"], **where, numbers=range(number, number + 1)
    )
    steps = min(learner.algorithm.test_steps, MOST_STEPS)
    return trace(learner, episode, steps=steps, features=False), task


def _series(seen: Trace) -> Moment:
    """The one task's numbers after each step, as JSON."""
    moment: Moment = {name: _finite(getattr(seen, name)[:, 0]) for name in SERIES}
    if seen.query_probabilities is not None:
        moment["probabilities"] = _rounded(seen.query_probabilities[:, 0])
    if seen.curves is not None:
        moment["curves"] = _rounded(seen.curves[:, 0])
    return moment


def _rounded(values: Array) -> list[Any]:
    return _finite(np.round(values.astype(np.float64), PLACES))


def _finite(values: "np.ndarray[Any, Any]") -> list[Any]:
    """Nested lists in which null stands for what JSON cannot say."""
    told = values.astype(object)
    told[~np.isfinite(values)] = None
    return list(told.tolist())


def _read(path: Path) -> dict[str, Any] | None:
    try:
        data = read_up_to(path, LARGEST_BYTES)
        _check(strict.read(data, Adaptation, NAME, largest=LARGEST_BYTES))
    except UserError:
        return None
    return msgspec.json.decode(data, type=dict[str, Any])


def _check(found: Adaptation) -> None:
    """Raises where there are not as many numbers as steps, queries, classes and points."""
    first, last, points = found.moments[0], found.moments[-1], len(found.steps)
    task, width = found.episode, len(found.grid or ())
    fits = all(len(getattr(one, name)) == points for one in found.moments for name in SERIES)
    for moment in (first, last):
        if found.grid is not None:
            fits = fits and _shape(moment.curves) == (points, {width})
        elif found.metric == "accuracy":
            tables = [_shape(table) for table in moment.probabilities or ()]
            fits = fits and tables == [(task.ways * task.queries, {task.ways})] * points
    if not fits:
        raise UserError(f"{NAME} is not whole.")


def _shape(table: Sequence[Sequence[float | None]] | None) -> tuple[int, set[int]]:
    """How many rows there are, and how long they are."""
    return len(table or ()), {len(row) for row in table or ()}
