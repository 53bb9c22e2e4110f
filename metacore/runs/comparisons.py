"""Comparisons made in the background: asked once, found again by whoever asks the same.

A comparison's id is made of its question and of the weights it is about, so a page finds its result
again after a reload, and thirty students who ask the same wait for one evaluation. Its row lies in
the runs' database; its result, once there is one, is a JSON file of its own.
"""

import hashlib
import json
import sqlite3
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from metacore.atomic import make_folder, write_whole
from metacore.errors import UserError
from metacore.runs.classroom import refuse_more
from metacore.runs.comparison import ComparisonJob, read_comparison
from metacore.runs.database import insert
from metacore.runs.evaluator import compare
from metacore.runs.files import path_of
from metacore.runs.job import ACTIVE, CANCELLED, ENDED, FAILED, FINISHED, QUEUED
from metacore.runs.kind import Kind
from metacore.runs.lease import Watch
from metacore.runs.question import Question
from metacore.runs.record import Run
from metacore.runs.results import result_json
from metacore.runs.store import Store, slot
from metacore.training.config import refuse_other_inputs

KEPT = 200
FOLDER = "comparisons"
LOG = "evaluator.log"


class Comparisons(Kind[ComparisonJob]):
    """Comparisons, as far as they wait and are evaluated."""

    name = ComparisonJob.kind
    again = "compare again to start from the beginning"

    def read(self, row: sqlite3.Row) -> ComparisonJob | None:
        return read_comparison(row)

    def get(self, job_id: str) -> ComparisonJob:
        return find(self.store, job_id)

    def work(self, job: ComparisonJob) -> Watch:
        lease, done, begun = self.claim(job), 0, time.monotonic()

        def progress(more: int) -> None:
            nonlocal done
            done = more
            if watch.must_stop(time.monotonic() - begun):
                raise _StoppedError

        def evaluate() -> tuple[str, str]:
            try:
                found = compare(self.store, job.question, progress)
            except _StoppedError:
                ask_for = "ask for fewer episodes" if watch.overdue else self.again
                stop = ":" if watch.overdue else ";"
                return CANCELLED, f"{watch.why_stopped()}{stop} {ask_for}."
            write_whole(result_path(self.store, job.id), result_json(found))
            return FINISHED, ""

        watch = Watch(lease, lambda: lease.beat(done=done), self.name)
        return self.carry_out(watch, evaluate)

    def log_path(self, job: ComparisonJob) -> Path:
        return self.store.folder / FOLDER / LOG

    def epitaph(self, job: ComparisonJob) -> str:
        return "Its evaluation stopped without a word (killed, or the machine was restarted)."

    def reconcile(self) -> list[ComparisonJob]:
        """What waits but cannot be read is deleted: it would wait for ever, and be somebody's."""
        query = "SELECT * FROM jobs WHERE kind = ? AND status IN (?, ?)"
        with self.store.database.reading() as db:
            rows = db.execute(query, (self.name, *ACTIVE)).fetchall()
        lost = [(row["id"],) for row in rows if self.read(row) is None]
        if lost:
            with self.store.database.writing() as db:
                db.executemany("DELETE FROM jobs WHERE id = ?", lost)
        return super().reconcile()


class _StoppedError(Exception):
    """Whoever wants the comparison to stop has been heard."""


def ask(store: Store, question: Question) -> ComparisonJob:
    """The comparison that answers the question: one there is already, or a new one in the queue."""
    store.visitor.refuse_paths(question.source)
    runs = [store.get(run) for run in question.runs]
    question = replace(question, runs=tuple(run.id for run in runs))
    for run in runs:
        refuse_other_inputs(run.config, question.source, run.name, convert=question.convert)
    about = json.dumps([question.to_dict(), [_weights(run) for run in runs]], sort_keys=True)
    comparison_id = hashlib.blake2b(about.encode(), digest_size=8).hexdigest()
    make_folder(store.folder / FOLDER)
    with store.database.writing() as db:
        _insert(db, store, comparison_id, question)
        outdated = _forget(db, comparison_id)
    for old in outdated:
        result_path(store, old).unlink(missing_ok=True)
    return find(store, comparison_id)


def find(store: Store, comparison_id: str) -> ComparisonJob:
    """The comparison with this id, with its result if it is finished."""
    with store.database.reading() as db:
        row = db.execute("SELECT * FROM jobs WHERE id = ?", (comparison_id,)).fetchone()
    if row is None:
        raise UserError("This comparison is not kept any more: compare the runs again.")
    found = read_comparison(row)
    if found is None:
        raise UserError("The record of this comparison is damaged: compare the runs again.")
    if found.status != FINISHED:
        return found
    try:
        return replace(found, result=json.loads(result_path(store, found.id).read_bytes()))
    except (OSError, ValueError):
        message = "The result of this comparison is missing or damaged: compare again."
        return replace(found, status=FAILED, message=message)


def retry(store: Store, comparison_id: str) -> ComparisonJob:
    """Queues a comparison that did not succeed once more; it belongs to whoever asks now."""
    found = find(store, comparison_id)
    if found.active or found.status == FINISHED:
        return found
    return Comparisons(store).requeue(found, lambda _: {"owner": store.visitor.owner, "done": 0})


def result_path(store: Store, comparison_id: str) -> Path:
    return store.folder / FOLDER / f"{comparison_id}.json"


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


def _insert(db: sqlite3.Connection, store: Store, comparison_id: str, question: Question) -> None:
    """Adds it, unless somebody has asked the same: to share an answer needs no permission."""
    there = db.execute("SELECT * FROM jobs WHERE id = ?", (comparison_id,)).fetchone()
    if there is not None and read_comparison(there) is not None:
        return
    db.execute("DELETE FROM jobs WHERE id = ?", (comparison_id,))
    refuse_more(db, store.visitor, Comparisons.table)
    now, text = time.time(), json.dumps(question.to_dict())
    asker = {"owner": store.visitor.owner, "most_seconds": store.visitor.seconds}
    known = {"id": comparison_id, "kind": Comparisons.name, "question": text, **asker}
    waits = {"status": QUEUED, "device": slot("auto"), "created": now, "queued": now}
    insert(db, Comparisons.table, {**known, **waits})


def _forget(db: sqlite3.Connection, but: str) -> list[str]:
    """Deletes the oldest ended comparisons beyond those kept; returns their ids."""
    marks = ", ".join("?" * len(ENDED))
    query = f"SELECT id FROM jobs WHERE kind = ? AND status IN ({marks}) AND id != ?"
    newest_first = " ORDER BY created DESC, id LIMIT -1 OFFSET ?"
    values = (Comparisons.name, *ENDED, but, KEPT - 1)
    outdated = [row["id"] for row in db.execute(query + newest_first, values)]
    db.executemany("DELETE FROM jobs WHERE id = ?", [(old,) for old in outdated])
    return outdated
