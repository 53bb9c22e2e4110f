"""The runs there are: a row and a folder each, and the metrics they have reported.

Every change is one short transaction, so any number of pages, command lines and workers may use
the store at once. What only the process training a run may write is in lease.py. A store is used
by somebody (`used_by`), and refuses here what they may not do, whichever page has asked.
"""

import contextlib
import copy
import itertools
import json
import math
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from metacore.atomic import make_folder, write_whole
from metacore.device import full_name, resolve
from metacore.errors import UserError
from metacore.home import runs_folder
from metacore.runs.bundled import PRETRAINED, BundledRuns
from metacore.runs.classroom import KEEPER, Visitor, refuse_hoarding, refuse_more
from metacore.runs.database import Database, insert, update
from metacore.runs.job import QUEUED, RUNNING
from metacore.runs.process import this_process
from metacore.runs.rebuild import FOUND_AGAIN, METRICS, NAME, fill
from metacore.runs.record import Metric, Run, config_json, facts_json, metrics_csv, run_of
from metacore.runs.rows import INSERT_METRIC, read_row, refuse_damaged, row_of
from metacore.runs.schema import LONGEST_NOTE, LONGEST_TAG, MOST_TAGS
from metacore.runs.teachers import with_teacher
from metacore.training.config import RunConfig

DATABASE = "runs.db"
ID_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"  # no look-alikes: ids are read out and typed
ID_LENGTH = 8
NAME_LENGTH = 80


class Store:
    """The runs in one folder (METACORE_HOME/runs), beside the read-only bundled ones."""

    def __init__(
        self, folder: Path | None = None, *, bundled: Sequence[BundledRuns] | None = None
    ) -> None:
        self.folder = (folder or runs_folder()).absolute()
        self.bundled = (BundledRuns(PRETRAINED),) if bundled is None else tuple(bundled)
        self.database = Database(self.folder / DATABASE, partial(fill, self.folder))
        self.visitor = KEEPER

    def used_by(self, visitor: Visitor) -> "Store":
        """The same store for somebody who may perhaps not do all."""
        store = copy.copy(self)
        store.visitor = visitor
        return store

    def refuse_more(self, more: int = 1) -> None:
        """Says why so many more trainings cannot be queued now; silent where they can."""
        with self.database.reading() as db:
            refuse_more(db, self.visitor, "runs", more)
            refuse_hoarding(db, self.visitor, more)

    def refuse_imports(self, more: int = 1) -> None:
        """Says why so many more runs cannot be imported; silent where they can."""
        with self.database.reading() as db:
            refuse_hoarding(db, self.visitor, more)

    def create(self, config: RunConfig, name: str | None = None, *, here: bool = False) -> Run:
        """A new run, waiting in the queue or, with `here`, already claimed by this process.

        Who learns from another run has its teacher by name in its record from the start.
        """
        if config.teacher is not None:
            config = with_teacher(self.runs(), config)
        self.visitor.refuse_budget(config.training)
        now = time.time()
        known: dict[str, Any] = {"status": QUEUED, "queued": now}
        if here:
            known = {"status": RUNNING, "started": now, "heartbeat": now, "process": this_process()}
        else:
            known["most_seconds"] = self.visitor.seconds
        known |= {"id": new_id(), "device": slot(config.device), "created": now}
        run = run_of(config, folder=self.folder, **known)
        return self.insert(replace(run, name=name) if name else run)

    def insert(
        self,
        run: Run,
        metrics: Iterable[Metric] = (),
        weights: Mapping[str, bytes] = MappingProxyType({}),
    ) -> Run:
        """Adds a run under a free variant of its name: its folder first, its row last.

        What is not in the database was never there: if either fails, neither stays.
        """
        if self.database.unwritable:
            raise UserError(self.database.unwritable)
        self.visitor.refuse_paths(run.config.dataset)
        folder = self.folder / run.id
        texts = {"config.json": config_json(run.values)}
        try:
            _fill(folder, {**texts, **weights})
            with self.database.writing() as db:
                refuse_hoarding(db, self.visitor)
                if run.status == QUEUED:
                    refuse_more(db, self.visitor, "runs")
                named = {"name": _free_name(db, checked_name(run.name))}
                named |= {"owner": self.visitor.owner}
                db.execute("DELETE FROM runs WHERE id = ?", (run.id,))  # found again just now
                insert(db, "runs", {**row_of(run), **named})
                rows = [(run.id, *metric[1:]) for metric in metrics]
                db.executemany(INSERT_METRIC, rows)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # the first error is the one to hear about
            raise
        return self._noted(run.id)

    def runs(self) -> list[Run]:
        """All runs, newest first, then the bundled ones; without what is beyond reading."""
        return [run for run in self._all() if not run.lost]

    def damaged(self) -> list[Run]:
        """Those beyond reading: each one's `damage` is the sentence, and it can be deleted."""
        return [run for run in self._all() if run.lost]

    def notices(self) -> list[str]:
        """What whoever sees the list of runs should know about it, in sentences."""
        again = sum(run.message == FOUND_AGAIN for run in self.runs())
        found = (
            f"The run database was missing: {again} run{'s' if again > 1 else ''} could be"
            f" found again from the folders in {self.folder}."
        )
        damaged = [run.damage for run in self._all() if run.damage]
        return [*filter(None, [self.database.unwritable, found if again else ""]), *damaged]

    def _all(self) -> list[Run]:
        with self.database.reading() as db:
            rows = db.execute("SELECT * FROM runs ORDER BY created DESC, id").fetchall()
        bundled = [run for folder in self.bundled for run in folder.runs()]
        return [*(self._run(row) for row in rows), *bundled]

    def get(self, reference: str) -> Run:
        """The run with this id, this name, or an id that begins like this."""
        return refuse_damaged(self.find(reference))

    def find(self, reference: str) -> Run:
        """The same, even if nothing can be done with it but to delete it."""
        with self.database.reading() as db:
            row = db.execute("SELECT * FROM runs WHERE id = ?", (reference,)).fetchone()
        if row is not None:
            return self._run(row)
        runs = self._all()
        for found in (
            [run for run in runs if run.id == reference],
            [run for run in runs if run.name == reference],
            [run for run in runs if reference and run.id.startswith(reference)],
        ):
            if len(found) == 1:
                return found[0]
            if found:
                several = ", ".join(f"{run.id} ({run.name})" for run in found)
                raise UserError(f"{reference!r} could be several runs: {several}. Give an id.")
        raise UserError(f"There is no run {reference!r}.")

    def metrics(self, run: Run, after: int = 0) -> list[Metric]:
        """What the run has reported, in order; with `after`, only rows newer than that row.

        A resumed run takes back the rows later than its checkpoint: read all anew when
        `run.started` has changed.
        """
        if run.read_only:
            return [metric for metric in BundledRuns.metrics(run) if metric.row > after]
        columns = "row, step, seconds, key, value"
        with self.database.reading() as db:
            rows = db.execute(
                f"SELECT {columns} FROM metrics WHERE run = ? AND row > ? ORDER BY row",
                (run.id, after),
            )
            return [
                Metric(row, step, seconds, key, math.nan if value is None else value)
                for row, step, seconds, key, value in rows
            ]

    def rename(self, run: Run, name: str) -> Run:
        name = checked_name(name)
        with self.database.writing() as db:
            other = db.execute("SELECT id FROM runs WHERE name = ?", (name,)).fetchone()
            if other and other["id"] != run.id:
                raise UserError(f"There is already a run named {name!r}; choose another name.")
            self._own(db, run)
            update(db, "runs", {"name": name}, "id = ?", run.id)
        return self._noted(run.id)

    def annotate(self, run: Run, note: str) -> Run:
        if len(note) > LONGEST_NOTE:
            raise UserError(f"A note has at most {LONGEST_NOTE:,} characters, not {len(note):,}.")
        with self.database.writing() as db:
            self._own(db, run)
            update(db, "runs", {"note": note}, "id = ?", run.id)
        return self._noted(run.id)

    def tag(self, run: Run, tags: Iterable[str]) -> Run:
        """Replaces the run's tags."""
        kept = checked_tags(tags)
        with self.database.writing() as db:
            self._own(db, run)
            update(db, "runs", {"tags": json.dumps(kept)}, "id = ?", run.id)
        return self._noted(run.id)

    def delete(self, run: Run) -> None:
        """Removes a run with its metrics and weights, unless it is being trained."""
        with self.database.writing() as db:
            now = self._own(db, run)
            if now.status == RUNNING and now.alive():
                raise UserError(f"{run.name} is running: cancel it before deleting it.")
            db.execute("DELETE FROM metrics WHERE run = ?", (run.id,))
            db.execute("DELETE FROM runs WHERE id = ?", (run.id,))
        try:
            shutil.rmtree(run.folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise UserError(
                f"{run.name} is deleted, but its folder {run.folder} could not be removed:"
                f" {error.strerror}."
            ) from error

    def note_down(self, run: Run, *, metrics: bool = False) -> None:
        """Keeps in its folder what the row says, in case the database is lost one day.

        Best effort: a disk that takes no more has refused something more important by then.
        """
        if run.damage:
            return  # what stands there is better
        with contextlib.suppress(UserError):
            write_whole(run.folder / NAME, facts_json(run))
            if metrics:
                write_whole(run.folder / METRICS, metrics_csv(self.metrics(run)))

    def _noted(self, run_id: str) -> Run:
        run = self._read(run_id)
        self.note_down(run)
        return run

    def _own(self, db: sqlite3.Connection, run: Run) -> Run:
        """The run as it stands inside this transaction, if whoever uses the store may change it."""
        current = self.row(db, run)
        self.visitor.refuse_others(current, run.name)
        return current

    def row(self, db: sqlite3.Connection, run: Run) -> Run:
        """The run as it stands inside this transaction."""
        if run.read_only:
            raise UserError(f"{run.name} comes with Metacore and cannot be changed.")
        row = db.execute("SELECT * FROM runs WHERE id = ?", (run.id,)).fetchone()
        if row is None:
            raise UserError(f"{run.name} has been deleted.")
        return self._run(row)

    def _read(self, run_id: str) -> Run:
        with self.database.reading() as db:
            row = db.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()
        if row is None:
            raise UserError(f"The run {run_id} has been deleted.")
        return self._run(row)

    def _run(self, row: sqlite3.Row) -> Run:
        return read_row(row, self.folder)


def _fill(folder: Path, files: Mapping[str, bytes]) -> None:
    make_folder(folder, exist_ok=False)
    for name, data in files.items():
        write_whole(folder / name, data)


def new_id() -> str:
    return "".join(secrets.choice(ID_LETTERS) for _ in range(ID_LENGTH))


def slot(device: str) -> str:
    """The device a run will occupy, by its full name: "cpu", "cuda:0"."""
    return full_name(resolve(device))


def checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise UserError(f"A run's name is one line of 1 to {NAME_LENGTH} characters.")
    return name


def checked_tags(tags: Iterable[str]) -> list[str]:
    """In their order and each once; what an import would refuse is not written here, either."""
    kept = sorted({tag.strip() for tag in tags} - {""})
    if len(kept) > MOST_TAGS:
        raise UserError(f"A run has at most {MOST_TAGS} tags, not {len(kept)}.")
    for tag in kept:
        if len(tag) > LONGEST_TAG or not tag.isprintable():
            raise UserError(f"A tag is one line of up to {LONGEST_TAG} characters.")
    return kept


def _free_name(db: sqlite3.Connection, name: str) -> str:
    """The name itself, or with the first number that makes it new."""
    taken = {row["name"] for row in db.execute("SELECT name FROM runs")}
    variants = itertools.chain([name], (f"{name} {number}" for number in itertools.count(2)))
    return next(variant for variant in variants if variant not in taken)
