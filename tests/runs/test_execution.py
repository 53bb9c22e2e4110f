import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from metacore import atomic
from metacore.errors import UserError
from metacore.runs import files
from metacore.runs.execution import Trainings, execute
from metacore.runs.jobs import cancel, resume
from metacore.runs.lease import LeaseLostError
from metacore.runs.record import Run
from metacore.runs.recorder import Recorder, TrainingLease
from metacore.runs.store import Store
from metacore.training.config import RunConfig
from metacore.training.trainer import Callback, Trainer
from tests.runs.conftest import MakeConfig

posix = pytest.mark.skipif(os.name != "posix", reason="needs kill -9")


class At(Callback):
    """Does something after one meta-step."""

    def __init__(self, iteration: int, action) -> None:  # type: ignore[no-untyped-def]
        self.iteration, self.action = iteration, action

    def on_step(self, trainer: Trainer, metrics: dict[str, float]) -> None:
        if trainer.iteration == self.iteration:
            self.action()


def everything(run: Run) -> str:
    """One number for the weights and the optimiser's state."""
    return files.digest(files.load(run.folder, "last").tensors)


def curves(store: Store, run: Run) -> list[tuple[int, str, float]]:
    return [(metric.step, metric.key, metric.value) for metric in store.metrics(run)]


def test_a_run_is_trained_to_its_end_and_says_what_it_did(store: Store, config: RunConfig) -> None:
    run = execute(store, store.create(config))
    assert (run.status, run.iteration, run.message, run.process) == ("finished", 40, "", None)
    rows = curves(store, run)
    assert [step for step, key, _ in rows if key == "train_loss"] == [*range(1, 41)]
    assert [step for step, key, _ in rows if key == "val_mse"] == [20, 40]
    assert [step for step, key, _ in rows if key == "val_ci95"] == [20, 40]
    best = min((value, step) for step, key, value in rows if key == "val_mse")
    assert (run.best_value, run.best_iteration) == best
    assert files.load(run.folder, "best").info["iteration"] == run.best_iteration
    assert run.environment["torch"] == torch.__version__
    assert run.ended is not None
    assert run.started is not None
    assert run.ended >= run.started


def test_a_run_claimed_by_someone_else_is_left_alone(store: Store, config: RunConfig) -> None:
    run = store.create(config)
    cancel(store, run)
    with pytest.raises(UserError, match="cancelled by now"):
        execute(store, run)


def test_cancelling_stops_with_a_checkpoint(store: Store, make_config: MakeConfig) -> None:
    run = store.create(make_config(iterations=0, seconds=60))
    begun = time.monotonic()
    ended = execute(store, run, [At(5, lambda: cancel(store, run))])
    assert time.monotonic() - begun < 20
    assert (ended.status, ended.resumable) == ("cancelled", True)
    assert "Cancelled at meta-step" in ended.message
    assert files.load(ended.folder, "last").info["iteration"] == ended.iteration >= 5


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_with_a_checkpoint(
    store: Store, config: RunConfig, number: signal.Signals
) -> None:
    before = signal.getsignal(number)
    run = execute(store, store.create(config), [At(5, lambda: os.kill(os.getpid(), number))])
    assert (run.status, run.iteration) == ("cancelled", 5)
    assert number.name in run.message
    assert signal.getsignal(number) == before


def test_cancelled_and_resumed_equals_never_stopped(store: Store, make_config: MakeConfig) -> None:
    config = make_config(validate_every=10)
    whole = execute(store, store.create(config))
    run = store.create(config)
    stop = At(20, lambda: signal.raise_signal(signal.SIGTERM))
    assert execute(store, run, [stop]).iteration == 20
    run = execute(store, resume(store, store.get(run.id)))
    assert everything(run) == everything(whole)
    assert curves(store, run) == curves(store, whole)
    assert (run.best_value, run.best_iteration) == (whole.best_value, whole.best_iteration)


def test_continued_for_longer_equals_longer_from_the_start(
    store: Store, make_config: MakeConfig
) -> None:
    long = execute(store, store.create(make_config(iterations=60)))
    run = execute(store, store.create(make_config(iterations=40)))
    with pytest.raises(UserError, match="say for how long"):
        resume(store, run)
    with pytest.raises(UserError, match="already done 40 meta-steps"):
        resume(store, run, iterations=40)
    run = execute(store, resume(store, run, iterations=60))
    assert run.config.training.iterations == 60
    assert everything(run) == everything(long)


def test_a_run_that_diverges_keeps_its_last_good_weights(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(trainer: Trainer, measured: dict[str, float]) -> None:
        if trainer.iteration == 7:
            raise UserError("The loss is no longer a number.")

    monkeypatch.setattr(Trainer, "_refuse_divergence", refuse)
    run = execute(store, store.create(config))
    assert (run.status, run.message) == ("failed", "The loss is no longer a number.")
    assert files.load(run.folder, "last").info["iteration"] == 7


def test_an_unexpected_error_is_one_line_with_its_traceback_in_the_log(
    store: Store, config: RunConfig
) -> None:
    run = execute(store, store.create(config), [At(3, lambda: 1 / 0)])
    assert (run.status, run.message) == ("failed", "ZeroDivisionError: division by zero")
    assert "Traceback" in (run.folder / "worker.log").read_text()


def test_memory_running_out_is_a_sentence(store: Store, config: RunConfig) -> None:
    def exhaust() -> None:
        raise torch.OutOfMemoryError

    run = execute(store, store.create(config), [At(3, exhaust)])
    assert "not enough memory" in run.message


def test_a_run_deleted_under_way_ends_without_a_trace(store: Store, config: RunConfig) -> None:
    run = store.create(config, here=True)

    def vanish() -> None:
        with store.database.writing() as db:
            db.execute("DELETE FROM runs")
        shutil.rmtree(run.folder)

    with pytest.raises(LeaseLostError, match="deleted or taken over"):
        execute(store, run, [At(5, vanish)])
    assert not run.folder.exists()


def test_a_full_disk_fails_the_run_and_keeps_the_older_checkpoint(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = atomic.write

    def fill(path: Path, data: bytes) -> None:
        path.write_bytes(data[:100])
        raise OSError(errno.ENOSPC, "No space left on device")

    def full() -> None:
        monkeypatch.setattr(atomic, "write", fill)

    run = execute(store, store.create(config), [At(25, full)])
    monkeypatch.setattr(atomic, "write", real)
    assert run.status == "failed"
    assert "disk is full" in run.message
    assert files.load(run.folder, "last").info["iteration"] == 20
    assert not list(run.folder.glob("*.part"))


def test_a_full_database_fails_the_run(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise UserError("The disk is full: runs.db could not be written.")

    def full() -> None:
        monkeypatch.setattr(TrainingLease, "report", refuse)

    run = execute(store, store.create(config), [At(5, full)])
    assert (run.status, run.message.partition(":")[0]) == ("failed", "The disk is full")


def test_a_damaged_checkpoint_is_said_and_the_one_before_used(
    store: Store, make_config: MakeConfig
) -> None:
    whole = execute(store, store.create(make_config()))
    run = execute(
        store, store.create(make_config()), [At(30, lambda: signal.raise_signal(signal.SIGTERM))]
    )
    last = files.path_of(run.folder, "last")
    last.write_bytes(last.read_bytes()[:-1])
    run = execute(store, resume(store, run))
    assert "last.safetensors is damaged" in run.message
    assert files.load(run.folder, "last").info["iteration"] == 40
    assert files.read(files.path_of(run.folder, "previous"))
    assert (run.status, everything(run)) == ("finished", everything(whole))


class Killed(BaseException):
    """As if the process had ended: nothing here catches it."""


def test_killed_before_its_first_checkpoint_a_run_equals_one_never_stopped(
    store: Store, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config(validate_every=3)
    whole = execute(store, store.create(config))

    def die(*_: object, **__: object) -> None:
        raise Killed

    run = store.create(config)
    for _ in range(2):
        with monkeypatch.context() as patch:
            patch.setattr(files, "save", die)
            with pytest.raises(Killed):
                execute(store, run)
        assert [step for step, key, _ in curves(store, run) if key == "val_mse"] == [3]
        with store.database.writing() as db:
            db.execute("UPDATE runs SET pid = 4206649 WHERE id = ?", (run.id,))
        run = resume(store, run)
    run = execute(store, run)
    assert (run.status, everything(run)) == ("finished", everything(whole))
    assert curves(store, run) == curves(store, whole)


def test_what_a_run_reached_is_not_forgotten_by_a_heartbeat_before_it_goes_on(
    store: Store, config: RunConfig
) -> None:
    run = execute(store, store.create(config))
    Recorder(Trainings(store).claim(run)).flush()
    beaten = store.get(run.id)
    assert (beaten.iteration, beaten.best_value) == (run.iteration, run.best_value)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and kill -9")
def test_killed_again_and_again_equals_never_stopped(store: Store, make_config: MakeConfig) -> None:
    config = make_config(iterations=500, validate_every=100)
    whole = execute(store, store.create(config))
    run = store.create(config)
    lives = ["kill:37", "write:4", "kill:205", "write:2", "kill:330", "whole"]
    script = Path(__file__).parent / "mortal_worker.py"
    subprocess.run(
        [sys.executable, str(script), run.id, str(store.folder), *lives],
        env={**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[2])},
        check=True,
        timeout=120,
    )
    run = store.get(run.id)
    assert (run.status, everything(run)) == ("finished", everything(whole))
    assert curves(store, run) == curves(store, whole)
    assert not list(run.folder.glob("*.part"))
