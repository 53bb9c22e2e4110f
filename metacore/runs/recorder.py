"""What a run writes down about itself while it trains: curves, checkpoints and signs of life.

The training thread only adds numbers up and reads a flag. A second thread talks to the database:
it says every second that the run is alive and how far it is, and asks ten times a second whether
someone wants it to stop.
"""

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from metacore.device import describe
from metacore.errors import UserError
from metacore.runs import files
from metacore.runs.claim import Claim, Progress, Row
from metacore.runs.database import BusyError
from metacore.runs.process import HEARTBEAT_SECONDS
from metacore.runs.record import Run
from metacore.training.callbacks import Callback

if TYPE_CHECKING:
    from metacore.training.evaluate import Evaluation
    from metacore.training.trainer import Trainer

CHECKPOINT_SECONDS = 20.0
LISTEN_SECONDS = 0.1  # how often the pulse asks whether the run was cancelled
TRAIN_POINTS = 500  # points of a training curve over the whole budget, however long it is
RATE_SECONDS = 15.0  # meta-steps per second are measured over the last of these: validations too
RATE_MARKS = 1.0  # seconds between the moments they are measured from
FIRST_RATE = 1.0  # after so many seconds there is a first measurement
_WINDOW = "window"  # where a checkpoint keeps the curve's unfinished point


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


class Pulse(threading.Thread):
    """Calls `beat` every second and `listen` between; an error in either stops it and is kept."""

    def __init__(self, beat: Callable[[], None], listen: Callable[[], bool]) -> None:
        super().__init__(name="pulse", daemon=True)
        self.beat, self.listen = beat, listen
        self.error: Exception | None = None
        self.heard = False
        self._ended = threading.Event()

    def run(self) -> None:
        try:
            next_beat = time.monotonic()
            while not self._ended.wait(LISTEN_SECONDS):
                self.heard = self.heard or self.listen()
                if time.monotonic() >= next_beat:
                    self._beat()
                    next_beat = time.monotonic() + HEARTBEAT_SECONDS
        except Exception as error:  # raised again in the training thread
            self.error = error

    def _beat(self) -> None:
        with contextlib.suppress(BusyError):  # the next beat says it all
            self.beat()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self.join()


class Recorder(Callback):
    """Keeps a claimed run's row, metrics and checkpoints in step with its trainer."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.progress = _reported(claim.run)
        self.stop = False  # set from outside, by a signal
        self.overdue = False  # it has taken as long as it may
        self.warning = ""  # what the run's message should keep saying
        self.resumed_at = 0
        self.pulse = Pulse(self.flush, claim.cancelled)
        self._window = Window()
        self._points = 0
        self._rows: list[Row] = []
        self._lock = threading.Lock()  # held for an instant: the training thread waits for it
        self._writing = threading.Lock()  # so that rows are in the database when `flush` returns
        self._saved = time.monotonic()
        self._marks: deque[tuple[float, int]] = deque()

    def resume(self, trainer: "Trainer", loaded: files.Loaded | None) -> None:
        """Puts the trainer, the curves and the row back to where the checkpoint was written.

        Without one all begins anew, also the curves of a process killed before its first save.
        """
        if loaded is not None:
            info = dict(loaded.checkpoint.info)
            self._window.restore(info.pop(_WINDOW, {"steps": 0, "sums": {}}))
            trainer.restore(replace(loaded.checkpoint, info=info))
            self.resumed_at, self.warning = trainer.iteration, loaded.warning
        with self._writing:  # no heartbeat in between may bring back what was reported before
            self.progress = _progress(trainer, rate=None)
            self.claim.rewind(self.progress)
        if self.warning:
            files.set_aside(self.claim.run.folder)
            self.claim.say(self.warning)

    def on_start(self, trainer: "Trainer") -> None:
        self.claim.describe(_full_name(trainer), dict(describe(trainer.device)))
        self._points = _points_until_now(trainer)
        self._marks = deque([(time.monotonic(), trainer.iteration)])
        self._note(trainer)

    def on_step(self, trainer: "Trainer", metrics: dict[str, float]) -> None:
        self._window.add(metrics)
        points = _points_until_now(trainer)
        if points > self._points:
            self._points = points
            self._add(trainer, {_curve(k): v for k, v in self._window.take().items()})
        self._note(trainer)

    def on_validation(self, trainer: "Trainer", evaluation: "Evaluation", best: bool) -> None:
        values = {f"val_{evaluation.metric}": evaluation.mean, "val_ci95": evaluation.ci95}
        self._add(trainer, values)
        self._note(trainer)
        if best:
            self.save(trainer, best=True)

    def should_stop(self, trainer: "Trainer") -> bool:
        if self.pulse.error is not None:
            raise self.pulse.error
        most = self.claim.run.most_seconds
        self.overdue = most is not None and trainer.seconds >= most
        stop = self.stop or self.pulse.heard or self.overdue
        if stop or time.monotonic() - self._saved >= CHECKPOINT_SECONDS:
            self.save(trainer)  # at once: whoever asked for the stop may not wait for long
        return stop

    def save(self, trainer: "Trainer", *, best: bool = False) -> None:
        """A checkpoint from which all goes on as if nothing had happened, its curves included."""
        self._note(trainer)
        self.flush()
        checkpoint = trainer.checkpoint()
        info = {**checkpoint.info, _WINDOW: self._window.state()}
        files.save(self.claim.run.folder, replace(checkpoint, info=info), best=best)
        self._saved = time.monotonic()

    def flush(self) -> None:
        """Writes progress and the rows gathered since the last time."""
        with self._writing:
            with self._lock:
                rows, self._rows = self._rows, []
            try:
                self.claim.report(self.progress, rows)
            except UserError:
                with self._lock:
                    self._rows = rows + self._rows
                raise

    def _add(self, trainer: "Trainer", values: dict[str, float]) -> None:
        step, seconds = trainer.iteration, trainer.seconds
        with self._lock:
            self._rows += [(step, seconds, key, value) for key, value in values.items()]

    def _note(self, trainer: "Trainer") -> None:
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


def _progress(trainer: "Trainer", rate: float | None) -> Progress:
    best = trainer.best
    found = (best.iteration, best.value, best.ci95) if best else (None, None, None)
    return Progress(trainer.iteration, trainer.seconds, rate, *found)


def _points_until_now(trainer: "Trainer") -> int:
    """How many points the training curve should have by now."""
    return math.floor(TRAIN_POINTS * trainer.progress)


def _curve(key: str) -> str:
    """What the trainer calls `rate` is the size of its meta-step."""
    return "learning_rate" if key == "rate" else f"train_{key}"


def _full_name(trainer: "Trainer") -> str:
    device = trainer.device
    return f"{device.type}:{device.index or 0}" if device.type == "cuda" else device.type
