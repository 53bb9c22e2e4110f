import multiprocessing
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from metacore.errors import UserError
from metacore.runs import store as runs_store
from metacore.runs.bundled import BundledRuns
from metacore.runs.execution import Trainings
from metacore.runs.lease import LeaseLostError
from metacore.runs.process import Process, identify, this_process
from metacore.runs.record import facts_json, metrics_csv
from metacore.runs.recorder import Progress
from metacore.runs.store import Store
from metacore.training.config import RunConfig

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def test_a_run_comes_back_as_it_was_created(store: Store, config: RunConfig) -> None:
    run = store.create(config, "first")
    found = Store().get("first")
    assert (found, found.config, found.status) == (run, config, "queued")
    assert (found.metric, found.device, found.tags) == ("mse", "cpu", ())
    assert found.folder.is_dir()


def test_a_taken_name_gets_a_number(store: Store, config: RunConfig) -> None:
    assert [store.create(config, "sine").name for _ in range(3)] == ["sine", "sine 2", "sine 3"]


def test_a_run_is_found_by_id_name_and_the_beginning_of_its_id(
    store: Store, config: RunConfig
) -> None:
    run = store.create(config, "one")
    assert store.get(run.id) == store.get("one") == store.get(run.id[:5]) == run


def test_an_unknown_and_an_ambiguous_reference_are_refused(store: Store, config: RunConfig) -> None:
    with pytest.raises(UserError, match="There is no run 'nobody'"):
        store.get("nobody")
    with pytest.raises(UserError, match="There is no run ''"):
        store.get("")
    run = store.create(config, "same")
    for run_id in ("abc23456", "abd23456"):
        store.insert(replace(run, id=run_id, status="finished"))
    with pytest.raises(UserError, match=r"could be several runs: .*Give an id"):
        store.get("ab")


def test_renaming_to_a_taken_or_unreadable_name_is_refused(store: Store, config: RunConfig) -> None:
    run, _ = store.create(config, "one"), store.create(config, "two")
    with pytest.raises(UserError, match="already a run named 'two'"):
        store.rename(run, "two")
    with pytest.raises(UserError, match="one line"):
        store.rename(run, "a\nb")
    assert store.rename(run, " three ").name == "three"
    assert store.rename(run, "three").name == "three"


def test_notes_and_tags_are_kept(store: Store, config: RunConfig) -> None:
    run = store.create(config)
    store.annotate(run, "a longer story")
    store.tag(run, ["b", " a ", "", "b"])
    assert (store.get(run.id).note, store.get(run.id).tags) == ("a longer story", ("a", "b"))


def test_only_new_metrics_are_read(store: Store, config: RunConfig) -> None:
    lease = Trainings(store).claim(store.create(config))
    lease.report(Progress(1, 0.1), [(1, 0.1, "train_loss", 3.0), (1, 0.1, "train_mse", 2.0)])
    seen = store.metrics(lease.job)
    lease.report(Progress(2, 0.2), [(2, 0.2, "train_loss", float("nan"))])
    (new,) = store.metrics(lease.job, after=seen[-1].row)
    assert [metric.value for metric in seen] == [3.0, 2.0]
    assert (new.step, new.key, new.value != new.value) == (2, "train_loss", True)


def test_rows_written_after_a_rewind_are_new_to_a_reader(store: Store, config: RunConfig) -> None:
    lease = Trainings(store).claim(store.create(config))
    lease.report(Progress(5, 1.0), [(step, 0.0, "train_loss", 0.0) for step in range(1, 6)])
    last_seen = store.metrics(lease.job)[-1].row
    lease.rewind(Progress(3, 0.5))
    lease.report(Progress(4, 1.0), [(4, 0.0, "train_loss", 1.0)])
    assert [m.step for m in store.metrics(lease.job)] == [1, 2, 3, 4]
    assert [m.step for m in store.metrics(lease.job, after=last_seen)] == [4]


@pytest.mark.parametrize("tags", [["x" * 61], ["two\nlines"], [str(n) for n in range(51)]])
def test_tags_that_no_import_would_take_are_refused(
    store: Store, config: RunConfig, tags: list[str]
) -> None:
    run = store.create(config)
    with pytest.raises(UserError, match="tag"):
        store.tag(run, tags)
    with pytest.raises(UserError, match="A note has at most 10,000 characters"):
        store.annotate(run, "x" * 10_001)


def test_a_run_that_cannot_be_written_leaves_nothing(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise UserError("The disk is full.")

    monkeypatch.setattr(runs_store, "write_whole", fail)
    with pytest.raises(UserError, match="disk is full"):
        store.create(config)
    assert store.runs() == []
    assert [path.name for path in store.folder.iterdir()] == ["runs.db"]


def test_a_deleted_run_leaves_nothing(store: Store, config: RunConfig) -> None:
    run = store.create(config)
    store.delete(run)
    assert store.runs() == []
    assert not run.folder.exists()
    with pytest.raises(UserError, match="has been deleted"):
        store.annotate(run, "too late")


def test_a_running_run_is_not_deleted(store: Store, config: RunConfig) -> None:
    run = store.create(config, here=True)
    assert run.status == "running"
    with pytest.raises(UserError, match="cancel it before"):
        store.delete(run)


def _try_to_claim(folder: Path, run_id: str, start: str, results: str) -> None:
    store = Store(folder)
    run = store.get(run_id)
    while not Path(start).exists():
        pass
    try:
        Trainings(store).claim(run)
    except UserError:
        return
    Path(results, str(os.getpid())).touch()


@posix
def test_exactly_one_of_many_processes_claims_a_run(
    store: Store, config: RunConfig, tmp_path: Path
) -> None:
    run, start, results = store.create(config), tmp_path / "start", tmp_path / "won"
    results.mkdir()
    context = multiprocessing.get_context("fork")
    arguments = (store.folder, run.id, str(start), str(results))
    rivals = [context.Process(target=_try_to_claim, args=arguments) for _ in range(4)]
    for rival in rivals:
        rival.start()
    start.touch()
    for rival in rivals:
        rival.join(30)
    (winner,) = results.iterdir()
    process = store.get(run.id).process
    assert process is not None
    assert process.pid == int(winner.name)


def test_what_was_deleted_or_taken_over_is_no_longer_written_to(
    store: Store, config: RunConfig
) -> None:
    lease = Trainings(store).claim(store.create(config))
    with store.database.writing() as db:
        db.execute("UPDATE runs SET pid = pid + 1")
    with pytest.raises(LeaseLostError):
        lease.report(Progress(1, 1.0), [(1, 1.0, "train_loss", 1.0)])
    with pytest.raises(LeaseLostError):
        lease.cancelled()
    assert store.metrics(lease.job) == []
    assert store.get(lease.job.id).iteration == 0


def test_a_dead_workers_run_is_interrupted_and_a_living_ones_is_not(
    store: Store, config: RunConfig
) -> None:
    living, dead = store.create(config, here=True), store.create(config, here=True)
    with store.database.writing() as db:
        db.execute("UPDATE runs SET pid = ?, heartbeat = 0 WHERE id = ?", (_dead_pid(), dead.id))
    assert [run.id for run in Trainings(store).reconcile()] == [dead.id]
    found = store.get(dead.id)
    assert (found.status, found.resumable, store.get(living.id).status) == (
        "interrupted",
        True,
        "running",
    )
    assert "Resume it" in found.message


def test_a_process_with_a_reused_number_is_not_the_worker() -> None:
    here = this_process()
    assert here.alive(None)
    assert not replace(here, started=here.started - 100).alive(heartbeat=0)
    assert not Process(_dead_pid(), 0.0, here.host).alive(heartbeat=None)


def test_a_heartbeat_from_the_future_is_no_sign_of_life(store: Store, config: RunConfig) -> None:
    now = time.time()
    run = replace(store.create(config, here=True), heartbeat=now + 3600)
    assert run.silent(now)
    assert not replace(run, heartbeat=now + 1).silent(now)
    assert not replace(identify(1), host="another machine").alive(now + 3600)


def test_a_worker_on_another_machine_lives_as_long_as_its_heartbeat() -> None:
    elsewhere = replace(identify(1), host="another machine")
    assert elsewhere.alive(time.time())
    assert not elsewhere.alive(time.time() - 60)


def test_shelved_runs_are_listed_and_never_changed(
    store: Store, config: RunConfig, tmp_path: Path
) -> None:
    lease = Trainings(store).claim(store.create(config, "shown"))
    lease.report(Progress(1, 0.1), [(1, 0.1, "train_loss", 3.0)])
    lease.finish("finished", "")
    run, book = store.get("shown"), tmp_path / "shelf" / "maml-sine"
    book.mkdir(parents=True)
    (book / "config.json").write_bytes((run.folder / "config.json").read_bytes())
    (book / "run.json").write_bytes(facts_json(run))
    (book / "metrics.csv").write_bytes(metrics_csv(store.metrics(run)))
    shelved = Store(bundled=[BundledRuns(tmp_path / "shelf")]).get("maml-sine")
    assert (shelved.config, shelved.read_only, shelved.resumable) == (config, True, False)
    assert store.metrics(shelved)[0].value == 3.0
    for change in (lambda: store.rename(shelved, "x"), lambda: store.delete(shelved)):
        with pytest.raises(UserError, match="cannot be changed"):
            change()


def _dead_pid() -> int:
    """A number no process has: beyond what systems give out."""
    return 2**22 + 12345
