"""A kind of job: how it waits, is claimed, is worked on, is cancelled and is found dead.

All of that is the same for every kind. What one adds is how a row is read and what the work is: a
new kind is one class here and one entry in `jobs.KINDS`. There is a slot per device for each kind,
so that a comparison is evaluated while a run trains.
"""

import sqlite3
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Generic

from metacore.device import out_of_memory
from metacore.errors import UserError
from metacore.runs.classroom import refuse_more
from metacore.runs.database import update
from metacore.runs.files import log
from metacore.runs.job import (
    ACTIVE,
    CANCELLED,
    ENDED,
    FAILED,
    INTERRUPTED,
    NOBODY,
    QUEUED,
    RUNNING,
)
from metacore.runs.lease import J, Lease, LeaseLostError, Watch
from metacore.runs.process import Process, this_process
from metacore.runs.store import Store

OVERDUE_SECONDS = 60.0
Work = Callable[[], tuple[str, str]]  # does it; a status and a sentence


class Kind(ABC, Generic[J]):
    """The jobs of one kind in a store."""

    name: ClassVar[str]  # in sentences and on a worker's command line
    table: ClassVar[str] = "jobs"

    def __init__(self, store: Store) -> None:
        self.store = store

    # --- what a kind adds ------------------------------------------------------------------------

    @abstractmethod
    def read(self, row: sqlite3.Row) -> J | None:
        """The job in this row; None where the row is damaged, so that others are not held up."""

    @abstractmethod
    def get(self, job_id: str) -> J:
        """The job with this id, or a sentence why there is none."""

    @abstractmethod
    def work(self, job: J) -> Watch:
        """Claims a waiting job and does what it is about, see `carry_out`."""

    @abstractmethod
    def log_path(self, job: J) -> Path:
        """Where its processes leave what nobody but a programmer wants to read."""

    @abstractmethod
    def epitaph(self, job: J) -> str:
        """What to say of a job whose process stopped without a word while it was at work."""

    @property
    @abstractmethod
    def again(self) -> str:
        """How it goes on once it was stopped, as the end of a sentence."""

    def note_down(self, job: J) -> None:
        """Keeps elsewhere, too, what its row says by now."""

    # --- what is the same for all ----------------------------------------------------------------

    def active(self) -> list[J]:
        """Those that wait or are worked on, the oldest first."""
        with self.store.database.reading() as db:
            return self._active(db)

    def claim(self, job: J) -> Lease[J]:
        """Makes this process the one that works on the job, if it still is as `job` shows it."""
        process, now = this_process(), time.time()
        fresh = {"status": RUNNING, "started": now, "heartbeat": now, "ended": None, "cancel": 0}
        with self.store.database.writing() as db:
            current = self.row(db, job)
            if current.status == RUNNING and current.process != process:
                raise self._taken(current)
            if current.status != RUNNING:
                if current.status != job.status:
                    raise self._taken(current)
                self.change(db, job, **fresh, **process.columns(), message="")
            return Lease(self.store.database, self.table, self.row(db, job))

    def carry_out(self, watch: Watch, work: Work) -> Watch:
        """Works until the end, whatever the end is: it becomes a status and a sentence.

        Only `kill -9` leaves nothing. Raises UserError if the job was deleted or taken over.
        """
        with watch.listening():
            status, message = self._end(watch, work)
            watch.lease.finish(status, " ".join(filter(None, [watch.warning, message])))
        return watch

    def launch(self, start: Callable[[J], Process]) -> J | None:
        """Starts a process for the oldest waiting job whose device none of its kind occupies.

        It is started inside the transaction, so that no two dispatchers start two. What cannot be
        started fails, so that it does not hold up the others.
        """
        with self.store.database.reading() as db:
            if self._waiting(db) is None:
                return None  # the usual answer, without locking anyone out
        with self.store.database.writing() as db:
            job = self._waiting(db)
            if job is None:
                return None
            try:
                process = start(job)
            except UserError as error:
                self.change(db, job, status=FAILED, message=str(error), ended=time.time())
            else:
                self.change(db, job, **process.columns(), heartbeat=time.time())
            return self.row(db, job)

    def cancel(self, job: J) -> J:
        """What `jobs.cancel` does."""
        self.reconcile()
        with self.store.database.writing() as db:
            current = self.row(db, job)
            self.store.visitor.refuse_others(current, current.title)
            if current.status == QUEUED:
                message = "Cancelled before it began."
                self.change(db, job, status=CANCELLED, ended=time.time(), message=message)
            elif current.status == RUNNING:
                self.change(db, job, cancel=1)
        self.note_down(self.get(job.id))
        if current.process is not None and current.silent(time.time()):
            current.process.kill()
            self.reconcile()
        return self.get(job.id)

    def requeue(self, job: J, changed: Callable[[J], dict[str, Any]]) -> J:
        """Puts an ended job back into the queue; `changed` says what else is new in its row."""
        fresh = {"queued": time.time(), "ended": None, "heartbeat": None, "cancel": 0, **NOBODY}
        with self.store.database.writing() as db:
            current = self.row(db, job)
            if current.status not in ENDED:
                raise UserError(f"{current.title} is {current.status} already.")
            columns = changed(current)
            refuse_more(db, self.store.visitor, self.table)
            columns |= {"status": QUEUED, "message": "", "most_seconds": self.store.visitor.seconds}
            self.change(db, job, **columns, **fresh)
        return self.get(job.id)

    def reconcile(self) -> list[J]:
        """Says of every job whose process has died that it was interrupted; returns those.

        What should have stopped itself long ago is ended first: it hears of nothing within one
        long step.
        """
        claimed = [job for job in self.active() if job.process is not None]
        for job in claimed:
            assert job.process is not None
            lived = time.time() - job.process.started
            if job.most_seconds is not None and lived > 2 * job.most_seconds + OVERDUE_SECONDS:
                job.process.kill()
        return [job for job in claimed if not job.alive() and self._bury(job)]

    def row(self, db: sqlite3.Connection, job: J) -> J:
        """The job as it stands inside this transaction."""
        found = self._row(db, job)
        if found is None:
            raise UserError(f"{job.title} has been deleted.")
        return found

    def change(self, db: sqlite3.Connection, job: J, **columns: Any) -> None:
        update(db, self.table, columns, "id = ?", job.id)

    def _row(self, db: sqlite3.Connection, job: J) -> J | None:
        query = f"SELECT * FROM {self.table} WHERE id = ?"
        row = db.execute(query, (job.id,)).fetchone()
        return None if row is None else self.read(row)

    def _active(self, db: sqlite3.Connection) -> list[J]:
        query = f"SELECT * FROM {self.table} WHERE kind = ? AND status IN (?, ?)"
        rows = db.execute(f"{query} ORDER BY queued, id", (self.name, *ACTIVE))
        return [job for row in rows if (job := self.read(row)) is not None]

    def _waiting(self, db: sqlite3.Connection) -> J | None:
        active = self._active(db)
        busy = {job.device for job in active if job.process is not None}
        free = (job for job in active if job.process is None and job.device not in busy)
        return next((job for job in free if not job.lost), None)

    def _end(self, watch: Watch, work: Work) -> tuple[str, str]:
        try:
            return work()
        except LeaseLostError:
            raise
        except UserError as error:
            return FAILED, str(error)
        except KeyboardInterrupt:
            watch.lease.finish(INTERRUPTED, f"Stopped at once; {self.again}.")
            raise
        except Exception as error:
            log(self.log_path(watch.lease.job), traceback.format_exc())
            return FAILED, unforeseen(error)

    def _bury(self, dead: J) -> bool:
        """Marks a job without a process, unless it has changed since it was looked at."""
        status, said = INTERRUPTED, self.epitaph(dead)
        if dead.status == QUEUED:
            status, said = FAILED, f"Its worker ended before it began: see {self.log_path(dead)}."
        message = " ".join(filter(None, [dead.message, said]))
        with self.store.database.writing() as db:
            now = self._row(db, dead)
            if now is None or (now.status, now.process) != (dead.status, dead.process):
                return False
            self.change(db, dead, status=status, message=message, ended=time.time(), **NOBODY)
        self.note_down(self.get(dead.id))
        return True

    def _taken(self, current: J) -> UserError:
        return UserError(f"{current.title} is {current.status} by now: it was not started again.")


def unforeseen(error: Exception) -> str:
    """What to say about an error nobody foresaw, in one line."""
    if out_of_memory(error):
        return "There was not enough memory: choose fewer tasks, queries or ways, or another model."
    return traceback.format_exception_only(error)[-1].strip()
