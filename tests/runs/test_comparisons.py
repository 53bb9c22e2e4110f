import csv
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from metacore import library
from metacore.algorithms import ALGORITHMS
from metacore.datasets import DATASETS
from metacore.errors import UserError
from metacore.models import MODELS
from metacore.runs import comparisons, evaluator, files, jobs, worker
from metacore.runs.bundled import BundledRuns
from metacore.runs.comparison import ComparisonJob
from metacore.runs.comparisons import Comparisons, ask, find, retry
from metacore.runs.database import SCRIPTS, Database
from metacore.runs.execution import execute
from metacore.runs.jobs import cancel, dispatch, resume
from metacore.runs.process import identify
from metacore.runs.published_match import published_match
from metacore.runs.question import Question
from metacore.runs.record import Run, facts_json, metrics_csv
from metacore.runs.results import episodes_csv, result_json, rows_csv
from metacore.runs.store import Store
from metacore.training.config import RunConfig, TaskConfig, TrainingConfig
from tests.runs.conftest import MakeConfig

CURVES: dict[str, Any] = {"dataset": {"name": "sinusoid"}, "shots": 5, "queries": 5, "episodes": 12}
posix = pytest.mark.skipif(os.name != "posix", reason="needs kill -9")


@pytest.fixture
def runs(store: Store, make_config: MakeConfig) -> list[Run]:
    configs = [make_config(iterations=20), make_config(iterations=20, learning_rate=0.01)]
    return [execute(store, store.create(config)) for config in configs]


@pytest.fixture
def question(runs: list[Run]) -> Question:
    return Question(runs=tuple(run.id for run in runs), **CURVES)


def answered(store: Store, question: Question) -> ComparisonJob:
    """The comparison as this process evaluates it."""
    asked = ask(store, question)
    Comparisons(store).work(find(store, asked.id))
    return find(store, asked.id)


def wait_for(true: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_comparison_finds_what_a_notebook_finds(
    store: Store, runs: list[Run], question: Question
) -> None:
    expected = library.compare(runs, episodes=12, device="auto")
    found = answered(store, question)
    assert (found.status, found.progress, found.message) == ("finished", 1.0, "")
    assert found.result is not None
    rows = found.result["rows"]
    assert [row["values"] for row in rows] == [e.values.tolist() for e in expected.evaluations]
    assert [row["evaluation"]["mse"] for row in rows] == [e.mean for e in expected.evaluations]
    (pair,), (difference,) = found.result["pairs"], expected.differences
    assert (pair["mean"], pair["verdict"]) == (difference.mean, difference.verdict)
    assert [row["training_episodes"] for row in rows] == [40, 40]
    # one input, two hidden layers of 8, one output
    assert rows[0]["parameters"] == (8 + 8) + (8 * 8 + 8) + (8 + 1)


def test_the_same_question_about_the_same_weights_is_asked_once(
    store: Store, runs: list[Run], question: Question
) -> None:
    first = ask(store, question)
    assert (first.status, first.progress) == ("queued", 0.0)
    spelled_out = replace(
        question, dataset=DATASETS["sinusoid"].Config().to_dict() | CURVES["dataset"]
    )
    by_name = replace(question, runs=tuple(run.name for run in runs))
    assert ask(store, spelled_out).id == ask(store, by_name).id == first.id
    assert ask(store, replace(question, seed=1)).id != first.id
    execute(store, resume(store, runs[0], iterations=30))
    assert ask(store, question).id != first.id


def test_a_sweep_evaluates_every_run_at_every_value(
    store: Store, runs: list[Run], question: Question
) -> None:
    swept = replace(question, sweep="shots", values=(2, 5, 10))
    assert swept.total == 2 * 3 * 12  # 5 shots are the question's own
    heard: list[int] = []
    found = evaluator.compare(store, swept, heard.append)
    assert heard == sorted(heard)
    assert heard[-1] == swept.total
    alone = library.evaluate(runs[1], shots=10, queries=5, episodes=12)
    row = found["sweep"]["rows"][1]
    assert [point["value"] for point in row["scores"]] == [2, 5, 10]
    assert row["scores"][2]["mean"] == pytest.approx(alone.mean)
    assert row["scores"][1]["mean"] == found["rows"][1]["evaluation"]["mse"]
    (line, _) = csv.DictReader(io.StringIO(rows_csv(found).decode()))
    assert float(line["shots=10"]) == found["sweep"]["rows"][0]["scores"][2]["mean"]


def pictures(algorithm: str) -> RunConfig:
    return RunConfig(
        algorithm=ALGORITHMS[algorithm].Config(),
        dataset=DATASETS["glyphs"].Config(train_classes=20, test_classes=20, drawings=6),
        model=MODELS["conv4"](width=4),
        task=TaskConfig(ways=3, shots=1, queries=2),
        training=TrainingConfig(iterations=1, tasks=1, validation_episodes=2),
        device="cpu",
    )


def test_ways_may_be_swept_past_those_a_method_was_trained_for(store: Store) -> None:
    """MAML's head has three outputs here; each run decides for itself whose statistics it uses."""
    runs = [execute(store, store.create(pictures(name))) for name in ("maml", "protonet")]
    dataset = runs[0].config.to_dict()["dataset"]
    question = Question(
        runs=tuple(run.id for run in runs), dataset=dataset, ways=3, queries=2, episodes=4,
        sweep="ways", values=(2, 5),
    )  # fmt: skip
    found = answered(store, question).result
    assert found is not None
    scores = [[p["mean"] for p in row["scores"]] for row in found["sweep"]["rows"]]
    assert all(0 <= score <= 1 for row in scores for score in row)
    assert [row["evaluation"]["ways"] for row in found["rows"]] == [3, 3]
    norms = [ALGORITHMS[row["algorithm"]].norms[0] for row in found["rows"]]
    assert [row["evaluation"]["norm"] for row in found["rows"]] == norms


def test_what_diverged_is_null_and_the_tables_are_whole(
    store: Store, runs: list[Run], make_config: MakeConfig, question: Question
) -> None:
    wild = replace(make_config(), algorithm=ALGORITHMS["maml"].Config(inner_rate=10.0))
    wild = replace(wild, training=replace(wild.training, iterations=1, learning_rate=1e-6))
    third = execute(store, store.create(wild))
    asked = replace(question, runs=(*question.runs, third.id), steps=60)
    found = answered(store, asked).result
    assert found is not None
    assert None in found["rows"][2]["values"]
    assert found["rows"][2]["evaluation"]["mse"] is None
    assert json.loads(result_json(found)) == found
    lines = list(csv.reader(io.StringIO(episodes_csv(found).decode())))
    assert lines[0] == ["episode", *(row["name"] for row in found["rows"])]
    assert len(lines) == 13
    assert [float(line[1]) for line in lines[1:]] == found["rows"][0]["values"]
    table = list(csv.DictReader(io.StringIO(rows_csv(found).decode())))
    assert [row["score"] for row in table][2] == ""
    assert float(table[0]["score"]) == found["rows"][0]["evaluation"]["mse"]


def test_the_published_number_comes_with_the_difference_of_protocols(store: Store) -> None:
    """MAML on sine waves: 0.35 after 10 steps from 5 points (Finn et al. 2017, figure 3)."""
    config = RunConfig(
        algorithm=ALGORITHMS["maml"].Config(test_steps=10),
        dataset=DATASETS["sinusoid"].Config(),
        model=MODELS["sine-mlp"](width=8),
        task=TaskConfig(shots=5, queries=5),
        training=TrainingConfig(iterations=2, tasks=3, validation_episodes=2),
        device="cpu",
    )
    run = execute(store, store.create(config))
    paper = published_match(run, library.evaluate(run, episodes=4).protocol)
    assert paper is not None
    assert paper["value"] == 0.35
    assert "Finn" in paper["source"]
    assert "2 meta-steps, 3 tasks per meta-step, 4 test tasks instead of 600" in paper["differs"]
    assert published_match(run, library.evaluate(run, episodes=4, shots=3).protocol) is None


def test_the_norm_and_the_data_a_published_accuracy_differs_in_are_named(store: Store) -> None:
    run = execute(store, store.create(pictures("maml")))
    protocol = library.evaluate(run, episodes=4, norm="support").protocol
    on_omniglot = replace(protocol, dataset="omniglot", ways=5, episodes=600)
    paper = published_match(run, on_omniglot)
    assert paper is not None
    assert (paper["value"], paper["ci95"]) == (0.987, 0.004)
    assert "trained on glyphs" in paper["differs"]
    assert "1 meta-steps instead of 60,000" in paper["differs"]
    assert "normalised support instead of transductive" in paper["differs"]
    assert "instead of 600" not in paper["differs"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"runs": ("a",)}, "at least two runs"),
        ({"runs": ("a", "a")}, "named twice"),
        ({"episodes": 1}, "episodes must be between 2"),
        ({"shots": 0}, "shots must be between 1"),
        ({"steps": -1}, "steps must be between 0"),
        ({"norm": "none of it"}, "norm must be one of"),
        ({"split": "exam"}, "split must be one of"),
        ({"dataset": {"name": "cats"}}, "dataset must be one of"),
        ({"sweep": "shots"}, "needs both"),
        ({"sweep": "shots", "values": (1, 500)}, "shots must be between 1"),
        ({"sweep": "shots", "values": (5, 1)}, "must grow"),
        ({"sweep": "ways", "values": (2, 5)}, "have no ways"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        Question(**{"runs": ("a", "b"), **CURVES, **wrong})


def test_runs_that_cannot_answer_are_refused_at_once(
    store: Store, config: RunConfig, question: Question
) -> None:
    young = store.create(config)
    with pytest.raises(UserError, match="no weights yet"):
        ask(store, replace(question, runs=(question.runs[0], young.id)))
    with pytest.raises(UserError, match="no run"):
        ask(store, replace(question, runs=(question.runs[0], "nobody")))
    with pytest.raises(UserError, match="cannot be asked about"):
        ask(store, replace(question, dataset={"name": "glyphs"}))


def test_what_goes_wrong_is_a_sentence_and_may_be_tried_again(
    store: Store, runs: list[Run], question: Question
) -> None:
    best = files.path_of(runs[0].folder, "best")
    whole = best.read_bytes()
    asked = ask(store, question)
    best.write_bytes(whole[:-1])
    Comparisons(store).work(find(store, asked.id))
    failed = find(store, asked.id)
    assert (failed.status, failed.result) == ("failed", None)
    assert "best.safetensors is damaged" in failed.message
    best.write_bytes(whole)
    assert retry(store, asked.id).status == "queued"
    Comparisons(store).work(find(store, asked.id))
    assert find(store, asked.id).status == "finished"
    assert retry(store, asked.id).status == "finished"


def test_a_run_deleted_meanwhile_and_a_lost_result_are_said_so(
    store: Store, runs: list[Run], question: Question
) -> None:
    done, asked = answered(store, question), ask(store, replace(question, seed=3))
    comparisons.result_path(store, done.id).write_text("{")
    assert "missing or damaged" in find(store, done.id).message
    store.delete(runs[1])
    Comparisons(store).work(find(store, asked.id))
    assert "There is no run" in find(store, asked.id).message
    with pytest.raises(UserError, match="compare the runs again"):
        find(store, "0123")


def test_a_cancelled_comparison_stops_between_groups_of_episodes(
    store: Store, question: Question
) -> None:
    waiting = ask(store, question)
    assert cancel(store, waiting).message == "Cancelled before it began."
    assert worker.main("comparison", waiting.id, store.folder) == 0
    assert find(store, waiting.id).status == "cancelled"
    long = ask(store, replace(question, episodes=10_000, steps=100))
    thread = threading.Timer(0.5, lambda: cancel(store, long))
    thread.start()
    begun = time.monotonic()
    Comparisons(store).work(find(store, long.id))
    thread.join()
    assert time.monotonic() - begun < 60
    ended = find(store, long.id)
    assert (ended.status, ended.progress < 1) == ("cancelled", True)


def test_runs_on_a_shelf_are_compared_too(
    store: Store, runs: list[Run], question: Question, tmp_path: Path
) -> None:
    shelved = tmp_path / "shelf" / "kept"
    shelved.mkdir(parents=True)
    for name, data in {
        "config.json": (runs[0].folder / "config.json").read_bytes(),
        "run.json": facts_json(replace(runs[0], name="kept")),
        "metrics.csv": metrics_csv(store.metrics(runs[0])),
        "best.safetensors": files.path_of(runs[0].folder, "best").read_bytes(),
    }.items():
        (shelved / name).write_bytes(data)
    both = Store(store.folder, bundled=[BundledRuns(tmp_path / "shelf")])
    found = answered(both, replace(question, runs=(runs[0].id, "kept"))).result
    assert found is not None
    assert found["rows"][0]["values"] == found["rows"][1]["values"]
    assert "no difference shown" in found["pairs"][0]["verdict"]


def test_one_evaluator_at_a_time_and_the_next_one_after_it(
    store: Store, question: Question
) -> None:
    first, second = ask(store, question), ask(store, replace(question, seed=1))
    dispatchers = [threading.Thread(target=dispatch, args=(store,)) for _ in range(4)]
    for thread in dispatchers:
        thread.start()
    for thread in dispatchers:
        thread.join()
    assert find(store, first.id).process is not None
    assert find(store, second.id).process is None
    wait_for(lambda: not find(store, second.id).active)
    assert [find(store, c.id).status for c in (first, second)] == ["finished", "finished"]
    assert find(store, first.id).result is not None


@posix
def test_an_evaluator_that_was_killed_is_found_and_its_work_done_again(
    store: Store, question: Question
) -> None:
    long = ask(store, replace(question, episodes=10_000, steps=300))
    dispatch(store)
    wait_for(lambda: find(store, long.id).done > 0)
    process = find(store, long.id).process
    assert process is not None
    assert os.getsid(process.pid) == process.pid
    os.kill(process.pid, signal.SIGKILL)
    wait_for(lambda: not process.alive(None))
    assert [dead.id for dead in Comparisons(store).reconcile()] == [long.id]
    dead = find(store, long.id)
    assert dead.status == "interrupted"
    assert "stopped without a word" in dead.message
    assert ask(store, replace(question, episodes=10_000, steps=300)).id == long.id
    assert retry(store, long.id).done == 0
    assert cancel(store, long).status == "cancelled"


def test_an_evaluator_that_dies_before_it_begins_does_not_hold_up_the_queue(
    store: Store, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_torch(*_: object) -> Any:
        dead = subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])
        dead.wait()
        return replace(identify(os.getpid()), pid=dead.pid, started=0.0)

    monkeypatch.setattr(jobs, "_start", no_torch)
    asked = ask(store, question)
    dispatch(store)
    Comparisons(store).reconcile()
    assert find(store, asked.id).status == "failed"
    assert "evaluator.log" in find(store, asked.id).message


def test_old_comparisons_are_forgotten_and_new_ones_kept(
    store: Store, question: Question, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparisons, "KEPT", 2)
    waiting = ask(store, replace(question, seed=100))
    done = [answered(store, replace(question, seed=seed)) for seed in range(2)]
    third = answered(store, replace(question, seed=2))
    assert ask(store, replace(question, seed=2)).result
    with pytest.raises(UserError, match="not kept"):
        find(store, done[0].id)
    assert not comparisons.result_path(store, done[0].id).exists()
    assert [find(store, c.id).status for c in (done[1], third)] == ["finished", "finished"]
    assert find(store, waiting.id).status == "queued"


def test_a_database_from_before_comparisons_is_brought_up_to_date(
    home: Path, make_config: MakeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = home / "older"
    with monkeypatch.context() as before:
        before.setattr("metacore.runs.database.SCRIPTS", SCRIPTS[:1])
        Database(folder / "runs.db")
    upgraded = Store(folder)
    runs = [execute(upgraded, upgraded.create(make_config(iterations=2))) for _ in range(2)]
    question = Question(runs=tuple(run.id for run in runs), **CURVES)
    assert answered(upgraded, question).status == "finished"
