import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from metacore.errors import UserError
from metacore.runs import jobs
from metacore.runs.execution import execute
from metacore.runs.jobs import Queue, cancel, dispatch, resume, submit
from metacore.runs.process import identify
from metacore.runs.record import Run
from metacore.runs.store import Store
from metacore.training.config import RunConfig
from tests.runs.conftest import MakeConfig


def wait_for(true: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_queue_trains_one_run_at_a_time_and_empties_itself(
    store: Store, make_config: MakeConfig
) -> None:
    first, second = (submit(store, make_config(iterations=60)) for _ in range(2))
    assert [run.id for run in dispatch(store)] == [first.id]
    assert dispatch(store) == []
    assert store.get(second.id).process is None
    wait_for(lambda: store.get(second.id).status == "finished")
    done = [store.get(run.id) for run in (first, second)]
    assert [run.status for run in done] == ["finished", "finished"]
    assert done[0].ended is not None
    assert done[1].started is not None
    assert done[0].ended <= done[1].started


def test_a_queued_run_is_cancelled_at_once(store: Store, config: RunConfig) -> None:
    run = cancel(store, submit(store, config))
    assert (run.status, dispatch(store)) == ("cancelled", [])


def test_a_run_that_cannot_be_started_fails_and_the_next_one_starts(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost, fine = submit(store, config), submit(store, config)
    shutil.rmtree(lost.folder)
    _instead_of_a_worker(monkeypatch, "import time; time.sleep(60)")
    started = dispatch(store)
    assert store.get(lost.id).status == "failed"
    assert "No worker could be started" in store.get(lost.id).message
    worker = store.get(fine.id).process
    assert worker is not None
    assert started[-1].id == fine.id
    worker.kill()


def test_a_worker_that_dies_before_it_begins_does_not_hold_up_the_queue(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    _instead_of_a_worker(monkeypatch, "raise SystemExit('no torch here')")
    run = submit(store, config)
    queue = Queue(store)
    queue.start()
    wait_for(lambda: store.get(run.id).status == "failed", 20)
    queue.stop()
    assert "worker.log" in store.get(run.id).message
    assert "no torch here" in (run.folder / "worker.log").read_text()


def _instead_of_a_worker(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    real = subprocess.Popen

    def start(_command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return real([sys.executable, "-c", program], **options)

    monkeypatch.setattr(subprocess, "Popen", start)


def test_a_failing_round_does_not_end_the_queue(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds = []

    def fail_once(_: Store) -> list[Run]:
        rounds.append(1)
        raise UserError("The disk is full.")

    monkeypatch.setattr(jobs, "dispatch", fail_once)
    monkeypatch.setattr(jobs, "QUEUE_SECONDS", 0.01)
    queue = Queue(store)
    queue.start()
    wait_for(lambda: len(rounds) > 2, 10)
    queue.stop()


@pytest.mark.parametrize("ago", [-3600, 3600])  # a clock that was set back leaves the latter
def test_cancelling_a_run_whose_worker_hangs_ends_the_worker(
    store: Store, config: RunConfig, ago: float
) -> None:
    hung = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    process = identify(hung.pid)
    run = store.create(config, here=True)
    with store.database.writing() as db:
        db.execute(
            "UPDATE runs SET pid = ?, pid_started = ?, heartbeat = ?",
            (process.pid, process.started, time.time() + ago),
        )
    assert cancel(store, store.get(run.id)).status == "interrupted"
    assert hung.wait(10) != 0


def test_a_run_in_the_queue_is_not_resumed(store: Store, config: RunConfig) -> None:
    with pytest.raises(UserError, match="cannot be resumed: it is queued"):
        resume(store, submit(store, config))


def test_a_new_budget_replaces_the_old_one(store: Store, config: RunConfig) -> None:
    run = resume(store, execute(store, store.create(config)), seconds=90)
    training = run.config.training
    assert (run.status, training.iterations, training.seconds) == ("queued", 0, 90.0)
    assert (run.iteration, run.cancel, run.message) == (40, False, "")


@pytest.mark.skipif(os.name != "posix", reason="sessions are POSIX")
def test_a_worker_has_a_session_of_its_own(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    _instead_of_a_worker(monkeypatch, "import time; time.sleep(60)")
    (run,) = dispatch(store) if submit(store, config) else []
    assert run.process is not None
    assert os.getsid(run.process.pid) == run.process.pid != os.getsid(0)
    run.process.kill()
