"""The right to work on a job: what only the process that has it may write, and how it is watched.

Every write is fenced: it takes place only while the job still belongs to this process, so a job
that was deleted, or that someone else has taken over, is never written to by the one that lost it.
"""

import contextlib
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, Generic, Self, TypeVar

from metacore.errors import UserError
from metacore.runs.database import BusyError, Database, update
from metacore.runs.job import NOBODY, RUNNING, Job
from metacore.runs.process import HEARTBEAT_SECONDS

LISTEN_SECONDS = 0.1  # how often a watch asks whether the job was cancelled
OURS = "id = ? AND status = ? AND pid = ? AND pid_started = ? AND host = ?"
J = TypeVar("J", bound=Job)


class LeaseLostError(UserError):
    """The job was deleted, or belongs to another process by now."""


@dataclass(frozen=True)
class Lease(Generic[J]):
    """A job and the right of this process to write to it."""

    database: Database
    table: str
    job: J

    def cancelled(self) -> bool:
        """Whether someone has asked the job to stop."""
        query = f"SELECT cancel FROM {self.table} WHERE {OURS}"
        with self.database.reading() as db:
            row = db.execute(query, self._owner()).fetchone()
        if row is None:
            raise self._lost()
        return bool(row["cancel"])

    def beat(self, **columns: Any) -> None:
        """The heartbeat, and what else has changed."""
        self.write(heartbeat=time.time(), **columns)

    def finish(self, status: str, message: str) -> None:
        """The last write: the job belongs to nobody afterwards."""
        self.write(status=status, message=message, ended=time.time(), **NOBODY)

    def write(self, **columns: Any) -> None:
        with self.database.writing() as db:
            self.change(db, **columns)

    def change(self, db: sqlite3.Connection, **columns: Any) -> None:
        """The same within a transaction."""
        if not update(db, self.table, columns, OURS, *self._owner()):
            raise self._lost()

    def _owner(self) -> tuple[Any, ...]:
        process = self.job.process
        assert process is not None  # a lease is made by writing a process into the job
        return self.job.id, RUNNING, *process.columns().values()

    def _lost(self) -> LeaseLostError:
        return LeaseLostError(
            f"{self.job.title} was deleted or taken over: the work on it here has ended."
        )


class Watch:
    """Between the work, which only reads a flag, and whoever wants to know of it or to stop it.

    A second thread talks to the database: it says every second that the job is alive and how far
    it is, and asks ten times a second whether someone wants it to stop. SIGINT and SIGTERM want
    that, too; a second one of them ends the work at once.
    """

    def __init__(self, lease: Lease[Any], beat: Callable[[], None], noun: str) -> None:
        self.lease, self.beat, self.noun = lease, beat, noun
        self.warning = ""  # what the job's message should keep saying
        self.signal = ""  # the name of the one that asked this process to stop
        self.overdue = False  # it has taken as long as it may
        self.cancelled = False
        self.error: Exception | None = None

    def must_stop(self, seconds: float) -> bool:
        """Whether the work has to end, after so many seconds of it."""
        if self.error is not None:
            raise self.error
        most = self.lease.job.most_seconds
        self.overdue = most is not None and seconds >= most
        return bool(self.signal) or self.cancelled or self.overdue

    def why_stopped(self) -> str:
        if self.overdue:
            most = f"{self.lease.job.most_seconds:g} seconds"
            return f"Stopped after {most}, the most a {self.noun} may take here"
        return f"Stopped by {self.signal}" if self.signal else "Cancelled"

    @contextlib.contextmanager
    def listening(self) -> Iterator[Self]:
        """For as long as the block lasts; an error in the thread stops it and is kept."""
        ended = threading.Event()
        thread = threading.Thread(target=self._listen, args=(ended,), name="pulse", daemon=True)
        # The connection kept open spares SQLite from tidying up its log after every heartbeat.
        with self.lease.database.reading(), self._hearing_signals():
            thread.start()
            try:
                yield self
            finally:
                ended.set()
                thread.join()

    def _listen(self, ended: threading.Event) -> None:
        try:
            next_beat = time.monotonic()
            while not ended.wait(LISTEN_SECONDS):
                self.cancelled = self.cancelled or self.lease.cancelled()
                if time.monotonic() >= next_beat:
                    with contextlib.suppress(BusyError):  # the next beat says it all
                        self.beat()
                    next_beat = time.monotonic() + HEARTBEAT_SECONDS
        except Exception as error:  # raised again by the work
            self.error = error

    @contextlib.contextmanager
    def _hearing_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield  # Python lets only the main thread hear signals
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def stop(number: int, _frame: FrameType | None) -> None:
            self.signal = signal.Signals(number).name
            restore()

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        for number in before:
            signal.signal(number, stop)
        try:
            yield
        finally:
            restore()
