"""The Runs page lists, compares, changes, exports, imports and deletes; whatever goes wrong."""

import io
import json
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import TextInput

from metacore import ALGORITHMS, Run, Store
from metacore.runs import execute, export, import_
from metacore.runs.job import CANCELLED, QUEUED, RUNNING
from metacore.runs.process import this_process
from metacore.runs.record import Metric
from pages.ui.runs import card, table
from tests.pages.conftest import Visit
from tests.pages.conftest import words as shown_by
from tests.training.small import small

PAGE = "lab/runs.py"


@pytest.fixture
def store(home: Path) -> Store:
    return Store()


@pytest.fixture
def wave(store: Store) -> Run:
    """A finished run of one's own."""
    return execute(store, store.create(small("maml", validate_every=5), "wave"))


def names(app: AppTest) -> list[str]:
    (table,) = app.dataframe
    return list(table.value["Name"])


def read(app: AppTest) -> str:
    """The page's words, as a browser would show them: escapes are for the renderer."""
    return shown_by(app).replace("\\", "")


def field(app: AppTest, label: str) -> TextInput:
    return next(found for found in app.main.text_input if found.label == label)


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [found for found in app.button if found.label == label]
    return button.click().run()


def codes(app: AppTest) -> list[str]:
    return [str(code.value) for code in app.main.code]


def test_without_runs_it_says_what_to_do(visit: Visit) -> None:
    app = visit(PAGE)
    assert not app.exception
    assert not app.dataframe
    assert "There are no runs yet" in read(app)


def test_every_run_is_listed_with_its_curve(visit: Visit, wave: Run, pretrained: Path) -> None:
    app = visit(PAGE)
    assert not app.exception
    table = app.dataframe[0].value
    assert names(app)[0] == "wave"
    assert {path.name for path in pretrained.iterdir()} == {run.id for run in Store().runs()[1:]}
    first = table.iloc[0]
    assert (list(first["Status"]), first["Meta-steps"]) == (["finished"], 20)
    assert first["Trained on"] == "sinusoid, 5 points"
    assert len(first["Curve"]) == 4
    assert first["Error"].endswith("validation")
    assert "±" in first["Error"]
    assert not isinstance(first["Accuracy"], str)  # a share and an error never share a column
    assert all("pretrained" in tags for tags in table["Tags"][1:])


@pytest.mark.parametrize("name", [*ALGORITHMS])
def test_each_algorithm_has_a_card(visit: Visit, store: Store, name: str) -> None:
    run = store.create(small(name, "glyphs"), "mine")
    app = visit(PAGE, run=run.id)
    assert not app.exception
    assert ALGORITHMS[name].title in read(app)
    assert codes(app)[0].startswith(f"metacore train --algorithm {name} --dataset glyphs")


@pytest.fixture
def taught(store: Store) -> Run:
    """A run that has learned from another one, which is called the master."""
    brief = {"iterations": 2, "validation_episodes": 4}
    execute(store, store.create(small("protonet", "glyphs", **brief), "master"))
    config = small("distil", "glyphs", **brief)
    config = config.replace(algorithm=replace(config.algorithm, weight=0.5))
    return execute(store, store.create(config, "pupil"))


def test_a_student_stands_beside_its_teacher_and_itself_untaught(
    visit: Visit, store: Store, taught: Run
) -> None:
    app = visit(PAGE, run=taught.id)
    assert not app.exception
    (found,) = app.table
    assert list(found.value["Run"]) == ["master", "pupil"]
    assert "nobody knows what the teacher is worth" in read(app)
    press(app, "Train it untaught")
    (alone,) = [run for run in store.runs() if run.name == "pupil untaught"]
    assert alone.config == taught.config.untaught()
    execute(store, alone)
    app = visit(PAGE, run=taught.id)
    assert not app.exception
    (found,) = app.table
    assert list(found.value[""]) == ["Teacher", "Taught", "Learning alone"]
    assert list(found.value["Run"]) == ["master", "pupil", "pupil untaught"]
    assert all("±" in cell for cell in found.value["Accuracy"])
    parameters = [int(cell.replace("\u202f", "")) for cell in found.value["Parameters"]]
    assert parameters[0] == parameters[1] == parameters[2]
    shown = read(app)
    assert "600 shared test episodes" in shown
    assert any("pupil" in line and "master" in line for line in shown.lower().splitlines())
    (link,) = [each for each in app.main.get("page_link") if each.label == "Compare them"]
    assert link.proto.query_string.count("run=") == 3


def test_a_student_whose_teacher_has_gone_says_so(visit: Visit, store: Store, taught: Run) -> None:
    store.delete(store.get("master"))
    app = visit(PAGE, run=taught.id)
    assert not app.exception
    assert "Its teacher, master, is not here" in read(app)
    assert not app.table


def test_the_card_says_what_is_special(visit: Visit, wave: Run) -> None:
    shown = read(visit(PAGE, run=wave.id))
    assert "the preset **good** of MAML on sinusoid" in shown
    assert "| Iterations | :primary[**20**] | 40000 |" in shown
    assert "| Seconds |" not in shown
    assert "| Queries |" not in shown


def test_command_and_link_are_there_to_copy(visit: Visit, wave: Run) -> None:
    command, link = codes(visit(PAGE, run=wave.id))
    assert "--iterations 20" in command
    assert command.endswith("--name wave")
    assert link.endswith(f"/train?run={wave.id}")


def test_several_runs_show_only_their_differences(visit: Visit, store: Store, wave: Run) -> None:
    other = execute(store, store.create(small("reptile", validate_every=5), "other"))
    app = visit(PAGE, run=[wave.id, other.id])
    shown = read(app)
    assert "2 runs side by side" in shown
    assert "| Algorithm | maml | :primary[**reptile**] |" in shown
    assert "| Inner batch | – | :primary[**10**] |" in shown
    assert "Dataset |" not in shown
    assert any("Compare them" in link.label for link in app.main.get("page_link"))


def test_runs_with_the_same_settings_are_said_to_have_them(
    visit: Visit, store: Store, wave: Run
) -> None:
    twin = store.create(wave.config, "twin")
    assert "their settings are the same" in read(visit(PAGE, run=[wave.id, twin.id]))


def test_filters_narrow_the_table_and_survive_a_page_switch(
    visit: Visit, store: Store, wave: Run, pretrained: Path
) -> None:
    store.tag(wave, ["blue"])
    app = visit(PAGE)
    app.text_input(key="Runs search").set_value("BLUE maml").run()
    assert names(app) == ["wave"]
    app.switch_page("learn/start.py").run()
    app.switch_page(PAGE).run()
    assert app.text_input(key="Runs search").value == "BLUE maml"
    app.text_input(key="Runs search").set_value("nonsense").run()
    assert "No run fits" in read(app)
    assert len(names(press(app, "Show all"))) == len(Store().runs()) > 1


def test_status_and_algorithm_filter(store: Store, wave: Run) -> None:
    waiting = store.create(small("reptile"))
    assert table.passes(wave, statuses=["finished"], algorithms=["maml"])
    assert not table.passes(waiting, statuses=["finished"])
    assert not table.passes(waiting, algorithms=["maml"])


def test_name_tags_and_note_are_changed(visit: Visit, store: Store, wave: Run) -> None:
    app = visit(PAGE, run=wave.id)
    (tags,) = [found for found in app.main.multiselect if found.label == "Tags"]
    field(app, "Name").set_value("**sea**")
    tags.set_value(["deep"])
    app.main.text_area[0].set_value("blue")
    app = press(app, "Save")
    assert not app.exception
    found = store.get(wave.id)
    assert (found.name, found.tags, found.note) == ("**sea**", ("deep",), "blue")
    assert app.subheader[0].value == r"\*\*sea\*\*"


def test_a_taken_or_impossible_name_is_refused(visit: Visit, store: Store, wave: Run) -> None:
    store.create(small("maml"), "taken")
    for name, sentence in (("taken", "already a run named"), ("", "name is one line")):
        app = visit(PAGE, run=wave.id)
        field(app, "Name").set_value(name)
        app = press(app, "Save")
        assert not app.exception
        assert sentence in read(app)
    assert store.get(wave.id).name == "wave"


def test_only_what_was_changed_is_written(store: Store, wave: Run) -> None:
    store.annotate(wave, "someone else's")
    card.save(wave, "new name", [], wave.note)
    assert store.get(wave.id).note == "someone else's"


def test_deleting_asks_first(visit: Visit, store: Store, wave: Run) -> None:
    app = visit(PAGE, run=wave.id)
    assert "only an exported file would bring them back" in read(app)
    app = press(app, "Delete for good")
    assert not app.exception
    assert "There are no runs yet" in read(app)
    assert store.runs() == []
    assert not wave.folder.exists()


def test_a_running_run_is_not_deleted(visit: Visit, store: Store) -> None:
    run = store.create(small("maml"), "busy", here=True)
    assert run.process == this_process()
    app = press(visit(PAGE, run=run.id), "Delete for good")
    assert "busy is running: cancel it before deleting it" in read(app)
    assert store.get(run.id).status == RUNNING


def test_several_are_deleted_at_once_but_never_those_of_the_shelf(
    visit: Visit, store: Store, wave: Run, pretrained: Path
) -> None:
    other = store.create(small("maml"), "other")
    app = visit(PAGE, run=[wave.id, other.id, "maml-sinusoid"])
    press(app, "Delete for good")
    left = Store().runs()
    assert all(run.read_only for run in left)
    assert "maml-sinusoid" in [run.id for run in left]


def test_a_run_is_cancelled_and_resumed(visit: Visit, store: Store) -> None:
    run = store.create(small("maml"), "patient")
    app = press(visit(PAGE, run=run.id), "Cancel")
    assert store.get(run.id).status == CANCELLED
    press(app, "Resume")
    assert store.get(run.id).status == QUEUED


def test_a_finished_run_continues_for_longer(visit: Visit, store: Store, wave: Run) -> None:
    app = visit(PAGE, run=wave.id)
    assert not [button for button in app.main.button if button.label == "Resume"]
    (total,) = app.main.number_input
    assert total.value == 40
    press(app, "Continue")
    found = store.get(wave.id)
    assert (found.status, found.config.training.iterations) == (QUEUED, 40)


def test_a_new_total_that_is_used_up_is_refused(visit: Visit, wave: Run) -> None:
    app = visit(PAGE, run=wave.id)
    app.main.number_input[0].set_value(3)
    assert "has already done 20 meta-steps" in read(press(app, "Continue"))


def test_a_damaged_checkpoint_is_said_on_the_card(visit: Visit, wave: Run) -> None:
    last = wave.folder / "last.safetensors"
    last.write_bytes(last.read_bytes()[:-1])
    assert "last.safetensors is damaged" in read(visit(PAGE, run=wave.id)).replace("\\", "")


def test_runs_of_the_shelf_cannot_be_changed(visit: Visit, pretrained: Path) -> None:
    app = visit(PAGE, run="maml-sinusoid")
    assert not app.exception
    labels = {button.label for button in app.main.button}
    assert not labels & {"Save", "Delete for good", "Resume", "Continue"}
    assert not app.main.text_area
    exports = [button for button in app.main.get("download_button") if button.label == "Export"]
    assert not exports[0].disabled


def test_what_is_exported_is_imported(store: Store, wave: Run) -> None:
    found = import_(store, io.BytesIO(card.packed(store, wave)), "wave.metacore")
    assert (found.name, found.best_value) == ("wave 2", wave.best_value)


def test_uploads_are_kept_or_refused(visit: Visit, store: Store, wave: Run, tmp_path: Path) -> None:
    data = export(store, wave, tmp_path / "wave").read_bytes()
    app = visit(PAGE)
    app.main.file_uploader[0].set_value(
        [
            ("good.metacore", data, "application/octet-stream"),
            ("half.metacore", data[:1000], "application/octet-stream"),
            ("*no*.zip", b"hello", "application/zip"),
        ]
    )
    app.run()
    assert not app.exception
    (new,) = [run for run in store.runs() if run.name == "wave 2"]
    assert app.query_params["run"] == new.id
    assert app.subheader[0].value == "wave 2"
    assert [error.value.split(" is ")[0] for error in app.error] == [
        "half.metacore",
        r"\*no\*.zip",
    ]
    assert len(store.runs()) == 2


@pytest.mark.parametrize("stale", ["gone", "", "<b>", "x" * 5000, "../..", "' OR 1=1"])
def test_a_link_to_no_run_is_said_to_be_one(visit: Visit, wave: Run, stale: str) -> None:
    app = visit(PAGE, run=stale)
    assert not app.exception
    assert names(app) == ["wave"]
    assert "There is no run" in read(app)


def test_a_run_deleted_elsewhere_leaves_a_sentence(visit: Visit, store: Store, wave: Run) -> None:
    app = visit(PAGE, run=wave.id)
    store.delete(wave)
    field(app, "Name").set_value("late")
    app = press(app, "Save")
    assert not app.exception
    assert f"There is no run {wave.id}" in read(app)


def test_a_lost_folder_is_a_sentence(visit: Visit, wave: Run) -> None:
    shutil.rmtree(wave.folder)
    app = visit(PAGE, run=wave.id)
    assert not app.exception
    assert "There are no weights in" in read(app)
    exports = [button for button in app.main.get("download_button") if button.label == "Export"]
    assert exports[0].disabled


def test_damaged_metrics_of_the_shelf_are_a_sentence(
    visit: Visit, tmp_path: Path, pretrained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "shelf"
    shutil.copytree(pretrained / "maml-sinusoid", broken / "maml-sinusoid")
    (broken / "maml-sinusoid" / "metrics.csv").write_text("nonsense")
    monkeypatch.setattr("metacore.runs.store.PRETRAINED", broken)
    app = visit(PAGE, run="maml-sinusoid")
    assert not app.exception
    assert names(app) == ["MAML on sinusoid"]
    assert "metrics.csv cannot be read" in read(app)


def test_a_run_of_another_version_is_named_and_left_out(
    visit: Visit, store: Store, wave: Run
) -> None:
    strange = {**wave.values, "algorithm": {"name": "telepathy"}}
    with sqlite3.connect(store.folder / "runs.db") as db:
        db.execute("UPDATE runs SET digest = NULL, values_json = ?", (json.dumps(strange),))
    app = visit(PAGE)
    assert not app.exception
    assert "wave cannot be shown" in read(app)


def test_a_damaged_record_is_said_and_shows_no_number(
    visit: Visit, store: Store, wave: Run
) -> None:
    with sqlite3.connect(store.folder / "runs.db") as db:
        db.execute("UPDATE runs SET best_value = best_value / 2")
    app = visit(PAGE, run=wave.id)
    assert not app.exception
    assert "Its results are left out" in read(app)
    assert app.main.metric[0].value == "–"


def test_a_run_beyond_reading_is_named_and_can_be_deleted(
    visit: Visit, store: Store, wave: Run
) -> None:
    lost = store.create(small("maml"), "lost")
    (lost.folder / "config.json").unlink()
    with sqlite3.connect(store.folder / "runs.db") as db:
        db.execute("UPDATE runs SET values_json = '{' WHERE id = ?", (lost.id,))
    app = visit(PAGE)
    assert not app.exception
    assert "The record of lost in the run database is damaged" in read(app)
    press(app, "Delete for good")
    assert store.damaged() == []
    assert [run.name for run in store.runs()] == ["wave"]


def test_runs_that_were_found_again_are_announced(visit: Visit, store: Store, wave: Run) -> None:
    store.database.path.unlink()
    app = visit(PAGE)
    assert not app.exception
    assert "The run database was missing: 1 run could be found again" in read(app)


def test_small_curves_are_small_and_finite() -> None:
    values = [0.1, float("nan"), *(0.2 + number / 1000 for number in range(300)), 0.9]
    metrics = [Metric(row, row, 0.0, "val_mse", value) for row, value in enumerate(values)]
    curve = table.small_curve(metrics, "val_mse")
    assert len(curve) <= table.CURVE_POINTS
    assert curve[-1] == 0.9
    assert table.small_curve(metrics[:1], "val_mse") == []
