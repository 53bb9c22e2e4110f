"""Comparisons made in the background: asked once, found again by whoever asks the same.

A comparison's id is made of its question and of the weights it is about, so a page finds its result
again after a reload, and thirty students who ask the same wait for one evaluation. Its row lies in
the runs' database; its result, once there is one, is a JSON file of its own.
"""

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from metacore.errors import UserError
from metacore.runs.classroom import Visitor, refuse_more
from metacore.runs.comparison import NOBODY, Comparison, Hold, change, read, readable
from metacore.runs.files import path_of, why_not_written
from metacore.runs.process import Process, recent, this_process
from metacore.runs.question import Question
from metacore.runs.record import (
    CANCELLED,
    ENDED,
    FAILED,
    FINISHED,
    INTERRUPTED,
    QUEUED,
    RUNNING,
    Run,
)
from metacore.runs.store import Store, slot
from metacore.training.config import refuse_other_inputs

KEPT = 200
FOLDER = "comparisons"
LOG = "evaluator.log"


def ask(store: Store, question: Question) -> Comparison:
    """The comparison that answers the question: one there is already, or a new one in the queue."""
    runs = [store.get(run) for run in question.runs]
    question = replace(question, runs=tuple(run.id for run in runs))
    for run in runs:
        refuse_other_inputs(run.config, question.source, run.name)
    about = json.dumps([question.to_dict(), [_weights(run) for run in runs]], sort_keys=True)
    comparison_id = hashlib.blake2b(about.encode(), digest_size=8).hexdigest()
    _make_folder(store)
    with store.database.writing() as db:
        _insert(db, store.visitor, comparison_id, question)
        outdated = _forget(db, comparison_id)
    for old in outdated:
        result_path(store, old).unlink(missing_ok=True)
    return find(store, comparison_id)


def find(store: Store, comparison_id: str) -> Comparison:
    """The comparison with this id, with its result if it is finished."""
    with store.database.reading() as db:
        found = read(db, comparison_id)
    if found.status != FINISHED:
        return found
    try:
        return replace(found, result=json.loads(result_path(store, found.id).read_bytes()))
    except (OSError, ValueError):
        message = "The result of this comparison is missing or damaged: compare again."
        return replace(found, status=FAILED, message=message)


def active(store: Store) -> list[Comparison]:
    """Those that wait or are being made, the oldest first."""
    with store.database.reading() as db:
        return _active(db)


def cancel(store: Store, comparison_id: str) -> Comparison:
    """A queued comparison ends at once, a running one after a few episodes, a hung one by force."""
    with store.database.writing() as db:
        current = read(db, comparison_id)
        store.visitor.refuse_others(current, "This comparison")
        if current.status == QUEUED:
            message = "Cancelled before it began."
            change(db, comparison_id, status=CANCELLED, ended=time.time(), message=message)
        elif current.status == RUNNING:
            change(db, comparison_id, cancel=1)
    silent = not recent(current.heartbeat or current.created, time.time())
    if current.status == RUNNING and current.process is not None and silent:
        current.process.kill()
        reconcile(store)
    return find(store, comparison_id)


def retry(store: Store, comparison_id: str) -> Comparison:
    """Queues a comparison that did not succeed once more; it belongs to whoever asks now."""
    if find(store, comparison_id).status in (QUEUED, RUNNING, FINISHED):
        return find(store, comparison_id)
    again: dict[str, Any] = {"status": QUEUED, "queued": time.time(), "ended": None, "message": ""}
    with store.database.writing() as db:
        if not read(db, comparison_id).active:
            refuse_more(db, store.visitor, "comparisons")
            again |= {"owner": store.visitor.owner, "most_seconds": store.visitor.seconds}
            change(db, comparison_id, **again, **NOBODY, heartbeat=None, done=0, cancel=0)
    return find(store, comparison_id)


def launch(store: Store, start: Callable[[Comparison], Process]) -> Comparison | None:
    """Starts an evaluator for the oldest queued comparison whose device none occupies.

    The process is started inside the transaction, so that no two dispatchers start two. What
    cannot be started fails, so that it does not hold up the others.
    """
    with store.database.reading() as db:
        if _waiting(db) is None:
            return None  # the usual answer, without locking anyone out
    with store.database.writing() as db:
        first = _waiting(db)
        if first is None:
            return None
        try:
            evaluator = start(first)
        except UserError as error:
            change(db, first.id, status=FAILED, message=str(error), ended=time.time())
        else:
            change(db, first.id, **evaluator.columns(), heartbeat=time.time())
        return read(db, first.id)


def reconcile(store: Store) -> list[Comparison]:
    """Says of every comparison whose evaluator has died that it was interrupted; returns those."""
    _forget_damaged(store)
    with store.database.reading() as db:
        claimed = [comparison for comparison in _active(db) if comparison.process is not None]
    return [dead for dead in claimed if not dead.alive() and _bury(store, dead)]


def hold(store: Store, comparison_id: str) -> Hold | None:
    """Makes this process the one that evaluates, if the comparison is still waiting for one."""
    process = this_process()
    with store.database.writing() as db:
        if read(db, comparison_id).status != QUEUED:
            return None
        fresh = {"status": RUNNING, "heartbeat": time.time(), "cancel": 0, "done": 0}
        change(db, comparison_id, **fresh, **process.columns())
    return Hold(store.database, comparison_id, process)


def result_path(store: Store, comparison_id: str) -> Path:
    return store.folder / FOLDER / f"{comparison_id}.json"


def log_path(store: Store) -> Path:
    """Where evaluators leave what nobody but a programmer wants to read."""
    return store.folder / FOLDER / LOG


def _make_folder(store: Store) -> None:
    folder = store.folder / FOLDER
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UserError(why_not_written(folder, error)) from error


def _weights(run: Run) -> list[Any]:
    """What a result depends on: the weights, and how much training is reported beside them."""
    paths = (path_of(run.folder, which) for which in ("best", "last", "previous"))
    weights = next((path for path in paths if path.exists()), None)
    if weights is None:
        raise UserError(f"{run.name} has no weights yet: let it train for a while first.")
    try:
        digest = hashlib.blake2b(weights.read_bytes(), digest_size=16).hexdigest()
    except OSError as error:
        raise UserError(f"{weights} cannot be read: {error.strerror}.") from error
    return [run.id, run.started, run.iteration if run.status in ENDED else None, digest]


def _insert(
    db: sqlite3.Connection, visitor: Visitor, comparison_id: str, question: Question
) -> None:
    """Adds it, unless somebody has asked the same: to share an answer needs no permission."""
    there = db.execute("SELECT * FROM comparisons WHERE id = ?", (comparison_id,)).fetchone()
    if there is not None and readable(there) is not None:
        return
    db.execute("DELETE FROM comparisons WHERE id = ?", (comparison_id,))
    refuse_more(db, visitor, "comparisons")
    now, text = time.time(), json.dumps(question.to_dict())
    asker = (visitor.owner, visitor.seconds)
    db.execute(
        "INSERT INTO comparisons (id, question, device, status, created, queued, owner,"
        " most_seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (comparison_id, text, slot("auto"), QUEUED, now, now, *asker),
    )


def _forget(db: sqlite3.Connection, but: str) -> list[str]:
    """Deletes the oldest ended comparisons beyond those kept; returns their ids."""
    marks = ", ".join("?" * len(ENDED))
    query = f"SELECT id FROM comparisons WHERE status IN ({marks}) AND id != ?"
    newest_first = " ORDER BY created DESC, id LIMIT -1 OFFSET ?"
    outdated = [row["id"] for row in db.execute(query + newest_first, (*ENDED, but, KEPT - 1))]
    db.executemany("DELETE FROM comparisons WHERE id = ?", [(old,) for old in outdated])
    return outdated


def _forget_damaged(store: Store) -> None:
    """Deletes what waits but cannot be read: it would wait for ever, and count as somebody's."""
    query = "SELECT * FROM comparisons WHERE status IN (?, ?)"
    with store.database.reading() as db:
        rows = db.execute(query, (QUEUED, RUNNING)).fetchall()
    lost = [(row["id"],) for row in rows if readable(row) is None]
    if lost:
        with store.database.writing() as db:
            db.executemany("DELETE FROM comparisons WHERE id = ?", lost)


def _waiting(db: sqlite3.Connection) -> Comparison | None:
    """The oldest queued comparison whose device no other one occupies."""
    active = _active(db)
    busy = {comparison.device for comparison in active if comparison.process is not None}
    return next((c for c in active if c.process is None and c.device not in busy), None)


def _active(db: sqlite3.Connection) -> list[Comparison]:
    query = "SELECT * FROM comparisons WHERE status IN (?, ?) ORDER BY queued, id"
    found = (readable(row) for row in db.execute(query, (QUEUED, RUNNING)))
    return [comparison for comparison in found if comparison is not None]


def _bury(store: Store, dead: Comparison) -> bool:
    """Marks a dead evaluator's comparison, unless it has changed since it was looked at."""
    if dead.status == RUNNING:
        status = INTERRUPTED
        message = "Its evaluation stopped without a word (killed, or the machine was restarted)."
    else:
        status, message = FAILED, f"Its evaluation ended before it began: see {log_path(store)}."
    with store.database.writing() as db:
        now = read(db, dead.id)
        same = (now.status, now.process) == (dead.status, dead.process)
        if same:
            change(db, dead.id, status=status, message=message, ended=time.time(), **NOBODY)
    return same
