from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from metacore.runs.claim import Claim, Progress, Row
from metacore.runs.record import Run
from metacore.runs.recorder import TRAIN_POINTS, Recorder


class Notebook:
    """A claim that only remembers what it is told."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.run = Run("r", "r", "running", {}, "mse", "cpu", Path(), 0.0)

    def report(self, progress: Progress, rows: list[Row]) -> None:
        self.rows += rows

    def cancelled(self) -> bool:
        return False


def train(steps: int) -> tuple[Recorder, Notebook]:
    """A training whose loss at meta-step i is i."""
    notebook = Notebook()
    recorder = Recorder(cast(Claim, notebook))
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
