import json
import signal
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch

from metacore.algorithms import ALGORITHMS
from metacore.datasets import DATASETS
from metacore.errors import UserError
from metacore.insight.trace import trace
from metacore.models import MODELS
from metacore.runs import snapshots
from metacore.runs.execution import execute
from metacore.runs.files import load_params
from metacore.runs.jobs import resume
from metacore.runs.record import Run
from metacore.runs.snapshots import Snapshots, read_snapshots, thinned
from metacore.runs.store import Store
from metacore.runs.transfer import export
from metacore.training.config import RunConfig, TaskConfig, TrainingConfig
from metacore.training.learner import Learner, build
from tests.runs.conftest import MakeConfig
from tests.runs.test_execution import At, everything


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A moment at every meta-step."""
    monkeypatch.setattr(snapshots, "PAUSE_SECONDS", 0.0)
    monkeypatch.setattr(snapshots, "WORTH", 1e-9)


def seen(learner: Learner, queries: int = 5) -> Any:
    task = learner.config.task
    episode = learner.dataset.episodes(
        "val", ways=task.ways, shots=task.shots, queries=queries, seed=learner.config.seed,
        numbers=range(1),
    )  # fmt: skip
    return trace(learner, episode, features=False)


def recorded(run: Run) -> dict[str, Any]:
    found = read_snapshots(run)
    assert found is not None
    return found


def iterations(run: Run) -> list[int]:
    return [moment["iteration"] for moment in recorded(run)["moments"]]


def test_the_first_moment_is_the_untrained_learner_and_the_last_the_trained_one(
    store: Store, config: RunConfig
) -> None:
    run = execute(store, store.create(config))
    found = recorded(run)
    first, last = found["moments"][0], found["moments"][-1]
    untrained = seen(build(config))
    assert (first["iteration"], last["iteration"]) == (0, 40)
    assert (found["metric"], found["norm"], found["steps"]) == ("mse", "none", [0, 1])
    assert first["query_loss"] == pytest.approx(untrained.query_loss[:, 0].tolist())
    assert first["support_loss"] == pytest.approx(untrained.support_loss[:, 0].tolist())
    assert untrained.curves is not None
    assert torch.tensor(first["curves"]).numpy() == pytest.approx(untrained.curves[:, 0], abs=6e-4)
    assert len(found["grid"]) == len(first["curves"][0]) == 101
    trained = seen(build(config, load_params(run.folder, "last")))
    assert last["query_score"] == pytest.approx(trained.query_score[:, 0].tolist())


def test_looking_changes_nothing_and_a_resumed_run_goes_on(
    store: Store, make_config: MakeConfig, eager: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = store.create(make_config())
    run = execute(store, run, [At(20, lambda: signal.raise_signal(signal.SIGTERM))])
    assert iterations(run)[0] == 0
    assert iterations(run)[-1] == 20
    path = run.folder / snapshots.NAME
    later = json.loads(path.read_bytes())
    later["moments"].append({**later["moments"][-1], "iteration": 35, "query_score": [9.0, 9.0]})
    path.write_text(json.dumps(later))
    run = execute(store, resume(store, run))
    found = recorded(run)["moments"]
    assert (found[0]["iteration"], found[-1]["iteration"], len(found)) == (0, 40, 12)
    assert [9.0, 9.0] not in [moment["query_score"] for moment in found]
    for event in ("on_start", "on_step", "on_validation", "complete"):
        monkeypatch.setattr(Snapshots, event, lambda *_: None)
    blind = execute(store, store.create(make_config()))
    assert read_snapshots(blind) is None
    assert everything(blind) == everything(run)


@pytest.mark.parametrize("damage", [b"{", b"[]", b'{"moments": [{}], "steps": []}', None])
def test_a_damaged_or_missing_strip_is_begun_anew(
    store: Store, config: RunConfig, damage: bytes | None
) -> None:
    run = execute(store, store.create(config))
    path = run.folder / snapshots.NAME
    path.unlink() if damage is None else path.write_bytes(damage)
    assert read_snapshots(run) is None
    run = execute(store, resume(store, run, iterations=60))
    assert (iterations(run)[0], iterations(run)[-1]) == (40, 60)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", [0]),
        ("steps", [0, 10**400]),
        ("metric", "loss"),
        ("grid", [1, "<b>"]),
        ("grid", [0.0]),
        ("episode", {"ways": 5}),
        ("moments", []),
        ("moments", "x"),
        ("script", "x"),
    ],
)
def test_a_strip_is_believed_only_if_it_is_whole(
    store: Store, config: RunConfig, field: str, value: object
) -> None:
    run = execute(store, store.create(config))
    path = run.folder / snapshots.NAME
    path.write_text(json.dumps({**recorded(run), field: value}))
    assert read_snapshots(run) is None


def test_pictures_keep_probabilities_of_the_first_and_the_latest_moment(
    store: Store, eager: None
) -> None:
    config = RunConfig(
        algorithm=ALGORITHMS["fomaml"].Config(inner_steps=1, test_steps=30),
        dataset=DATASETS["glyphs"].Config(train_classes=20, test_classes=20, drawings=9),
        model=MODELS["conv4"](width=4),
        task=TaskConfig(ways=3, shots=1, queries=8),
        training=TrainingConfig(iterations=3, tasks=1, train_queries=2, validation_episodes=2),
        device="cpu",
    )
    found = recorded(execute(store, store.create(config)))
    moments = found["moments"]
    assert [moment["iteration"] for moment in moments] == [0, 1, 2, 3]
    assert ["probabilities" in moment for moment in moments] == [True, False, False, True]
    assert len(found["steps"]) == 21
    assert found["episode"] == {
        "split": "val", "ways": 3, "shots": 1, "queries": 5, "seed": 0, "number": 0,
    }  # fmt: skip
    shape = torch.tensor(moments[0]["probabilities"]).shape
    assert shape == (21, 15, 3)
    assert torch.tensor(moments[0]["probabilities"]).sum(-1).numpy() == pytest.approx(1, abs=2e-3)


def test_what_never_trains_has_one_moment(store: Store, config: RunConfig, eager: None) -> None:
    scratch = ALGORITHMS["scratch"]
    assert not scratch.trains
    run = execute(store, store.create(replace(config, algorithm=scratch.Config())))
    assert iterations(run) == [0]


def test_moments_are_thinned_evenly() -> None:
    kept: list[dict[str, Any]] = []
    for iteration in range(200):
        kept = thinned([*kept, {"iteration": iteration, "probabilities": []}])
        assert len(kept) <= 12
    steps = [moment["iteration"] for moment in kept]
    gaps = [after - before for before, after in pairwise(steps)]
    assert (steps[0], steps[-1]) == (0, 199)
    assert max(gaps[:-1]) <= 4 * min(gaps[:-1])
    assert ["probabilities" in moment for moment in kept] == [True, *[False] * 10, True]


def test_looking_waits_fifty_times_as_long_as_it_takes(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr(snapshots.time, "monotonic", lambda: now[0])
    looked: list[float] = []

    def look(self: Snapshots, trainer: object) -> None:
        looked.append(now[0])
        now[0] += 0.5
        self._moments = [{"iteration": -1}]

    monkeypatch.setattr(Snapshots, "_record", look)
    trainer: Any = type("Trainer", (), {"iteration": 0})
    watching = Snapshots(store.folder)
    watching.on_start(trainer)
    for _ in range(600):
        now[0] += 0.1
        watching.on_step(trainer, {})
    gaps = [after - before for before, after in pairwise(looked)]
    assert gaps[0] == pytest.approx(2.5, abs=0.2)
    assert all(gap >= 25 for gap in gaps[1:])


def test_an_error_in_looking_is_logged_and_the_run_goes_on(
    store: Store, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise UserError("The disk is full.")

    monkeypatch.setattr(snapshots, "write_whole", refuse)
    run = execute(store, store.create(config))
    assert (run.status, run.message, read_snapshots(run)) == ("finished", "", None)
    assert (run.folder / "worker.log").read_text().count("UserError: The disk is full.") == 1


def test_an_exported_run_leaves_its_strip_behind(store: Store, config: RunConfig) -> None:
    run = execute(store, store.create(config))
    assert (run.folder / snapshots.NAME).exists()
    assert snapshots.NAME.encode() not in export(store, run, store.folder / "out.zip").read_bytes()
    store.delete(run)
    assert read_snapshots(run) is None
