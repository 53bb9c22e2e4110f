"""How fast a run is and how long it will still take."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from metacore.runs.job import FINISHED, RUNNING
from metacore.runs.record import Run
from tests.runs.conftest import MakeConfig

MakeRun = Callable[..., Run]


@pytest.fixture
def make_run(make_config: MakeConfig) -> MakeRun:
    def make(status: str = RUNNING, rate: float | None = None, **budget: float) -> Run:
        values = make_config(**budget).to_dict()
        plain = {"id": "id", "name": "name", "metric": "mse", "device": "cpu", "created": 0.0}
        run = Run(**plain, status=status, values=values, folder=Path())
        return replace(run, iteration=100, seconds=10.0, rate=rate)

    return make


def test_a_running_run_is_as_fast_as_of_late(make_run: MakeRun) -> None:
    """It began with ten meta-steps a second, and a busy computer leaves it one."""
    run = make_run(rate=1.0, iterations=400)
    assert (run.pace, run.seconds_left, run.progress) == (1.0, 300.0, 0.25)


def test_nothing_is_promised_before_anything_is_measured(make_run: MakeRun) -> None:
    assert make_run(rate=None, iterations=400).seconds_left is None


def test_a_budget_in_seconds_needs_no_measurement(make_run: MakeRun) -> None:
    assert make_run(iterations=0, seconds=60).seconds_left == 50.0
    assert make_run(rate=1.0, iterations=400, seconds=60).seconds_left == 50.0
    assert make_run(rate=50.0, iterations=400, seconds=60).seconds_left == 6.0


def test_a_finished_run_has_the_speed_of_all_of_its_training(make_run: MakeRun) -> None:
    """What it did in its last seconds, a validation perhaps, is no speed to quote."""
    assert make_run(FINISHED, rate=0.27, iterations=100).pace == 10.0
