"""The SQLite file behind the store: its tables, its transactions, and its failures as sentences.

A connection lasts for one transaction, so threads and processes share nothing and a file that was
moved away is simply made anew. WAL lets pages read while a worker writes. Where nothing can be
written (a home of somebody else, a read-only or a full disk) what is there is read all the same,
and `unwritable` says why no more than that is possible.
"""

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from metacore.errors import UserError

BUSY_SECONDS = 30.0
LOCKS_BYTES = 2**15

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
    "ALTER TABLE runs ADD COLUMN digest TEXT;",
    """
    ALTER TABLE comparisons RENAME TO jobs;
    ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'comparison';
    ALTER TABLE jobs ADD COLUMN started REAL;
    ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'training';
    """,
)


class BusyError(UserError):
    """Someone else has been writing for longer than anyone should."""


class FolderError(UserError):
    """There is no folder for the database, and none can be made."""


UNWRITABLE = (
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
)


class Database:
    """One SQLite file, made with its tables where there is none."""

    def __init__(
        self, path: Path, fill: Callable[[sqlite3.Connection], None] | None = None
    ) -> None:
        """`fill` puts into a database that had to be made anew what is known from elsewhere."""
        self.path = path
        self.unwritable = ""
        self._fill = fill
        self._refuse_emptied()
        with self.reading() as db:
            if db.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise UserError(self._damaged("its pages contradict each other"))

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one state of the database."""
        with self._connection(self._open_to_read) as db:
            yield db

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction no other writer can come between: all of it happens, or nothing."""
        with self._connection(self._open) as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _connection(
        self, connect: Callable[[], sqlite3.Connection]
    ) -> Iterator[sqlite3.Connection]:
        try:
            with contextlib.closing(connect()) as db:
                yield db
        except sqlite3.Error as error:
            raise self._explained(error) from error

    def _open(self) -> sqlite3.Connection:
        self._make_folder()
        db = _plain(sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None))
        try:
            db.execute("PRAGMA synchronous = NORMAL")
            self._upgrade(db)
        except BaseException:
            db.close()
            raise
        return db

    def _open_to_read(self) -> sqlite3.Connection:
        try:
            db = self._open()
        except sqlite3.Error as error:
            if _code(error) not in UNWRITABLE:
                raise
            self.unwritable, found = str(self._explained(error)), self._open_as_it_is()
            if found is None:
                raise
            return found
        except FolderError as error:
            self.unwritable, found = str(error), self._open_as_it_is()
            return found or _empty()
        self.unwritable = ""
        return db

    def _open_as_it_is(self) -> sqlite3.Connection | None:
        """Without writing a single byte, not even of SQLite's own; None where there is no way.

        `immutable` spares it the files it keeps beside a database, and must not be said of one
        whose last changes still lie in such a file.
        """
        log = f"{self.path}-wal"
        settled = not os.path.exists(log) or os.path.getsize(log) == 0
        for mode in ("mode=ro", "mode=ro&immutable=1")[: 1 + settled]:
            with contextlib.suppress(sqlite3.Error):
                db = sqlite3.connect(f"{self.path.as_uri()}?{mode}", uri=True, timeout=BUSY_SECONDS)
                try:
                    db.execute("SELECT count(*) FROM runs")
                except sqlite3.Error:
                    db.close()
                    raise
                return self._as_of_today(_plain(db))
        folder = self.path.parent
        hidden = not os.path.exists(self.path) or not os.access(self.path, os.R_OK)
        return _empty() if hidden and not os.access(folder, os.W_OK | os.X_OK) else None

    def _as_of_today(self, db: sqlite3.Connection) -> sqlite3.Connection:
        """With the tables this program knows: an older database is read from a copy in memory."""
        if db.execute("PRAGMA user_version").fetchone()[0] >= len(SCRIPTS):
            return db
        copy = _plain(sqlite3.connect(":memory:", isolation_level=None))
        with contextlib.closing(db):
            db.backup(copy)
        self._upgrade(copy)
        return copy

    def _make_folder(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FolderError(self._no_place(error.strerror)) from error

    def _no_place(self, why: str | None) -> str:
        return (
            f"Runs cannot be kept in {self.path.parent} ({why}): set METACORE_HOME to a folder of"
            " yours."
        )

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
            if version == 0 and self._fill is not None:
                self._fill(db)
            db.execute(f"PRAGMA user_version = {len(SCRIPTS)}")
            db.execute("COMMIT")

    def _refuse_emptied(self) -> None:
        """SQLite takes an empty file for a new database, which would hide every run there was."""
        emptied = os.path.exists(self.path) and os.path.getsize(self.path) == 0
        if emptied and any(self.path.parent.glob("*/config.json")):
            raise UserError(self._damaged("it is empty"))

    def _damaged(self, why: str) -> str:
        return (
            f"The run database {self.path} is damaged ({why}). Stop Metacore, rename the file or"
            " move it away, and start again: the runs are found again from the folders beside it."
        )

    def _explained(self, error: sqlite3.Error) -> UserError:
        code = _code(error)
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            return UserError(self._damaged(str(error)))
        full = code == sqlite3.SQLITE_IOERR and _no_space(self.path.parent)
        if code == sqlite3.SQLITE_FULL or full:
            return UserError(
                f"The disk is full: {self.path} could not be written. Free some space."
            )
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return BusyError(
                f"The run database {self.path} is in use by another program; try again."
            )
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
            return UserError(self._no_place(str(error)))
        return UserError(f"The run database {self.path} cannot be used: {error}.")


def insert(db: sqlite3.Connection, table: str, columns: dict[str, Any]) -> None:
    marks = ", ".join("?" * len(columns))
    query = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})"
    db.execute(query, [*columns.values()])


def update(
    db: sqlite3.Connection, table: str, columns: dict[str, Any], where: str, *values: Any
) -> int:
    """Changes the rows for which this is true; how many there were."""
    assignments = ", ".join(f"{column} = ?" for column in columns)
    query = f"UPDATE {table} SET {assignments} WHERE {where}"
    return db.execute(query, [*columns.values(), *values]).rowcount


def _code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _no_space(folder: Path) -> bool:
    """Whether there is not even room for the file SQLite shares its locks in."""
    try:
        return shutil.disk_usage(folder).free < LOCKS_BYTES
    except OSError:
        return False


def _plain(db: sqlite3.Connection) -> sqlite3.Connection:
    """Rows by name; a damaged byte of a text must not keep all other rows from being read."""
    db.row_factory = sqlite3.Row
    db.text_factory = lambda data: data.decode(errors="surrogateescape")
    return db


def _empty() -> sqlite3.Connection:
    """A database of nothing, for a place where nothing is and nothing can be kept."""
    db = _plain(sqlite3.connect(":memory:", isolation_level=None))
    db.executescript(";".join(SCRIPTS))
    return db
