"""Every command does its work and says so, to people and to machines."""

import json
import os
import platform
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from metacore import ALGORITHMS, DATASETS, MODELS, Run, Store
from metacore.models.weights import WEIGHTS
from tests.cli.conftest import SMALL, Metacore
from tests.datasets.pictures import draw_classes

LONG = "train --dataset sinusoid --iterations 1000000 --tasks 1 --validate-every 0 --name long"


def test_a_runs_whole_life(metacore: Metacore, tmp_path: Path) -> None:
    file = tmp_path / "wave.zip"
    trained = metacore(f"train {SMALL} --name wave --json").json
    assert (trained["name"], trained["status"], trained["iterations"]) == ("wave", "finished", 20)
    assert trained["best_mse"] > 0
    assert trained["seconds"] > 0

    before = metacore("evaluate wave --episodes 10 --json").json
    assert [listed["run"] for listed in metacore("runs --json").json] == [trained["run"]]
    assert metacore(f"export wave {file} --json").json["run"] == trained["run"]
    assert metacore("delete wave --json").code == 0
    assert metacore("runs --json").json == []

    assert metacore(f"import {file} --json").json["name"] == "wave"
    after = metacore("evaluate wave --episodes 10 --json").json
    assert after["mse"] == before["mse"]
    assert after["per_step"] == before["per_step"]

    resumed = metacore("resume wave --iterations 30 --json").json
    assert (resumed["status"], resumed["iterations"]) == ("finished", 30)


def test_train_tells_people_how_it_went(metacore: Metacore) -> None:
    said = metacore(f"train {SMALL} --name wave")
    assert said.code == 0
    assert said.out.startswith("wave (")
    assert ") finished: 20 meta-steps in " in said.out
    assert "best validation " in said.out
    assert "step 10 · " in said.err  # a line per validation where stderr is no terminal
    assert said.err.count("\n") == 2


def test_flags_change_the_run(metacore: Metacore) -> None:
    assert metacore(f"train {SMALL} --inner-rate 0.02 --seed 3 --width 8 --clip 1").code == 0
    (run,) = Store().runs()
    assert run.config.algorithm.inner_rate == 0.02
    assert run.config.model.width == 8
    assert (run.config.seed, run.config.training.clip) == (3, 1.0)
    assert run.name == "maml sinusoid"


def test_a_given_budget_replaces_the_presets(metacore: Metacore) -> None:
    metacore(f"train {SMALL}")
    (run,) = Store().runs()
    assert (run.config.training.iterations, run.config.training.seconds) == (20, 0.0)


def test_evaluate_carries_its_protocol(metacore: Metacore, trained: str) -> None:
    found = metacore(f"evaluate {trained} --episodes 20 --shots 10 --steps 4 --seed 7 --json").json
    expected = {"dataset": "sinusoid", "split": "test", "norm": "none"}
    expected |= {"episodes": 20, "shots": 10, "steps": 4, "seed": 7}
    assert expected.items() <= found.items()
    assert [step["step"] for step in found["per_step"]] == [0, 1, 2, 3, 4]
    assert found["per_step"][-1]["mean"] == found["mse"]
    assert found["ci95"] > 0


def test_evaluate_shows_a_table(metacore: Metacore, trained: str) -> None:
    said = metacore(f"evaluate {trained} --episodes 10")
    assert "wave on sinusoid (test), 5 points, 10 episodes, normalisation: none" in said.out
    assert "diverged" in said.out


def test_an_accuracy_has_no_diverged_column(metacore: Metacore) -> None:
    glyphs = "--train-classes 20 --test-classes 20 --drawings 4 --width 4 --queries 1"
    assert metacore(f"train --algorithm scratch {glyphs} --name s").code == 0
    said = metacore("evaluate s --episodes 4 --steps 2")
    assert "5-way 1-shot, 4 episodes, normalisation: transductive" in said.out
    assert "diverged" not in said.out
    found = metacore("evaluate s --episodes 4 --steps 2 --norm support --json").json
    assert found["norm"] == "support"
    assert 0 <= found["accuracy"] <= 1


def test_compare_has_a_row_per_run_and_per_pair(metacore: Metacore, trained: str) -> None:
    metacore("train --algorithm scratch --dataset sinusoid --name scratch")
    found = metacore(f"compare {trained} scratch {trained} --episodes 20 --json").json
    assert [row["name"] for row in found["runs"]] == ["wave", "scratch", "wave"]
    assert [(p["first"], p["second"]) for p in found["pairs"]] == [
        ("wave", "scratch"),
        ("wave", "wave"),
        ("scratch", "wave"),
    ]
    assert found["pairs"][1]["mean"] == 0
    difference = found["runs"][1]["mse"] - found["runs"][0]["mse"]
    assert found["pairs"][0]["mean"] == pytest.approx(difference)
    said = metacore(f"compare {trained} scratch --episodes 20")
    assert "20 shared episodes" in said.out
    assert "scratch" in said.out


def test_compare_measures_what_a_task_costs(metacore: Metacore, trained: str) -> None:
    metacore("train --algorithm scratch --dataset sinusoid --name scratch")
    asked = f"compare {trained} scratch --episodes 4"
    rows = metacore(f"{asked} --cost --json").json["runs"]
    for row in rows:
        found = row["cost"]
        assert found["kept"] == "all its weights"
        assert found["kept_bytes"] == 4 * row["parameters"] == 4 * found["parameters"]
        assert min(found["take_in_ms"], found["answer_ms"], found["batch_ms"]) > 0
    said = metacore(f"{asked} --cost").out
    assert "What a task leaves behind" in said
    assert "all its weights" in said
    assert f"{4 * rows[0]['parameters']:,}" in said
    assert "cost" not in metacore(f"{asked} --json").json["runs"][0]


def test_a_student_is_trained_shown_and_compared(metacore: Metacore) -> None:
    glyphs = "--train-classes 20 --test-classes 20 --drawings 8 --width 4 --queries 1"
    brief = "--train-ways 5 --iterations 2 --validation-episodes 4"
    refused = metacore(f"train --algorithm distil {glyphs} {brief} --teacher nobody")
    assert refused.code == 2
    assert "There is no run 'nobody' to learn from" in refused.err
    assert not Store().runs()
    assert metacore(f"train --algorithm protonet {glyphs} {brief} --name master").code == 0
    assert metacore(f"train --algorithm distil {glyphs} {brief} --name pupil").code == 0
    shown = metacore("show pupil").out
    assert "Its teacher is master: metacore compare master" in shown
    assert "with --weight 0" in shown
    assert metacore(f"train --algorithm distil {glyphs} {brief} --weight 0 --name alone").code == 0
    assert "with --weight 0" not in metacore("show pupil").out
    found = metacore("compare master pupil alone --episodes 4 --cost --json").json
    kept = [row["cost"]["kept"] for row in found["runs"]]
    assert kept == ["5 prototypes"] * 3


def test_comparing_runs_that_always_diverge_is_still_json(metacore: Metacore) -> None:
    metacore(f"train {SMALL} --inner-rate 10 --inner-steps 1 --name wild")
    found = metacore("compare wild wild --episodes 5 --steps 200 --json").json
    assert found["runs"][0]["mse"] is None
    assert found["runs"][0]["diverged"] == 1
    assert found["pairs"][0]["mean"] is None
    assert "5 diverged episodes left out" in found["pairs"][0]["verdict"]
    assert "infinite" in metacore("evaluate wild --episodes 5 --steps 200").out


def test_a_diverging_run_says_when(metacore: Metacore) -> None:
    said = metacore(f"train {SMALL} --optimiser sgd --learning-rate 10 --iterations 200 --json")
    assert said.code == 1
    assert said.json["status"] == "failed"
    assert "step" in said.json["message"]


def test_a_killed_run_is_resumed_at_once(metacore: Metacore, trained: str) -> None:
    store = Store()
    with store.database.writing() as db:
        db.execute(
            "UPDATE runs SET status = 'running', pid = 4206649, host = ?", (platform.node(),)
        )
    said = metacore(f"resume {trained} --iterations 30 --json")
    assert (said.json["status"], said.json["iterations"]) == ("finished", 30)


def test_cancelling_what_has_ended_says_so(metacore: Metacore, trained: str) -> None:
    said = metacore(f"cancel {trained}")
    assert said.out == "wave has ended before (finished): there is nothing to stop.\n"


def test_a_run_whose_newest_checkpoint_is_damaged_says_which_one_it_used(
    metacore: Metacore, trained: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Store().get(trained).folder
    (folder / "best.safetensors").unlink()
    (folder / "last.safetensors").write_bytes(b"")
    assert metacore(f"evaluate {trained} --episodes 4").code == 0
    assert "last.safetensors is damaged" in caplog.text
    assert "The one before it was used." in caplog.text
    said = metacore(f"show {trained}")
    assert "The one before it was used." in said.out


def test_show_lists_the_config(metacore: Metacore, trained: str) -> None:
    assert "inner_rate" in metacore(f"show {trained}").out
    shown = metacore(f"show {trained} --json").json
    assert shown["config"]["algorithm"]["name"] == "maml"
    assert shown["environment"]["torch"]


def test_runs_are_listed_for_people(metacore: Metacore) -> None:
    assert "metacore train --preset demo" in metacore("runs").out
    metacore(f"train {SMALL} --name wave")
    assert "wave" in metacore("runs").out


@pytest.mark.parametrize(
    ("command", "registry"),
    [("algorithms", ALGORITHMS), ("datasets", DATASETS), ("models", MODELS)],
)
def test_registries_are_listed(
    metacore: Metacore, command: str, registry: dict[str, object]
) -> None:
    listed = metacore(f"{command} --json").json
    assert [row["name"] for row in listed] == list(registry)
    assert all(row["summary"] for row in listed)
    assert all(name in metacore(command).out for name in registry)


def test_data_is_listed(metacore: Metacore) -> None:
    rows = {row["name"]: row for row in metacore("data list --json").json}
    assert list(rows) == [*DATASETS, *WEIGHTS]
    assert not rows["omniglot"]["ready"]
    assert "metacore data get omniglot" in metacore("data list").out


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_help_shows_the_presets_own_defaults(
    metacore: Metacore, capsys: pytest.CaptureFixture[str], algorithm: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        metacore(f"train --algorithm {algorithm} --preset paper --help")
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split()).replace("- ", "-")  # a name may be wrapped
    assert f"those of the preset paper for {algorithm} on glyphs" in text
    if algorithm == "maml":
        assert "How many tasks one meta-step averages over. Default: 32." in text


def start(line: str) -> subprocess.Popen[str]:
    """The command line in another process, once its run is on its way."""
    words = [sys.executable, "-m", "metacore", *line.split()]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not any(run.iteration for run in Store().runs()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return process


def run_named(name: str) -> Run:
    return Store().get(name)


def test_a_run_is_cancelled_from_another_process_and_goes_on(metacore: Metacore) -> None:
    process = start(f"{LONG} --json")
    assert "long is running" in metacore("delete long --yes").err
    assert metacore("cancel long").out == "long will stop at its next meta-step.\n"
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert json.loads(out)["status"] == "cancelled"
    done = run_named("long").iteration
    resumed = metacore(f"resume long --iterations {done + 5} --json").json
    assert (resumed["status"], resumed["iterations"]) == ("finished", done + 5)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for other processes")
def test_ctrl_c_keeps_what_was_learned(metacore: Metacore) -> None:
    process = start(LONG)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped by SIGINT at meta-step" in out
    assert "Traceback" not in err
    assert metacore("evaluate long --episodes 2").code == 0


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{sys.executable} -m metacore algorithms --json | head -n 1"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert done.stdout == "[\n"
    assert done.stderr == ""


def test_a_damaged_record_is_said_by_every_command(metacore: Metacore, trained: str) -> None:
    with Store().database.writing() as db:
        db.execute("UPDATE runs SET best_value = 0.001")
    assert "The record of wave in the run database is damaged" in metacore("runs").err
    assert "Its results are left out" in metacore("show wave").out
    assert metacore("runs --json").json[0]["best_mse"] is None
    said = metacore("evaluate wave --episodes 4")
    assert (said.code, "is damaged" in said.err) == (0, True)


def test_a_record_beyond_reading_is_a_sentence_and_can_be_deleted(
    metacore: Metacore, trained: str
) -> None:
    (Store().get(trained).folder / "config.json").unlink()
    with Store().database.writing() as db:
        db.execute("UPDATE runs SET values_json = '{'")
    assert "it cannot be used" in metacore("runs").err
    for line in ("show wave", "evaluate wave --episodes 4", "resume wave", "export wave x.zip"):
        said = metacore(line)
        assert (said.code, said.err.count("\n"), "it cannot be used" in said.err) == (2, 1, True)
    assert metacore("delete wave --yes").code == 0
    assert metacore("runs").err == ""


def test_runs_that_come_with_metacore_can_be_used_where_nothing_can_be_written(
    metacore: Metacore, pretrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("METACORE_HOME", str(tmp_path / "file" / "home"))
    said = metacore("runs")
    assert (said.code, "maml-sinusoid" in said.out) == (0, True)
    assert "set METACORE_HOME" in said.err
    assert metacore("show maml-sinusoid").code == 0
    assert metacore("evaluate maml-sinusoid --episodes 4").code == 0
    assert metacore("data list").code == 0
    said = metacore(f"train {SMALL}")
    assert (said.code, said.err.count("\n")) == (2, 1)


def test_pictures_of_ones_own_are_added_listed_and_learned_from(
    metacore: Metacore, tmp_path: Path
) -> None:
    folder = draw_classes(tmp_path / "my-pets", {f"pet {number:02d}": 7 for number in range(30)})
    (folder / "pet 00" / "broken.png").write_bytes(b"x")
    assert metacore(f"data add folder {folder} --name pets").code == 0
    assert "added: pets" in metacore("data list").out
    line = "train --algorithm protonet --dataset folder --path pets --size 16 --iterations 1"
    done = metacore(f"{line} --width 4 --train-ways 5 --validation-episodes 2 --name mine")
    assert done.code == 0, done.err
    assert "broken.png is not a PNG, JPEG or WebP picture" in done.err
