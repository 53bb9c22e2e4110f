from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from metacore.runs.record import Run
from metacore.runs.recorder import TRAIN_POINTS, Progress, Recorder, Row, TrainingLease

BEST = {"best_iteration": 60, "best_value": 0.5, "best_ci95": 0.1}
RUN = Run(
    id="r", name="r", status="running", values={}, metric="mse", device="cpu", folder=Path(),
    created=0.0, iteration=70, seconds=7.0, **BEST,
)  # fmt: skip


class Notebook:
    """A lease that only remembers what it is told."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.job = RUN

    def report(self, progress: Progress, rows: list[Row]) -> None:
        self.rows += rows

    def cancelled(self) -> bool:
        return False


def train(steps: int) -> tuple[Recorder, Notebook]:
    """A training whose loss at meta-step i is i."""
    notebook = Notebook()
    recorder = Recorder(cast(TrainingLease, notebook))
    for step in range(1, steps + 1):
        trainer = SimpleNamespace(
            iteration=step, seconds=step / 100, progress=step / steps, best=None
        )
        recorder.on_step(cast(Any, trainer), {"loss": float(step), "rate": 0.001})
    recorder.flush()
    return recorder, notebook


def test_a_long_run_has_a_bounded_curve_that_leaves_nothing_out() -> None:
    _, notebook = train(steps=10 * TRAIN_POINTS + 7)
    losses = [(step, value) for step, _, key, value in notebook.rows if key == "train_loss"]
    assert len(losses) == TRAIN_POINTS
    before = 0
    for step, value in losses:
        assert value == (before + 1 + step) / 2  # the mean of the steps since the last point
        before = step
    assert losses[-1][0] == 10 * TRAIN_POINTS + 7


def test_a_short_run_shows_every_step() -> None:
    _, notebook = train(steps=7)
    assert [value for _, _, key, value in notebook.rows if key == "train_loss"] == [*range(1, 8)]
    assert {key for _, _, key, _ in notebook.rows} == {"train_loss", "learning_rate"}


def test_a_run_that_goes_on_is_as_far_as_it_was_from_its_first_sign_of_life() -> None:
    """Its worker says that it lives before it has read the checkpoint."""
    recorder = Recorder(cast(TrainingLease, Notebook()))
    assert recorder.progress == Progress(70, 7.0, None, 60, 0.5, 0.1)


def test_the_rate_is_that_of_the_last_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fast for a minute, then slow: what is said soon is the slow one."""
    clock = 100.0
    monkeypatch.setattr("metacore.runs.recorder.time.monotonic", lambda: clock)
    recorder = Recorder(cast(TrainingLease, Notebook()))
    rates = []
    for step in range(1, 641):
        clock += 0.1 if step <= 600 else 1.0
        trainer = SimpleNamespace(iteration=step, seconds=clock, progress=0.0, best=None)
        recorder.on_step(cast(Any, trainer), {"loss": 0.0})
        rates.append(recorder.progress.rate)
    assert rates[0] is None
    assert rates[598] == pytest.approx(10, rel=0.02)
    assert rates[-1] == pytest.approx(1, rel=0.02)
