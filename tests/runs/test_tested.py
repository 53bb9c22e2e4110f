"""The test score a bundled run comes with."""

import json
from pathlib import Path
from typing import Any

import pytest

from metacore.errors import UserError
from metacore.library import evaluate
from metacore.runs import tested
from metacore.runs.bundled import BundledRuns, bundle
from metacore.runs.execution import execute
from metacore.runs.record import Run
from metacore.runs.store import Store
from tests.runs.conftest import MakeConfig


@pytest.fixture(scope="module")
def placed(make_config: MakeConfig, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A bundled run that no test changes."""
    store = Store(tmp_path_factory.mktemp("trained"))
    run = execute(store, store.create(make_config(), "sine"))
    return bundle(run, store.metrics(run), tmp_path_factory.mktemp("shelf") / "maml-sine")


def on_shelf(run: Run) -> Run:
    (found,) = BundledRuns(run.folder.parent).runs()
    return found


def test_placing_measures_the_weights_on_the_shared_test_episodes(placed: Run) -> None:
    measured = evaluate(on_shelf(placed), episodes=600, seed=0)
    score = on_shelf(placed).tested
    assert score == placed.tested
    assert score is not None
    assert (score.metric, score.split, score.episodes, score.seed) == ("mse", "test", 600, 0)
    assert (score.mean, score.ci95) == (measured.mean, measured.ci95)
    assert (score.ways, score.shots, score.norm, score.steps) == (1, 5, "none", 1)


def test_the_file_names_the_score_by_its_metric(placed: Run) -> None:
    found = json.loads((placed.folder / "test.json").read_bytes())
    assert found["mse"] == placed.tested.mean  # type: ignore[union-attr]
    assert "accuracy" not in found


def test_a_run_without_a_test_has_none(tmp_path: Path) -> None:
    assert tested.read_tested(tmp_path) is None


@pytest.mark.parametrize(
    "changed",
    [
        *({"mse": value} for value in (None, "1", True, -1.0, float("nan"), float("inf"))),
        *({"ci95": value} for value in (None, -0.1, [])),
        *({"episodes": value} for value in (600.0, -1, 2**40, True)),
        *({"split": "val"}, {"norm": "mine"}, {"dataset": 3}, {"note": "x"}),
        *({"accuracy": 0.9}, {"dataset": "x" * 5000}),
    ],
)
def test_a_score_that_is_not_whole_is_refused(
    placed: Run, tmp_path: Path, changed: dict[str, Any]
) -> None:
    found = json.loads((placed.folder / "test.json").read_bytes())
    (tmp_path / "test.json").write_text(json.dumps({**found, **changed}))
    with pytest.raises(UserError, match="no test score"):
        tested.read_tested(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "3", "null", "{}", '{"mse": 1', "[" * 4000])
def test_anything_else_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "test.json").write_text(text)
    with pytest.raises(UserError, match="no test score"):
        tested.read_tested(tmp_path)


def test_an_accuracy_is_at_most_one(placed: Run, tmp_path: Path) -> None:
    found = json.loads((placed.folder / "test.json").read_bytes())
    del found["mse"]
    (tmp_path / "test.json").write_text(json.dumps({**found, "accuracy": 1.5}))
    with pytest.raises(UserError, match="no test score"):
        tested.read_tested(tmp_path)
