"""Every kind of job waits, is worked on, is cancelled and dies alike; a third one is one class."""

import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from metacore.errors import UserError
from metacore.runs import jobs, worker
from metacore.runs.database import SCRIPTS, Database, insert
from metacore.runs.job import CANCELLED, FINISHED, QUEUED, RUNNING, Job
from metacore.runs.kind import Kind
from metacore.runs.lease import LeaseLostError, Watch
from metacore.runs.process import Process
from metacore.runs.rows import Cells
from metacore.runs.store import Store


@dataclass(frozen=True, kw_only=True)
class Study(Job):
    kind = "study"
    done: int = 0  # of a hundred

    @property
    def title(self) -> str:
        return f"The study {self.id}"

    @property
    def progress(self) -> float:
        return self.done / 100


class Studies(Kind[Study]):
    name = Study.kind
    again = "start it again"
    between: Callable[[], object] = staticmethod(lambda: None)

    def read(self, row: sqlite3.Row) -> Study | None:
        cells = Cells(dict(row))
        found = cells.fields_of(Study)
        return None if cells.damaged else Study(**found)

    def get(self, job_id: str) -> Study:
        with self.store.database.reading() as db:
            row = db.execute("SELECT * FROM jobs WHERE id = ?", (job_id,)).fetchone()
        found = self.read(row)
        assert found is not None
        return found

    def work(self, job: Study) -> Watch:
        lease, begun = self.claim(job), time.monotonic()
        watch = Watch(lease, lease.beat, self.name)

        def count() -> tuple[str, str]:
            for done in range(1, 101):
                lease.beat(done=done)
                type(self).between()
                if watch.must_stop(time.monotonic() - begun):
                    return CANCELLED, f"{watch.why_stopped()}."
            return FINISHED, ""

        return self.carry_out(watch, count)

    def log_path(self, job: Study) -> Path:
        return self.store.folder / "study.log"

    def epitaph(self, job: Study) -> str:
        return f"It stopped at {job.done} of 100."


@pytest.fixture
def studies(store: Store, monkeypatch: pytest.MonkeyPatch) -> Studies:
    monkeypatch.setitem(jobs.KINDS, Studies.name, Studies)
    return Studies(store)


def waiting(store: Store, study_id: str) -> Study:
    known = {"kind": Studies.name, "status": QUEUED, "device": "cpu", "question": "{}"}
    with store.database.writing() as db:
        now = time.time()
        insert(db, "jobs", {"id": study_id, **known, "created": now, "queued": now})
    return Studies(store).get(study_id)


def test_a_worker_carries_out_a_third_kind(store: Store, studies: Studies) -> None:
    assert worker.main("study", waiting(store, "one").id, store.folder) == 0
    done = studies.get("one")
    assert (done.status, done.progress, done.message, done.process) == ("finished", 1.0, "", None)
    assert worker.main("study", "one", store.folder) == 0, "there is nothing to do any more"


def test_every_kind_has_a_queue_of_its_own(
    store: Store, studies: Studies, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = waiting(store, "one"), waiting(store, "two")
    monkeypatch.setattr(jobs, "_start", lambda kind, job: Process(os.getpid(), 0.0, "elsewhere"))
    assert jobs.dispatch(store) == [studies.get(first.id)]
    assert jobs.dispatch(store) == []
    assert studies.get(second.id).process is None


def test_what_stops_it_is_said(
    store: Store, studies: Studies, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = [lambda: jobs.cancel(store, studies.get("one")), lambda: time.sleep(0.05)]
    monkeypatch.setattr(Studies, "between", staticmethod(lambda: [ask() for ask in asked]))
    watch = studies.work(waiting(store, "one"))
    ended = studies.get("one")
    assert (ended.status, ended.message) == ("cancelled", "Cancelled.")
    assert (watch.cancelled, 0 < ended.progress < 1) == (True, True)
    assert studies.requeue(ended, lambda _: {"done": 0}).status == "queued"
    with store.database.writing() as db:
        db.execute("UPDATE jobs SET most_seconds = 0.01")
    asked.pop(0)
    studies.work(studies.get("one"))
    assert "the most a study may take here" in studies.get("one").message


def test_what_is_taken_over_is_lost_and_what_dies_is_found(
    store: Store, studies: Studies, monkeypatch: pytest.MonkeyPatch
) -> None:
    lease = studies.claim(waiting(store, "one"))
    with pytest.raises(UserError, match="is running by now"):
        studies.claim(_of_somebody_else(store, "one"))
    with store.database.writing() as db:
        db.execute("UPDATE jobs SET pid = 4206649, pid_started = 0, heartbeat = 0, done = 7")
    with pytest.raises(LeaseLostError, match="deleted or taken over"):
        lease.beat(done=8)
    assert [dead.id for dead in studies.reconcile()] == ["one"]
    dead = studies.get("one")
    assert (dead.status, dead.message) == ("interrupted", "It stopped at 7 of 100.")


def _of_somebody_else(store: Store, study_id: str) -> Study:
    with store.database.writing() as db:
        db.execute("UPDATE jobs SET pid = pid + 1 WHERE id = ?", (study_id,))
    return Studies(store).get(study_id)


@pytest.mark.parametrize("writable", [True, False])
def test_a_database_in_which_comparisons_had_a_table_of_their_own_keeps_all_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writable: bool
) -> None:
    """One that may not be written to is read all the same."""
    shared = next(n for n, script in enumerate(SCRIPTS) if "RENAME TO jobs" in script)
    with monkeypatch.context() as before:
        before.setattr("metacore.runs.database.SCRIPTS", SCRIPTS[:shared])
        with Database(tmp_path / "runs.db").writing() as db:
            config = {"values_json": "{}", "metric": "mse", "device": "cpu", "created": 1.0}
            insert(db, "runs", {"id": "old", "name": "old", "status": "finished", **config})
            lease = {"pid": 7, "pid_started": 1.0, "host": "elsewhere", "heartbeat": time.time()}
            question = '{"runs": ["a", "b"], "dataset": {"name": "sinusoid"}}'
            asked = {"question": question, "device": "cpu", "created": 1.0, "queued": 2.0}
            for name, status, more in (
                ("waits", QUEUED, {"owner": "anna", "most_seconds": 300.0}),
                ("works", RUNNING, {**lease, "done": 60}),
                ("ended", FINISHED, {"ended": 3.0, "message": "whole"}),
            ):
                insert(db, "comparisons", {"id": name, "status": status, **asked, **more})
    if not writable:
        monkeypatch.setattr(Database, "_open", _refused)
    store = Store(tmp_path, bundled=())
    assert [run.name for run in store.runs()] == ["old"]
    comparisons = jobs.Comparisons(store)
    works, waits = sorted(comparisons.active(), key=lambda one: one.id, reverse=True)
    assert (waits.owner, waits.most_seconds, waits.queued) == ("anna", 300.0, 2.0)
    assert (works.done, works.progress, works.alive()) == (60, 0.05, True)
    with store.database.reading() as db:
        row = db.execute("SELECT * FROM jobs WHERE id = 'ended'").fetchone()
    ended = comparisons.read(row)
    assert ended is not None
    assert (ended.status, ended.ended, ended.message) == ("finished", 3.0, "whole")


def _refused(_: Database) -> sqlite3.Connection:
    error = sqlite3.OperationalError("unable to open database file")
    error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
    raise error
