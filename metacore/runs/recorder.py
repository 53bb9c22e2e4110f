"""What a run writes down about itself while it trains: curves, checkpoints and signs of life.

The training thread only adds numbers up and reads a flag; the thread of its watch writes them down.
"""

import json
import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from metacore.device import describe, full_name
from metacore.errors import UserError
from metacore.runs import files
from metacore.runs.lease import Lease, Watch
from metacore.runs.record import Run
from metacore.runs.rows import INSERT_METRIC, results_digest
from metacore.training.evaluate import Evaluation
from metacore.training.trainer import Callback, Trainer

CHECKPOINT_SECONDS = 20.0
TRAIN_POINTS = 500  # points of a training curve over the whole budget, however long it is
RATE_SECONDS = 15.0  # meta-steps per second are measured over the last of these: validations too
RATE_MARKS = 1.0  # seconds between the moments they are measured from
FIRST_RATE = 1.0  # after so many seconds there is a first measurement
_WINDOW = "window"  # where a checkpoint keeps the curve's unfinished point

Row = tuple[int, float, str, float]  # step, seconds, key, value


class Window:
    """The mean of each metric over the meta-steps since the last point of the curve."""

    def __init__(self) -> None:
        self.steps = 0
        self.sums: dict[str, float] = {}

    def add(self, metrics: dict[str, float]) -> None:
        self.steps += 1
        for key, value in metrics.items():
            self.sums[key] = self.sums.get(key, 0.0) + value

    def take(self) -> dict[str, float]:
        means = {key: total / self.steps for key, total in self.sums.items()}
        self.steps, self.sums = 0, {}
        return means

    def state(self) -> dict[str, Any]:
        return {"steps": self.steps, "sums": dict(self.sums)}

    def restore(self, state: dict[str, Any]) -> None:
        self.steps, self.sums = state["steps"], dict(state["sums"])


@dataclass(frozen=True)
class Progress:
    """How far a training has come."""

    iteration: int
    seconds: float
    rate: float | None = None
    best_iteration: int | None = None
    best_value: float | None = None
    best_ci95: float | None = None


@dataclass(frozen=True)
class TrainingLease(Lease[Run]):
    """A run and the right of this process to train it."""

    def report(self, progress: Progress, rows: Sequence[Row] = ()) -> None:
        """The heartbeat: where the training stands, and the metrics since the last one."""
        with self.database.writing() as db:
            self.change(db, heartbeat=time.time(), **self._sealed(progress))
            db.executemany(INSERT_METRIC, [(self.job.id, *row) for row in rows])

    def rewind(self, progress: Progress) -> None:
        """Puts the row back to where a checkpoint was written, or to the start without one.

        The metrics later than that are forgotten: the training will report them again.
        """
        with self.database.writing() as db:
            self.change(db, **self._sealed(progress))
            query = "DELETE FROM metrics WHERE run = ? AND step > ?"
            db.execute(query, (self.job.id, progress.iteration))

    def describe(self, device: str, description: dict[str, Any]) -> None:
        """Where the run is computed."""
        name = str(description.get("name", device))
        self.write(device=device, device_name=name, environment=json.dumps(description))

    def _sealed(self, progress: Progress) -> dict[str, Any]:
        """The columns of a progress with the digest that proves them."""
        columns = dict(vars(progress))
        return {**columns, "digest": results_digest(self.job.values, self.job.metric, columns)}


class Recorder(Callback):
    """Keeps a claimed run's row, metrics and checkpoints in step with its trainer."""

    def __init__(self, lease: TrainingLease) -> None:
        self.lease = lease
        self.progress = _reported(lease.job)
        self.resumed_at = 0
        self.watch = Watch(lease, self.flush, "training")
        self._window = Window()
        self._points = 0
        self._rows: list[Row] = []
        self._lock = threading.Lock()  # held for an instant: the training thread waits for it
        self._writing = threading.Lock()  # so that rows are in the database when `flush` returns
        self._saved = time.monotonic()
        self._marks: deque[tuple[float, int]] = deque()

    def resume(self, trainer: Trainer, loaded: files.Loaded | None) -> None:
        """Puts the trainer, the curves and the row back to where the checkpoint was written.

        Without one all begins anew, also the curves of a process killed before its first save.
        """
        if loaded is not None:
            info = dict(loaded.checkpoint.info)
            self._window.restore(info.pop(_WINDOW, {"steps": 0, "sums": {}}))
            trainer.restore(replace(loaded.checkpoint, info=info))
            self.resumed_at, self.watch.warning = trainer.iteration, loaded.warning
        with self._writing:  # no heartbeat in between may bring back what was reported before
            self.progress = _progress(trainer, rate=None)
            self.lease.rewind(self.progress)
        if self.watch.warning:
            files.set_aside(self.lease.job.folder)
            self.lease.write(message=self.watch.warning)

    def on_start(self, trainer: Trainer) -> None:
        made: dict[str, Any] = dict(describe(trainer.device))
        trunk = trainer.learner.algorithm.network.network.trunk
        if trunk is not None:
            made["weights"] = " ".join(trunk.identity.values())
        self.lease.describe(full_name(trainer.device), made)
        self._points = _points_until_now(trainer)
        self._marks = deque([(time.monotonic(), trainer.iteration)])
        self._note(trainer)

    def on_step(self, trainer: Trainer, metrics: dict[str, float]) -> None:
        self._window.add(metrics)
        points = _points_until_now(trainer)
        if points > self._points:
            self._points = points
            self._add(trainer, {_curve(k): v for k, v in self._window.take().items()})
        self._note(trainer)

    def on_validation(self, trainer: Trainer, evaluation: Evaluation, best: bool) -> None:
        values = {f"val_{evaluation.metric}": evaluation.mean, "val_ci95": evaluation.ci95}
        self._add(trainer, values)
        self._note(trainer)
        if best:
            self.save(trainer, best=True)

    def should_stop(self, trainer: Trainer) -> bool:
        stop = self.watch.must_stop(trainer.seconds)
        if stop or time.monotonic() - self._saved >= CHECKPOINT_SECONDS:
            self.save(trainer)  # at once: whoever asked for the stop may not wait for long
        return stop

    def save(self, trainer: Trainer, *, best: bool = False) -> None:
        """A checkpoint from which all goes on as if nothing had happened, its curves included."""
        self._note(trainer)
        self.flush()
        checkpoint = trainer.checkpoint()
        info = {**checkpoint.info, _WINDOW: self._window.state()}
        files.save(self.lease.job.folder, replace(checkpoint, info=info), best=best)
        self._saved = time.monotonic()

    def flush(self) -> None:
        """Writes progress and the rows gathered since the last time."""
        with self._writing:
            with self._lock:
                rows, self._rows = self._rows, []
            try:
                self.lease.report(self.progress, rows)
            except UserError:
                with self._lock:
                    self._rows = rows + self._rows
                raise

    def _add(self, trainer: Trainer, values: dict[str, float]) -> None:
        step, seconds = trainer.iteration, trainer.seconds
        with self._lock:
            self._rows += [(step, seconds, key, value) for key, value in values.items()]

    def _note(self, trainer: Trainer) -> None:
        self.progress = _progress(trainer, self._rate(trainer.iteration))

    def _rate(self, iteration: int) -> float | None:
        """Meta-steps per second of late, validations included; None until it can be known."""
        now = time.monotonic()
        if not self._marks or now - self._marks[-1][0] >= RATE_MARKS:
            self._marks.append((now, iteration))
        while len(self._marks) > 2 and now - self._marks[1][0] >= RATE_SECONDS:
            self._marks.popleft()
        since, before = self._marks[0]
        return (iteration - before) / (now - since) if now - since >= FIRST_RATE else None


def _reported(run: Run) -> Progress:
    """What the row says already: a heartbeat before the training begins must not take it back."""
    best = (run.best_iteration, run.best_value, run.best_ci95)
    return Progress(run.iteration, run.seconds, None, *best)


def _progress(trainer: Trainer, rate: float | None) -> Progress:
    best = trainer.best
    found = (best.iteration, best.value, best.ci95) if best else (None, None, None)
    return Progress(trainer.iteration, trainer.seconds, rate, *found)


def _points_until_now(trainer: Trainer) -> int:
    """How many points the training curve should have by now."""
    return math.floor(TRAIN_POINTS * trainer.progress)


def _curve(key: str) -> str:
    """What the trainer calls `rate` is the size of its meta-step."""
    return "learning_rate" if key == "rate" else f"train_{key}"
