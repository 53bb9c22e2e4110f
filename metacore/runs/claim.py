"""What only the process that trains a run may write: its progress, its metrics, its end.

Every write is fenced: it takes place only while the run still belongs to this process, so a run
that was deleted, or that someone else has taken over, is never written to by the one that lost it.
"""

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metacore.errors import UserError
from metacore.runs.database import Database
from metacore.runs.record import RUNNING, Run
from metacore.runs.rows import results_digest

INSERT_METRIC = "INSERT INTO metrics (run, step, seconds, key, value) VALUES (?, ?, ?, ?, ?)"

Row = tuple[int, float, str, float]  # step, seconds, key, value


class RunLostError(UserError):
    """The run was deleted, or belongs to another process by now."""


@dataclass(frozen=True)
class Progress:
    """How far a training has come."""

    iteration: int
    seconds: float
    rate: float | None = None
    best_iteration: int | None = None
    best_value: float | None = None
    best_ci95: float | None = None


@dataclass(frozen=True)
class Claim:
    """A run and the right to write to it."""

    database: Database
    run: Run

    def cancelled(self) -> bool:
        """Whether someone has asked the run to stop."""
        query = f"SELECT cancel FROM runs WHERE {OURS}"
        with self.database.reading() as db:
            row = db.execute(query, self._owner()).fetchone()
        if row is None:
            raise self._lost()
        return bool(row["cancel"])

    def report(self, progress: Progress, rows: Sequence[Row] = ()) -> None:
        """The heartbeat: where the training stands, and the metrics since the last one."""
        with self.database.writing() as db:
            self._change(db, heartbeat=time.time(), **self._sealed(progress))
            db.executemany(INSERT_METRIC, [(self.run.id, *row) for row in rows])

    def rewind(self, progress: Progress) -> None:
        """Puts the row back to where a checkpoint was written, or to the start without one.

        The metrics later than that are forgotten: the training will report them again.
        """
        with self.database.writing() as db:
            self._change(db, **self._sealed(progress))
            query = "DELETE FROM metrics WHERE run = ? AND step > ?"
            db.execute(query, (self.run.id, progress.iteration))

    def describe(self, device: str, description: dict[str, Any]) -> None:
        """Where the run is computed."""
        with self.database.writing() as db:
            text = json.dumps(description)
            name = str(description.get("name", device))
            self._change(db, device=device, device_name=name, environment=text)

    def say(self, message: str) -> None:
        with self.database.writing() as db:
            self._change(db, message=message)

    def finish(self, status: str, message: str) -> None:
        """The last write: the run belongs to nobody afterwards."""
        with self.database.writing() as db:
            ended = {"ended": time.time(), "pid": None, "pid_started": None, "host": None}
            self._change(db, status=status, message=message, **ended)

    def _sealed(self, progress: Progress) -> dict[str, Any]:
        """The columns of a progress with the digest that proves them."""
        columns = dict(vars(progress))
        return {**columns, "digest": results_digest(self.run.values, self.run.metric, columns)}

    def _change(self, db: sqlite3.Connection, **columns: Any) -> None:
        assignments = ", ".join(f"{column} = ?" for column in columns)
        query = f"UPDATE runs SET {assignments} WHERE {OURS}"
        if db.execute(query, [*columns.values(), *self._owner()]).rowcount == 0:
            raise self._lost()

    def _owner(self) -> tuple[Any, ...]:
        process = self.run.process
        assert process is not None  # a claim is made by writing a process into the run
        return self.run.id, RUNNING, process.pid, process.started, process.host

    def _lost(self) -> RunLostError:
        return RunLostError(
            f"{self.run.name} was deleted or taken over: its training here has ended."
        )


OURS = "id = ? AND status = ? AND pid = ? AND pid_started = ? AND host = ?"
