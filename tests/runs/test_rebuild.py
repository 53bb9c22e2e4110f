"""A missing database: the runs are found again from their folders, with all that lies there."""

import json
import signal

import pytest

from metacore.runs.execution import execute
from metacore.runs.jobs import resume
from metacore.runs.record import Run
from metacore.runs.store import Store
from tests.runs.conftest import MakeConfig
from tests.runs.test_execution import At, curves, everything

SAME = ("id", "name", "status", "values", "metric", "iteration", "seconds", "created", "started")
BEST = ("best_value", "best_ci95", "best_iteration", "note", "tags", "environment", "device_name")


def lose(store: Store) -> Store:
    store.database.path.unlink()
    return Store()


def stopped(store: Store, make_config: MakeConfig, at: int) -> Run:
    """A run that was stopped at a meta-step."""
    stop = At(at, lambda: signal.raise_signal(signal.SIGTERM))
    return execute(store, store.create(make_config(validate_every=10)), [stop])


def test_an_ended_run_comes_back_whole(store: Store, make_config: MakeConfig) -> None:
    run = execute(store, store.create(make_config(), "sine"))
    run = store.tag(store.annotate(store.rename(run, "wave"), "a note"), ["tag"])
    before = curves(store, run)
    (found,) = lose(store).runs()
    for name in (*SAME, *BEST):
        assert getattr(found, name) == getattr(run, name), name
    assert curves(store, found) == before
    assert "database was missing" in found.message
    (sentence,) = store.notices()
    assert "1 run" in sentence
    assert "found again" in sentence


def test_a_run_killed_under_way_goes_on_from_its_checkpoint(
    store: Store, make_config: MakeConfig
) -> None:
    whole = execute(store, store.create(make_config(validate_every=10)))
    run = stopped(store, make_config, at=25)
    facts = json.loads((run.folder / "run.json").read_bytes())
    del facts["digest"]
    told = {**facts, "status": "running", "iteration": 3, "best_value": None}
    (run.folder / "run.json").write_text(json.dumps(told))
    found = lose(store).get(run.id)
    assert (found.status, found.iteration) == ("interrupted", 25)
    assert (found.best_value, found.best_iteration) == (run.best_value, run.best_iteration)
    ended = execute(store, resume(store, found))
    assert everything(ended) == everything(whole)
    assert curves(store, ended) == curves(store, whole)
    assert ended.message == ""


@pytest.mark.parametrize("facts", [None, b"", b"{", b'{"format": 1, "name": "x", "digest": "0"}'])
def test_without_a_whole_run_json_config_and_checkpoint_suffice(
    store: Store, make_config: MakeConfig, facts: bytes | None
) -> None:
    run = stopped(store, make_config, at=25)
    (run.folder / "run.json").unlink() if facts is None else (run.folder / "run.json").write_bytes(
        facts
    )
    (found,) = lose(store).runs()
    assert (found.name, found.status) == ("maml sinusoid", "interrupted")
    assert (found.iteration, found.best_value) == (25, run.best_value)


def test_folders_that_tell_nothing_are_left_out_and_names_stay_different(
    store: Store, make_config: MakeConfig
) -> None:
    for _ in range(2):
        (store.create(make_config()).folder / "run.json").unlink()
    (store.create(make_config()).folder / "config.json").write_bytes(b"{")
    assert {run.name for run in lose(store).runs()} == {"maml sinusoid", "maml sinusoid 2"}


def test_a_store_that_is_open_finds_them_too(store: Store, make_config: MakeConfig) -> None:
    run = store.create(make_config(), "first")
    store.database.path.unlink()
    second = store.create(make_config(), "second")
    assert {found.name for found in store.runs()} == {"first", "second"}
    assert store.get(second.id).status == "queued"
    assert store.get(run.id).status == "interrupted"
