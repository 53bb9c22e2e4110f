"""One comparison: what everyone gets to see of it, its row, and the right to write to it."""

import json
import sqlite3
import time
from dataclasses import dataclass, field
from typing import Any

from metacore.errors import UserError
from metacore.runs.claim import OURS, RunLostError
from metacore.runs.database import Database
from metacore.runs.process import Process
from metacore.runs.question import Question
from metacore.runs.record import FINISHED, QUEUED, RUNNING

NOBODY = {"pid": None, "pid_started": None, "host": None}


@dataclass(frozen=True)
class Comparison:
    """A comparison as it stood when it was read. Times are seconds since 1970."""

    id: str
    question: Question
    status: str
    device: str
    created: float
    done: int = 0  # episodes, over all runs
    message: str = ""
    queued: float | None = None
    ended: float | None = None
    process: Process | None = None
    heartbeat: float | None = None
    owner: str = ""  # who asked first, in a class: see classroom.py
    most_seconds: float | None = None  # it is stopped after this long
    result: dict[str, Any] | None = field(default=None, hash=False, repr=False)

    @property
    def active(self) -> bool:
        """Still to change by itself: a page that shows it should keep looking."""
        return self.status in (QUEUED, RUNNING)

    @property
    def progress(self) -> float:
        """0 to 1."""
        return 1.0 if self.status == FINISHED else min(1.0, self.done / self.question.total)

    def alive(self) -> bool:
        return self.process is not None and self.process.alive(self.heartbeat)


@dataclass(frozen=True)
class Hold:
    """The right of one process to write to a comparison, for as long as it belongs to it."""

    database: Database
    id: str
    process: Process

    def cancelled(self) -> bool:
        """Whether someone has asked the comparison to stop."""
        query = f"SELECT cancel FROM comparisons WHERE {OURS}"
        with self.database.reading() as db:
            row = db.execute(query, self._owner()).fetchone()
        if row is None:
            raise self._lost()
        return bool(row["cancel"])

    def report(self, done: int) -> None:
        """The heartbeat."""
        self._write(done=done, heartbeat=time.time())

    def finish(self, status: str, message: str) -> None:
        """The last write: the comparison belongs to nobody afterwards."""
        self._write(status=status, message=message, ended=time.time(), **NOBODY)

    def _write(self, **columns: Any) -> None:
        query = f"UPDATE comparisons SET {_assignments(columns)} WHERE {OURS}"
        with self.database.writing() as db:
            if db.execute(query, [*columns.values(), *self._owner()]).rowcount == 0:
                raise self._lost()

    def _owner(self) -> tuple[Any, ...]:
        return self.id, RUNNING, *self.process.columns().values()

    def _lost(self) -> RunLostError:
        return RunLostError(f"The comparison {self.id} was taken over or deleted.")


def read(db: sqlite3.Connection, comparison_id: str) -> Comparison:
    row = db.execute("SELECT * FROM comparisons WHERE id = ?", (comparison_id,)).fetchone()
    if row is None:
        raise UserError("This comparison is not kept any more: compare the runs again.")
    found = readable(row)
    if found is None:
        raise UserError("The record of this comparison is damaged: compare the runs again.")
    return found


def readable(row: sqlite3.Row) -> Comparison | None:
    """The comparison in this row; None where the row is damaged, so that others are not held up."""
    columns = dict(row)
    pid, started, host = (columns.pop(name) for name in ("pid", "pid_started", "host"))
    columns.pop("cancel")  # only the evaluator asks
    numbers = ("created", "done", "queued", "ended", "heartbeat", "most_seconds")
    if not all(isinstance(columns.get(name), int | float | None) for name in numbers):
        return None
    try:
        columns["question"] = Question.from_dict(json.loads(columns["question"]))
    except (UserError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    return Comparison(**columns, process=None if pid is None else Process(pid, started, host))


def change(db: sqlite3.Connection, comparison_id: str, **columns: Any) -> None:
    query = f"UPDATE comparisons SET {_assignments(columns)} WHERE id = ?"
    db.execute(query, [*columns.values(), comparison_id])


def _assignments(columns: dict[str, Any]) -> str:
    return ", ".join(f"{column} = ?" for column in columns)
