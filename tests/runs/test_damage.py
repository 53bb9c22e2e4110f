"""One damaged cell, digit or file: it is named, numbers are not believed, and all else goes on."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metacore.errors import UserError
from metacore.runs import comparisons, jobs
from metacore.runs.bundled import BundledRuns
from metacore.runs.comparisons import Comparisons
from metacore.runs.execution import Trainings, execute
from metacore.runs.jobs import Queue, resume, submit
from metacore.runs.process import Process
from metacore.runs.question import Question
from metacore.runs.record import Run, facts_json, metrics_csv
from metacore.runs.recorder import Progress
from metacore.runs.store import Store
from metacore.training.config import RunConfig
from tests.runs.conftest import MakeConfig


def damage(store: Store, run: Run, **cells: Any) -> None:
    with store.database.writing() as db:
        for name, value in cells.items():
            db.execute(f"UPDATE runs SET {name} = ? WHERE id = ?", (value, run.id))


def broken(store: Store, run: Run) -> None:
    """So that not even its settings can be read."""
    damage(store, run, values_json='{"algorithm": ')
    (run.folder / "config.json").unlink()


@pytest.fixture
def reached(store: Store, config: RunConfig) -> Run:
    """A run that has reached something."""
    lease = Trainings(store).claim(store.create(config, "damaged"))
    lease.report(Progress(40, 2.5, 16.0, 20, 0.5, 0.1))
    lease.finish("finished", "")
    return store.get(lease.job.id)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("environment", '{"torch": '),
        ("environment", "[]"),
        ("tags", '["\\ud800"]'),
        ("tags", "[" * 100_000),
        ("tags", None),
        ("note", b"caf\xe9"),
        ("name", b"wa\xffe"),
        ("status", "finishee"),
        ("created", "yesterday"),
        ("created", 1e300),
        ("heartbeat", "long ago"),
        ("pid", "4l"),
        ("device", b"\x00\xff"),
    ],
)
def test_a_damaged_cell_is_named_and_its_run_stays(
    store: Store, config: RunConfig, reached: Run, cell: str, value: object
) -> None:
    other = store.create(config, "whole")
    raw = f"CAST(x'{value.hex()}' AS TEXT)" if isinstance(value, bytes) else "?"
    given = () if isinstance(value, bytes) else (value,)
    not_null = {"tags": "''"} if value is None else {}
    with store.database.writing() as db:
        column = f"{cell} = {not_null.get(cell, raw)}"
        db.execute(f"UPDATE runs SET {column} WHERE id = '{reached.id}'", () if not_null else given)
    assert {run.id for run in store.runs()} == {other.id, reached.id}
    found = store.get(reached.id)
    assert ("process" if cell == "pid" else cell) in found.damage
    assert (found.config, found.best_value, found.iteration) == (config, 0.5, 40)
    assert store.notices() == [found.damage]
    assert Trainings(store).reconcile() == []


def test_damaged_settings_are_read_from_the_folder(store: Store, reached: Run) -> None:
    for text in ('{"algorithm": ', "[1]", json.dumps({**reached.values, "seed": 1})):
        damage(store, reached, values_json=text)
        found = store.get(reached.id)
        assert (found.config, found.best_value) == (reached.config, 0.5)
        assert "values_json" in found.damage


def test_a_run_beyond_reading_is_named_and_can_only_be_deleted(
    store: Store, config: RunConfig, reached: Run
) -> None:
    other = store.create(config, "whole")
    broken(store, reached)
    assert [run.id for run in store.runs()] == [other.id]
    (lost,) = store.damaged()
    assert (lost.id, lost.name) == (reached.id, "damaged")
    assert store.notices() == [lost.damage]
    for reference in (reached.id, "damaged", reached.id[:5]):
        with pytest.raises(UserError, match="The record of damaged in the run database is damaged"):
            store.get(reference)
    store.delete(store.find("damaged"))
    assert store.damaged() == []
    assert not reached.folder.exists()


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("best_value", 0.4),
        ("best_value", None),
        ("best_ci95", 0.2),
        ("best_iteration", 30),
        ("iteration", 41),
        ("iteration", "forty"),
        ("seconds", 3.5),
        ("digest", "0" * 64),
    ],
)
def test_a_flipped_digit_is_noticed(store: Store, reached: Run, cell: str, value: object) -> None:
    damage(store, reached, **{cell: value})
    found = store.get(reached.id)
    assert (found.best_value, found.best_ci95, found.iteration, found.rate) == (None, None, 0, None)
    assert "Its results are left out" in found.damage


def test_rows_of_older_versions_have_no_digest_and_are_believed(store: Store, reached: Run) -> None:
    damage(store, reached, digest=None)
    assert store.get(reached.id) == reached


def test_nan_and_infinity_keep_their_digest(store: Store, config: RunConfig) -> None:
    for value in (float("nan"), float("inf")):
        lease = Trainings(store).claim(store.create(config))
        lease.report(Progress(1, 1.0, None, 1, value, value))
        assert store.get(lease.job.id).damage == ""


def test_renaming_and_resuming_keep_the_results_believed(
    store: Store, make_config: MakeConfig
) -> None:
    run = execute(store, store.create(make_config()))
    run = store.tag(store.annotate(store.rename(run, "b"), "note"), ["t"])
    run = execute(store, resume(store, run, iterations=60))
    assert (run.damage, run.iteration) == ("", 60)


def test_a_run_with_damaged_results_has_them_again_after_a_resume(
    store: Store, make_config: MakeConfig
) -> None:
    run = execute(store, store.create(make_config()))
    damage(store, run, best_value=0.001)
    again = execute(store, resume(store, store.get(run.id), iterations=60))
    assert again.damage == ""
    assert again.best_value is not None
    assert run.best_value is not None
    assert 0.001 < again.best_value <= run.best_value


def test_the_queue_survives_a_damaged_row(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = submit(store, config), submit(store, config)
    broken(store, bad)
    started: list[str] = []

    def start(_: Trainings, run: Run) -> Process:
        started.append(run.id)
        return Process(4206649, 0.0, "nowhere")

    monkeypatch.setattr(jobs, "_start", start)
    monkeypatch.setattr(jobs, "QUEUE_SECONDS", 0.01)
    with _Running(Queue(store)) as alive:
        _wait(lambda: started == [good.id])
        assert alive()


def test_a_dead_worker_of_a_damaged_run_does_not_hold_its_device(
    store: Store, config: RunConfig
) -> None:
    bad, good = store.create(config, here=True), submit(store, config)
    broken(store, bad)
    damage(store, bad, pid=4206649, heartbeat=0)
    Trainings(store).reconcile()
    launched = Trainings(store).launch(lambda run: Process(4206649, 0.0, "nowhere"))
    assert launched is not None
    assert launched.id == good.id


def test_an_error_nobody_foresaw_does_not_end_the_queue(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[int] = []

    def fail(_: Store) -> list[Run]:
        rounds.append(1)
        raise TypeError("of a row nobody imagined")

    monkeypatch.setattr(jobs, "dispatch", fail)
    monkeypatch.setattr(jobs, "QUEUE_SECONDS", 0.01)
    with _Running(Queue(store)) as alive:
        _wait(lambda: len(rounds) > 2)
        assert alive()


@pytest.mark.parametrize(
    ("cell", "value"), [("question", "{"), ("question", "[1]"), ("created", "once"), ("done", "no")]
)
def test_a_damaged_comparison_is_skipped_and_asked_anew(
    store: Store, make_config: MakeConfig, cell: str, value: str
) -> None:
    runs = tuple(execute(store, store.create(make_config(iterations=2))).id for _ in range(2))
    question = Question(runs=runs, dataset={"name": "sinusoid"})
    asked = comparisons.ask(store, question)
    other = comparisons.ask(store, replace(question, seed=1))
    with store.database.writing() as db:
        db.execute(f"UPDATE jobs SET {cell} = ? WHERE id = ?", (value, asked.id))
    assert [found.id for found in Comparisons(store).active()] == [other.id]
    launched = Comparisons(store).launch(lambda found: Process(4206649, 0.0, "nowhere"))
    assert launched is not None
    assert launched.id == other.id
    with pytest.raises(UserError, match="compare the runs again"):
        comparisons.find(store, asked.id)
    Comparisons(store).reconcile()
    with pytest.raises(UserError, match="not kept any more"):
        comparisons.find(store, asked.id)
    assert comparisons.ask(store, question).question == asked.question


def shelf_with_a_changed(run: Run, folder: Path, changed: dict[str, object]) -> Store:
    """Beside a good folder a bad one, in whose run.json something stands that was not written."""
    for name in ("good", "bad"):
        book = folder / "shelf" / name
        book.mkdir(parents=True)
        (book / "config.json").write_bytes((run.folder / "config.json").read_bytes())
        (book / "run.json").write_bytes(facts_json(run))
        (book / "metrics.csv").write_bytes(metrics_csv([]))
    facts = json.loads((book / "run.json").read_bytes())
    (book / "run.json").write_text(json.dumps({**facts, **changed}))
    return Store(bundled=[BundledRuns(folder / "shelf")])


@pytest.mark.parametrize("digit", [("best_value", 0.6), ("seconds", 3.5), ("name", "maml-sinf")])
def test_a_flipped_digit_on_the_shelf_is_noticed(
    store: Store, reached: Run, tmp_path: Path, digit: tuple[str, object]
) -> None:
    shelved = shelf_with_a_changed(reached, tmp_path, dict([digit]))
    assert [run.id for run in shelved.runs() if run.read_only] == ["good"]
    (lost,) = shelved.damaged()
    assert "do not match their digest" in lost.damage
    with pytest.raises(UserError, match="do not match their digest"):
        shelved.get("bad")


@pytest.mark.parametrize(
    "changed",
    [
        {"seconds": float("inf")},
        {"tags": ["\ud800"]},
        {"iteration": 2**53},
        {"environment": {"memory": float("nan")}},
        {"best_value": -5},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_one_hostile_folder_on_the_shelf_leaves_the_list_to_all_others(
    store: Store, reached: Run, tmp_path: Path, changed: dict[str, object]
) -> None:
    shelved = shelf_with_a_changed(reached, tmp_path, changed)
    assert [run.id for run in shelved.runs() if run.read_only] == ["good"]
    (lost,) = shelved.damaged()
    assert str(tmp_path / "shelf" / "bad") in lost.damage


class _Running:
    """A queue for as long as the block lasts; what it gives says whether its thread lives."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue

    def __enter__(self) -> Callable[[], bool]:
        self.queue.start()
        return self.queue._thread.is_alive

    def __exit__(self, *_: object) -> None:
        self.queue.stop()


def _wait(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)
