import multiprocessing
import os
import shutil
import sqlite3
from functools import partial
from pathlib import Path

import pytest

from metacore.errors import UserError
from metacore.runs.database import SCRIPTS, Database
from metacore.runs.store import Store
from metacore.training.config import RunConfig


def _open_and_write(path: Path, number: int) -> None:
    database = Database(path)
    for step in range(20):
        with database.writing() as db:
            db.execute(
                "INSERT INTO metrics (run, step, seconds, key, value) VALUES ('r', ?, 0, 'k', ?)",
                (step, number),
            )


def test_many_processes_make_and_write_one_database(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "runs.db"
    context = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")
    writers = [context.Process(target=_open_and_write, args=(path, n)) for n in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * 6
    with Database(path).reading() as db:
        assert db.execute("SELECT count(*) FROM metrics").fetchone()[0] == 120


def test_a_failing_transaction_changes_nothing(tmp_path: Path) -> None:
    database = Database(tmp_path / "runs.db")
    insert = "INSERT INTO metrics (run, step, seconds, key, value) VALUES ('r', 1, 0, 'k', ?)"
    with pytest.raises(UserError, match="no such column"), database.writing() as db:
        _ = db.execute(insert, (1,)), db.execute("UPDATE metrics SET nonsense = 1")
    with database.reading() as db:
        assert db.execute("SELECT count(*) FROM metrics").fetchone()[0] == 0


def test_garbage_instead_of_a_database_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "runs.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(UserError, match=r"runs\.db is damaged .* move it away"):
        Database(tmp_path / "runs.db")


def test_a_damaged_page_is_found_before_anything_is_read(store: Store, config: RunConfig) -> None:
    for _ in range(30):
        store.create(config)
    data = bytearray(store.database.path.read_bytes())
    assert len(data) > 3 * 4096
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 200] = b"\xff" * 200
    store.database.path.write_bytes(data)
    with pytest.raises(UserError, match="damaged"):
        Store()


def test_an_emptied_database_does_not_pass_for_a_new_one(store: Store, config: RunConfig) -> None:
    store.create(config)
    store.database.path.write_bytes(b"")
    with pytest.raises(UserError, match="it is empty"):
        Store()


def test_where_nothing_can_be_written_what_is_there_is_read(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(config)
    monkeypatch.setattr(Database, "_open", _refused)
    assert store.runs() == [run]
    assert "set METACORE_HOME" in store.database.unwritable
    with pytest.raises(UserError, match="set METACORE_HOME"):
        store.annotate(run, "a note")
    monkeypatch.undo()
    assert store.annotate(run, "a note").note == "a note"
    assert store.runs()
    assert store.database.unwritable == ""


def test_a_disk_too_full_for_sqlites_locks_is_a_sentence_and_is_read(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(config)
    usage = shutil.disk_usage(store.folder)._replace(free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    monkeypatch.setattr(Database, "_open", partial(_refused, code=sqlite3.SQLITE_IOERR))
    assert store.runs() == [run]
    assert "The disk is full" in store.database.unwritable


def test_changes_that_lie_beside_the_database_are_read_too(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.database.reading():  # as long as it lasts the log is not tidied up
        run = store.create(config)
        monkeypatch.setattr(Database, "_open", _refused)
        assert store.runs() == [run]


def _refused(*_: Database, code: int = sqlite3.SQLITE_CANTOPEN) -> None:
    error = sqlite3.OperationalError("unable to open database file")
    error.sqlite_errorcode = code
    raise error


def test_a_newer_database_is_not_touched(store: Store) -> None:
    with sqlite3.connect(store.database.path) as db:
        db.execute(f"PRAGMA user_version = {len(SCRIPTS) + 1}")
    db.close()
    with pytest.raises(UserError, match="newer Metacore"):
        Store()


def test_a_home_that_cannot_be_made_is_said_so(tmp_path: Path, config: RunConfig) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "runs")
    assert store.runs() == store.damaged() == []
    assert "set METACORE_HOME" in store.database.unwritable
    with pytest.raises(UserError, match="set METACORE_HOME"):
        store.create(config)


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    database = Database(tmp_path / "runs.db")
    insert = "INSERT INTO metrics (run, step, seconds, key, value) VALUES (?, 1, 0, 'k', 1)"
    full = "PRAGMA max_page_count = 1"
    with pytest.raises(UserError, match="disk is full"), database.writing() as db:
        _ = db.execute(full), db.executemany(insert, [("long" * 5000,)] * 10)
    with database.reading() as db:
        assert db.execute("SELECT count(*) FROM metrics").fetchone()[0] == 0
