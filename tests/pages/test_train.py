"""The training page: from a form to queued runs, and from runs to what is seen of them."""

import json
import platform
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from metacore import ALGORITHMS, Run, RunConfig, Store, preset
from metacore.insight.forecast import Forecast
from metacore.runs import execute
from metacore.runs.execution import Trainings
from metacore.runs.record import Metric
from pages.ui.train import forecaster, forecasts
from tests.pages.conftest import Visit, words

PAGE = "lab/train.py"
FORECAST = Forecast(
    "processor", "cpu", 3 * 10**8, 4 * 10**9, fits=True, seconds=40, iterations=312,
    step_seconds=0.12, parameters=28325,
)  # fmt: skip


class Known:
    """A forecaster that knows the answer."""

    def __init__(self, answer: forecaster.Answer | None) -> None:
        self.answer = answer

    def ask(self, session: str, configs: Sequence[RunConfig]) -> list[forecaster.Answer | None]:
        return [self.answer for _ in configs]

    def forget(self, configs: Sequence[RunConfig]) -> None: ...


@pytest.fixture(autouse=True)
def forecast(monkeypatch: pytest.MonkeyPatch) -> Callable[[forecaster.Answer | None], None]:
    """Nothing is measured here; a test may say what was found."""

    def found(answer: forecaster.Answer | None) -> None:
        monkeypatch.setattr(forecasts, "forecaster", lambda: Known(answer))

    found(FORECAST)
    return found


@pytest.fixture(autouse=True)
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("metacore.runs.dispatch", lambda store: [])
    monkeypatch.setattr("pages.ui.train.training.dispatch", lambda store: [])


def button(app: AppTest, label: str) -> Any:
    return next((found for found in app.button if label in found.label), None)


def bars(app: AppTest) -> list[str]:
    """What stands at the progress bars of the page."""
    inside = [element for element in app.main if element.type == "progress"]
    return [str(element.proto.text) for element in inside]


def wave(name: str = "wave", iterations: int = 4, algorithm: str = "maml") -> Run:
    """A run that has ended."""
    config = preset(algorithm, "sinusoid", "demo")
    budget = replace(config.training, iterations=iterations, seconds=0.0, validation_episodes=4)
    store = Store()
    return execute(store, store.create(config.replace(training=budget), name, here=True))


# --- the form ----------------------------------------------------------------------------------


def test_it_can_be_started_as_it_opens(visit: Visit) -> None:
    app = visit(PAGE)
    assert not app.exception
    assert app.checkbox(key="Train maml").value
    assert not button(app, "Start training").disabled
    assert all(kind.summary in words(app) for kind in ALGORITHMS.values())


def test_what_is_ticked_is_queued_with_the_same_data(visit: Visit) -> None:
    app = visit(PAGE, ways="3")
    app.checkbox(key="Train protonet").check().run()
    button(app, "Start 2 trainings").click().run()
    assert not app.exception
    runs = sorted(Store().runs(), key=lambda run: run.name)
    assert [run.values["algorithm"]["name"] for run in runs] == ["maml", "protonet"]
    assert [run.config.task.ways for run in runs] == [3, 3]
    assert sorted(app.query_params["run"]) == sorted(run.id for run in runs)
    assert all("Waiting for the device" in bar for bar in bars(app))


def test_a_student_needs_somebody_to_learn_from(visit: Visit) -> None:
    app = visit(PAGE)
    app.checkbox(key="Train maml").uncheck()
    app.checkbox(key="Train distil").check().run()
    assert not app.exception
    assert "no finished run on Glyphs that Distilled prototypes could learn from" in words(app)
    assert button(app, "Start training").disabled


def test_the_form_offers_the_runs_that_could_teach(visit: Visit, pretrained: Path) -> None:
    app = visit(PAGE, maml="no", distil="yes")
    app.session_state["every setting"] = True
    app.run()
    assert not app.exception
    (teacher,) = [each for each in app.selectbox if each.label == "Teacher"]
    assert teacher.options[0] == "the best there is"
    assert any(each.startswith("Prototypical Networks on glyphs ·") for each in teacher.options)
    assert not any("MAML" in each or "sinusoid" in each for each in teacher.options)
    teacher.set_value("Matching Networks on glyphs").run()
    assert app.query_params["set"] == "distil.algorithm.teacher:Matching Networks on glyphs"
    button(app, "Start training").click().run()
    (run,) = [run for run in Store().runs() if not run.read_only]
    assert run.config.teacher == "Matching Networks on glyphs"


def test_names_are_given_to_each(visit: Visit) -> None:
    app = visit(PAGE)
    app.text_input(key="Train name").set_value("try").run()
    app.checkbox(key="Train protonet").check().run()
    button(app, "Start 2 trainings").click().run()
    assert sorted(run.name for run in Store().runs()) == ["try maml", "try protonet"]


def test_without_an_algorithm_nothing_starts(visit: Visit) -> None:
    app = visit(PAGE)
    app.checkbox(key="Train maml").uncheck().run()
    assert button(app, "Start training").disabled
    assert "Tick at least one algorithm" in words(app)


def test_the_sample_follows_ways_and_shots(visit: Visit) -> None:
    def seen(app: AppTest) -> int:
        bodies = [str(html.proto.body) for html in app.get("html")]
        drawn = next(body for body in bodies if "It sees" in body)
        return drawn.partition("which one")[0].count("<img")

    app = visit(PAGE)
    assert seen(app) == 5
    app.number_input(key="Train shots").set_value(3).run()
    assert seen(app) == 15


def test_who_cannot_learn_a_curve_says_why(visit: Visit) -> None:
    app = visit(PAGE, dataset="sinusoid")
    assert app.checkbox(key="unable protonet").disabled
    assert "Prototypical Networks sorts into classes" in words(app)
    assert not button(app, "Start training").disabled


def test_a_dataset_that_is_not_there_says_how_to_get_it(visit: Visit) -> None:
    app = visit(PAGE, dataset="omniglot")
    assert not app.exception
    assert "metacore data get omniglot" in words(app)
    assert button(app, "Start training").disabled


def test_an_impossible_task_is_refused_in_a_sentence(visit: Visit) -> None:
    app = visit(PAGE)
    app.number_input(key="Train shots").set_value(90).run()
    assert not app.exception
    assert "shots must be between 1 and" in words(app)
    assert button(app, "Start training").disabled


def test_numbers_no_widget_would_send_are_harmless(visit: Visit) -> None:
    app = visit(PAGE)
    app.number_input(key="Train ways").set_value(10**9).run()
    assert not app.exception


def test_a_hostile_address_gives_the_usual_form(visit: Visit) -> None:
    app = visit(PAGE, dataset="<b>", ways="many", preset="never", seed="-1", maml="perhaps")
    assert not app.exception
    assert not button(app, "Start training").disabled


def opened(app: AppTest) -> AppTest:
    app.session_state["every setting"] = True
    return app.run()


def setting(app: AppTest, label: str) -> Any:
    return next(found for found in app.number_input if found.label == label)


def test_a_changed_setting_reaches_the_run(visit: Visit) -> None:
    app = opened(visit(PAGE))
    setting(app, "Inner steps").set_value(4).run()
    assert "Changed from the preset: 1 setting of MAML" in words(app)
    button(app, "Start training").click().run()
    (run,) = Store().runs()
    assert run.values["algorithm"]["inner_steps"] == 4


def test_another_preset_begins_anew(visit: Visit) -> None:
    app = opened(visit(PAGE))
    setting(app, "Inner steps").set_value(4).run()
    app.segmented_control(key="Train preset").set_value("good").run()
    assert "Changed from the preset" not in words(app)
    assert setting(app, "Inner steps").value == 1


def test_settings_that_contradict_each_other_are_refused(visit: Visit) -> None:
    app = opened(visit(PAGE))
    setting(app, "Train ways").set_value(20).run()
    assert not app.exception
    assert "leave train_ways at 0" in words(app)
    assert button(app, "Start training").disabled


def test_the_forecast_says_time_and_memory(visit: Visit) -> None:
    app = visit(PAGE)
    assert "**40 s** · 312 meta-steps of 120 ms" in words(app)
    assert bars(app) == ["**300 MB** of memory, 4.0 GB are free"]


def test_what_does_not_fit_is_said_and_can_be_tried(
    visit: Visit, forecast: Callable[[forecaster.Answer | None], None]
) -> None:
    advice = ("This run needs more memory than the 4.0 GB that are free: choose fewer tasks.",)
    forecast(replace(FORECAST, fits=False, seconds=0.0, advice=advice))
    app = visit(PAGE)
    assert advice[0] in words(app)
    assert not button(app, "Start training").disabled


def test_while_it_is_measured_the_form_can_be_used(
    visit: Visit, forecast: Callable[[forecaster.Answer | None], None]
) -> None:
    forecast(None)
    app = visit(PAGE)
    assert "Measuring a few steps" in words(app)
    assert not button(app, "Start training").disabled


# --- what is seen of runs ----------------------------------------------------------------------


def test_a_finished_run_shows_its_curves_and_where_to_go(visit: Visit) -> None:
    run = wave()
    app = visit(PAGE, run=run.id)
    assert not app.exception
    shown = words(app)
    for title in ("Its curve after 10 inner steps", "Validation mean squared error", "Training"):
        assert title in shown
    assert button(app, "Cancel") is None
    assert button(app, "Resume") is None


def test_continuing_adds_to_what_is_done(visit: Visit) -> None:
    run = wave()
    app = visit(PAGE, run=run.id)
    app.number_input(key=f"more iterations {run.id}").set_value(50).run()
    button(app, "Continue").click().run()
    assert not app.exception
    again = Store().get(run.id)
    assert (again.status, again.config.training.iterations) == ("queued", 54)


def test_a_queued_run_can_be_cancelled_and_resumed(visit: Visit) -> None:
    run = Store().create(preset("maml", "sinusoid", "demo"), "waiting")
    app = visit(PAGE, run=run.id)
    button(app, "Cancel").click().run()
    assert Store().get(run.id).status == "cancelled"
    button(app, "Resume").click().run()
    assert Store().get(run.id).status == "queued"


def test_a_failed_run_says_why(visit: Visit) -> None:
    run = wave()
    with Store().database.writing() as db:
        db.execute("UPDATE runs SET status = 'failed', message = 'The loss became infinite.'")
    app = visit(PAGE, run=run.id)
    assert "The loss became infinite." in words(app)
    assert button(app, "Resume") is not None


def test_several_runs_share_a_validation_chart(visit: Visit) -> None:
    first, second = wave("one"), wave("two", algorithm="reptile")
    app = visit(PAGE, run=[first.id, second.id])
    assert not app.exception
    assert words(app).count("Validation mean squared error") == 1
    assert "2 trainings" in words(app)


def test_a_worker_that_died_is_said_and_its_run_can_be_resumed(visit: Visit) -> None:
    store = Store()
    run = wave("orphan")
    with store.database.writing() as db:  # as kill -9 leaves it
        gone = "status = 'running', pid = 999999999, pid_started = 1, heartbeat = 1"
        host = platform.node()
        db.execute(f"UPDATE runs SET {gone}, host = ? WHERE id = ?", (host, run.id))
    Trainings(store).reconcile()
    app = visit(PAGE, run=run.id)
    assert not app.exception
    assert "without a word" in words(app)
    button(app, "Resume").click().run()
    assert store.get(run.id).status == "queued"


def test_a_run_made_for_a_gpu_is_seen_where_there_is_none(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = wave("from a big machine")
    values = {**run.values, "device": "cuda:7"}
    with Store().database.writing() as db:
        place = (json.dumps(values), run.id)
        db.execute(
            "UPDATE runs SET digest = NULL, values_json = ?, device = 'cuda:7' WHERE id = ?", place
        )
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    app = visit(PAGE, run=run.id)
    assert not app.exception
    assert "Training loss" in words(app)
    with Store().database.writing() as db:
        db.execute("UPDATE runs SET status = 'cancelled' WHERE id = ?", (run.id,))
    app = visit(PAGE, run=run.id)
    button(app, "Resume").click().run()
    assert not app.exception
    assert "no cuda" in words(app)


def test_a_run_deleted_meanwhile_leaves_the_others(visit: Visit) -> None:
    kept, lost = wave("kept"), wave("lost")
    app = visit(PAGE, run=[kept.id, lost.id])
    Store().delete(lost)
    app.run()
    assert not app.exception
    assert "is not among the runs" in words(app)
    assert "Training loss" in words(app)


@pytest.mark.parametrize("name", ["nothing", "<script>", "*" * 300, "' OR 1=1"])
def test_a_stale_or_hostile_id_says_so(visit: Visit, name: str) -> None:
    app = visit(PAGE, run=name)
    assert not app.exception
    assert "not among the runs" in words(app)


def test_runs_that_came_with_metacore_have_no_buttons(visit: Visit, pretrained: Path) -> None:
    app = visit(PAGE, run="maml-sinusoid")
    assert not app.exception
    assert "Training loss" in words(app)
    assert all(button(app, label) is None for label in ("Cancel", "Resume", "Continue"))


def test_there_is_a_way_back_to_the_form(visit: Visit) -> None:
    app = visit(PAGE, run=wave().id)
    button(app, "Train another").click().run()
    assert not app.exception
    assert "run" not in app.query_params
    assert button(app, "Start training") is not None


def test_from_scratch_there_is_nothing_to_continue(visit: Visit) -> None:
    app = visit(PAGE, run=wave(algorithm="scratch").id)
    assert not app.exception
    assert button(app, "Continue") is None


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, 2", b"\xff\xfe"])
def test_a_damaged_strip_leaves_the_curves(visit: Visit, content: bytes) -> None:
    run = wave()
    (run.folder / "adaptation.json").write_bytes(content)
    app = visit(PAGE, run=run.id)
    assert not app.exception
    assert "Training loss" in words(app)


def test_only_new_rows_are_read_again(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    read = Store.metrics

    def metrics(self: Store, run: Run, after: int = 0) -> list[Metric]:
        asked.append(after)
        return read(self, run, after)

    monkeypatch.setattr(Store, "metrics", metrics)
    run = wave()
    app = visit(PAGE, run=run.id)
    app.run()
    assert asked[0] == 0
    assert asked[-1] == read(Store(), run)[-1].row
    with Store().database.writing() as db:
        db.execute("UPDATE runs SET started = started + 1")
    app.run()
    assert asked[-1] == 0  # a resumed run has taken some rows back


def test_a_name_is_shown_as_it_was_typed(visit: Visit) -> None:
    run = Store().create(preset("maml", "sinusoid", "demo"), "**bold** :smile: $x$")
    shown = words(visit(PAGE, run=run.id))
    assert re.search(r"\\\*\\\*bold", shown)
