"""The queue: runs wait for their device, one at a time each, and are trained in other processes.

A worker has a session of its own, so it outlives the page, the server and the terminal that
started it. There is no server to the queue: whoever calls `dispatch` (a page's thread, a command,
a worker that has just ended) starts what may start, and the database sees to it that nothing is
started twice.
"""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from metacore import child
from metacore.errors import UserError
from metacore.home import home
from metacore.runs import comparisons, files
from metacore.runs.comparison import Comparison
from metacore.runs.process import Process, identify
from metacore.runs.record import FINISHED, Run
from metacore.runs.store import Store
from metacore.training.config import RunConfig

QUEUE_SECONDS = 1.0
OVERDUE_SECONDS = 60.0
_workers: list[subprocess.Popen[bytes]] = []


def submit(store: Store, config: RunConfig, name: str | None = None) -> Run:
    """A new run at the end of the queue."""
    return store.create(config, name)


def dispatch(store: Store) -> list[Run]:
    """Starts a worker for every queued run whose device is free; returns those runs.

    Comparisons have a queue of their own beside it: one is evaluated while a run trains.
    """
    _reap()
    _end_overdue([*store.claimed(), *comparisons.active(store)])
    store.reconcile()
    started = []
    while (run := store.launch(lambda run: _start(store, run))) is not None:
        started.append(run)
    comparisons.reconcile(store)
    while comparisons.launch(store, lambda found: _evaluate(store, found)) is not None:
        pass
    return started


def cancel(store: Store, run: Run) -> Run:
    """A queued run ends at once, a running one within a meta-step, a hung one by force."""
    store.reconcile()
    run = store.cancel(run)
    if run.process is not None and run.silent(time.time()):
        run.process.kill()
        store.reconcile()
    return store.get(run.id)


def resume(
    store: Store, run: Run, *, iterations: int | None = None, seconds: float | None = None
) -> Run:
    """Queues an ended run to go on from its last checkpoint; one whose worker died has ended.

    `iterations` and `seconds` are new totals, those already done included. When either is given,
    the two replace the old budget; a finished run needs one of them.
    """
    if run.read_only:
        raise UserError(f"{run.name} comes with Metacore and cannot be resumed.")
    store.reconcile()
    run = store.get(run.id)
    if not run.resumable:
        raise UserError(f"{run.name} cannot be resumed: it is {run.status}.")
    if iterations is None and seconds is None:
        if run.status == FINISHED:
            raise UserError(f"{run.name} is finished: say for how long it should continue.")
        return store.requeue(run, run.config)
    _refuse_used_up(run, iterations or 0, seconds or 0.0)
    budget = replace(run.config.training, iterations=iterations or 0, seconds=seconds or 0.0)
    return store.requeue(run, run.config.replace(training=budget))


def _refuse_used_up(run: Run, iterations: int, seconds: float) -> None:
    if iterations and iterations <= run.iteration:
        raise UserError(
            f"{run.name} has already done {run.iteration} meta-steps: ask for more than that."
        )
    if seconds and seconds <= run.seconds:
        raise UserError(
            f"{run.name} has already trained for {run.seconds:.0f} seconds: ask for more than that."
        )


class Queue:
    """A thread that keeps the queue moving while a dashboard is open."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="queue", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread; workers go on."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        said = ""
        while not self._ended.is_set():
            said = self._look(said)
            self._ended.wait(QUEUE_SECONDS)

    def _look(self, said: str) -> str:
        """One round; a failure is logged once, and the next round tries again."""
        try:
            dispatch(self.store)
        except Exception as error:
            if str(error) != said:
                known = isinstance(error, UserError)
                logging.getLogger(__name__).error("%s", error, exc_info=None if known else error)
            return str(error)
        return ""


def _end_overdue(claimed: Iterable[Run | Comparison]) -> None:
    """Kills what should have stopped itself long ago: it hears of nothing within one long step."""
    for each in claimed:
        if each.process is None or each.most_seconds is None:
            continue
        if time.time() - each.process.started > 2 * each.most_seconds + OVERDUE_SECONDS:
            each.process.kill()


def _start(store: Store, run: Run) -> Process:
    return _spawn("worker", run.id, store, run.folder / files.LOG)


def _evaluate(store: Store, comparison: Comparison) -> Process:
    return _spawn("evaluator", comparison.id, store, comparisons.log_path(store))


def _spawn(module: str, subject: str, store: Store, log_path: Path) -> Process:
    command = [sys.executable, "-m", f"metacore.runs.{module}", subject, str(store.folder)]
    try:
        with open(log_path, "ab") as log:
            worker = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                start_new_session=True,
                creationflags=_flags(),
            )
    except OSError as error:
        raise UserError(f"No worker could be started: {error}.") from error
    _workers.append(worker)
    return identify(worker.pid)


def _environment() -> dict[str, str]:
    """The worker finds the same home and the same program, wherever it is started from."""
    return {**child.environment(), "METACORE_HOME": str(home().absolute())}


def _flags() -> int:
    """Windows has no sessions: a process group without a console comes closest."""
    if sys.platform != "win32":
        return 0
    return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW


def _reap() -> None:
    """Lets the system forget the workers started here that have ended."""
    _workers[:] = [worker for worker in _workers if worker.poll() is None]
