"""The queue: jobs wait for their device, one of a kind at a time each, and are done elsewhere.

A worker has a session of its own, so it outlives the page, the server and the terminal that
started it. There is no server to the queue: whoever calls `dispatch` (a page's thread, a command,
a worker that has just ended) starts what may start, and the database sees to it that nothing is
started twice.
"""

import logging
import subprocess
import sys
import threading
from dataclasses import replace
from functools import partial
from typing import Any

from metacore import child
from metacore.errors import UserError
from metacore.home import home
from metacore.runs import teachers
from metacore.runs.comparisons import Comparisons
from metacore.runs.execution import Trainings
from metacore.runs.job import FINISHED, Job
from metacore.runs.kind import Kind
from metacore.runs.lease import J
from metacore.runs.process import Process, identify
from metacore.runs.record import Run
from metacore.runs.store import Store
from metacore.training.config import RunConfig

KINDS: dict[str, type[Kind[Any]]] = {kind.name: kind for kind in (Trainings, Comparisons)}

QUEUE_SECONDS = 1.0
_workers: list[subprocess.Popen[bytes]] = []


def submit(store: Store, config: RunConfig, name: str | None = None) -> Run:
    """A new run at the end of the queue."""
    return store.create(config, name)


def dispatch(store: Store) -> list[Job]:
    """Starts a worker for every waiting job whose device is free; returns those jobs."""
    _workers[:] = [worker for worker in _workers if worker.poll() is None]  # lets go of the ended
    started: list[Job] = []
    for kind in KINDS.values():
        jobs = kind(store)
        jobs.reconcile()
        while (job := jobs.launch(partial(_start, jobs))) is not None:
            started.append(job)
    return started


def cancel(store: Store, job: J) -> J:
    """A waiting job ends at once, a running one soon, a hung one by force."""
    kind: Kind[J] = KINDS[job.kind](store)
    return kind.cancel(job)


def resume(
    store: Store, run: Run, *, iterations: int | None = None, seconds: float | None = None
) -> Run:
    """Queues an ended run to go on from its last checkpoint; one whose worker died has ended.

    `iterations` and `seconds` are new totals, those already done included. When either is given,
    the two replace the old budget; a finished run needs one of them.
    """
    if run.read_only:
        raise UserError(f"{run.name} comes with Metacore and cannot be resumed.")
    trainings = Trainings(store)
    trainings.reconcile()
    run = store.get(run.id)
    if not run.resumable:
        raise UserError(f"{run.name} cannot be resumed: it is {run.status}.")
    if run.config.teacher is not None:
        teachers.find(store.runs(), run.config)
    if iterations is None and seconds is None:
        if run.status == FINISHED:
            raise UserError(f"{run.name} is finished: say for how long it should continue.")
        return trainings.go_on(run, run.config)
    _refuse_used_up(run, iterations or 0, seconds or 0.0)
    budget = replace(run.config.training, iterations=iterations or 0, seconds=seconds or 0.0)
    return trainings.go_on(run, run.config.replace(training=budget))


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


def _start(kind: Kind[Any], job: Job) -> Process:
    module = "metacore.runs.worker"
    folder = str(kind.store.folder)
    try:
        with open(kind.log_path(job), "ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", module, kind.name, job.id, folder],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**child.environment(), "METACORE_HOME": str(home().absolute())},
                start_new_session=True,
                creationflags=_flags(),
            )
    except OSError as error:
        raise UserError(f"No worker could be started: {error}.") from error
    _workers.append(worker)
    return identify(worker.pid)


def _flags() -> int:
    """Windows has no sessions: a process group without a console comes closest."""
    if sys.platform != "win32":
        return 0
    return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
