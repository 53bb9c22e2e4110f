"""The SQLite file behind the store: its tables, its transactions, and its failures as sentences.

A connection lasts for one transaction, so threads and processes share nothing and a file that was
moved away is simply made anew. WAL lets pages read while a worker writes.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from metacore.errors import UserError

BUSY_SECONDS = 30.0

# One script per schema version, each leading from the one before it to the next.
SCRIPTS = (
    """
    CREATE TABLE runs (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        status TEXT NOT NULL,
        values_json TEXT NOT NULL,
        metric TEXT NOT NULL,
        device TEXT NOT NULL,
        device_name TEXT NOT NULL DEFAULT '',
        environment TEXT NOT NULL DEFAULT '{}',
        created REAL NOT NULL,
        queued REAL,
        started REAL,
        ended REAL,
        pid INTEGER,
        pid_started REAL,
        host TEXT,
        heartbeat REAL,
        iteration INTEGER NOT NULL DEFAULT 0,
        seconds REAL NOT NULL DEFAULT 0,
        rate REAL,
        best_value REAL,
        best_ci95 REAL,
        best_iteration INTEGER,
        message TEXT NOT NULL DEFAULT '',
        cancel INTEGER NOT NULL DEFAULT 0,
        note TEXT NOT NULL DEFAULT '',
        tags TEXT NOT NULL DEFAULT '[]'
    );
    CREATE TABLE metrics (
        row INTEGER PRIMARY KEY AUTOINCREMENT,
        run TEXT NOT NULL,
        step INTEGER NOT NULL,
        seconds REAL NOT NULL,
        key TEXT NOT NULL,
        value REAL
    );
    CREATE INDEX metrics_of_run ON metrics (run);
    """,
    """
    CREATE TABLE comparisons (
        id TEXT PRIMARY KEY,
        question TEXT NOT NULL,
        device TEXT NOT NULL,
        status TEXT NOT NULL,
        created REAL NOT NULL,
        queued REAL,
        ended REAL,
        pid INTEGER,
        pid_started REAL,
        host TEXT,
        heartbeat REAL,
        done INTEGER NOT NULL DEFAULT 0,
        message TEXT NOT NULL DEFAULT '',
        cancel INTEGER NOT NULL DEFAULT 0
    );
    """,
    """
    ALTER TABLE runs ADD COLUMN owner TEXT NOT NULL DEFAULT '';
    ALTER TABLE runs ADD COLUMN most_seconds REAL;
    ALTER TABLE comparisons ADD COLUMN owner TEXT NOT NULL DEFAULT '';
    ALTER TABLE comparisons ADD COLUMN most_seconds REAL;
    """,
)


class BusyError(UserError):
    """Someone else has been writing for longer than anyone should."""


class Database:
    """One SQLite file, made with its tables where there is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._refuse_emptied()
        with self.reading() as db:
            if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise UserError(self._damaged("its pages contradict each other"))

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the database."""
        with self._connection() as db:
            yield db

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction no other writer can come between: all of it happens, or nothing."""
        with self._connection() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        self._make_folder()
        try:
            with contextlib.closing(
                sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            ) as db:
                db.row_factory = sqlite3.Row
                db.execute("PRAGMA synchronous = NORMAL")
                self._upgrade(db)
                yield db
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"Runs cannot be kept in {self.path.parent} ({error.strerror}): set METACORE_HOME"
                " to a folder of yours."
            ) from error

    def _upgrade(self, db: sqlite3.Connection) -> None:
        """Brings the tables up to this program's version."""
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(SCRIPTS):
            raise UserError(
                f"The run database {self.path} was written by a newer Metacore"
                f" (version {version}, this one knows {len(SCRIPTS)}): update Metacore, or set"
                " METACORE_HOME to another folder."
            )
        if version < len(SCRIPTS):
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")
            version = db.execute("PRAGMA user_version").fetchone()[0]  # another may have been first
            for statement in ";".join(SCRIPTS[version:]).split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {len(SCRIPTS)}")
            db.execute("COMMIT")

    def _refuse_emptied(self) -> None:
        """SQLite takes an empty file for a new database, which would hide every run there was."""
        emptied = self.path.exists() and self.path.stat().st_size == 0
        if emptied and any(self.path.parent.glob("*/config.json")):
            raise UserError(self._damaged("it is empty"))

    def _damaged(self, why: str) -> str:
        return (
            f"The run database {self.path} is damaged ({why}). Stop Metacore, rename the file or"
            " move it away, and start again with a new one; the weights of the runs stay in the"
            " folders beside it."
        )

    def _explained(self, error: sqlite3.Error) -> UserError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return UserError(self._damaged(str(error)))
        if code == sqlite3.SQLITE_FULL:
            return UserError(
                f"The disk is full: {self.path} could not be written. Free some space."
            )
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return BusyError(
                f"The run database {self.path} is in use by another program; try again."
            )
        return UserError(f"The run database {self.path} cannot be used: {error}.")
