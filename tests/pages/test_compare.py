"""The Compare page: runs meet, numbers come from the background, and nothing shows a traceback."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from metacore import ALGORITHMS, DATASETS, MODELS, Run, RunConfig, Store, TaskConfig, TrainingConfig
from metacore.datasets import library
from metacore.datasets.folder import FolderConfig
from metacore.runs import comparisons, execute, methods_csv
from metacore.runs.comparisons import Comparisons
from pages.ui.compare.evaluation import words_of
from pages.ui.compare.verdict import reported, sentence, unbeaten
from tests.datasets.pictures import draw_classes
from tests.pages.conftest import words

Visit = Callable[..., AppTest]
PAGE = "lab/compare.py"
WAVES = ["maml-sinusoid", "scratch-sinusoid"]


def pictures(algorithm: str) -> RunConfig:
    return RunConfig(
        algorithm=ALGORITHMS[algorithm].Config(),
        dataset=DATASETS["glyphs"].Config(train_classes=20, test_classes=20, drawings=6),
        model=MODELS["conv4"](width=4),
        task=TaskConfig(ways=3, shots=1, queries=2),
        training=TrainingConfig(iterations=1, tasks=1, validation_episodes=2),
        device="cpu",
    )


@pytest.fixture
def drawn() -> list[Run]:
    """Two small runs on drawings, of one's own."""
    store = Store()
    return [execute(store, store.create(pictures(name))) for name in ("maml", "protonet")]


def press(app: AppTest, label: str) -> AppTest:
    (button,) = [button for button in app.button if button.label.startswith(label)]
    return button.click().run()


def asked(app: AppTest, key: str) -> str:
    """What the link says."""
    value = app.query_params[key]
    return value if isinstance(value, str) else value[0]


def evaluated(comparison_id: str) -> None:
    """As the queue would."""
    store = Store()
    Comparisons(store).work(comparisons.find(store, comparison_id))


def answered(app: AppTest, key: str = "comparison") -> AppTest:
    """Presses the button and evaluates what it asked for."""
    press(app, "Evaluate")
    comparison_id = asked(app, key)
    evaluated(comparison_id)
    return app.run()


def unharmed(app: AppTest) -> AppTest:
    assert not app.exception
    assert app.title[0].value == "Compare"
    return app


def test_without_runs_it_says_what_to_do(visit: Visit) -> None:
    app = unharmed(visit(PAGE))
    assert "Train one first" in app.info[0].value


def test_runs_duel_and_then_meet_on_hundreds_of_episodes(visit: Visit, pretrained: Path) -> None:
    app = unharmed(visit(PAGE, run=WAVES))
    assert app.multiselect(key="Compare run").value == WAVES
    assert app.number_input(key="Compare curve_shots").value == 5  # what they were trained for
    unharmed(answered(app))
    (table,) = app.table
    (maml, scratch) = table.value.to_dict("records")
    assert maml["Run"].startswith("**")  # the best is bold
    assert not scratch["Run"].startswith("**")
    assert maml["Published"] == "0.350"
    shown = words(app)
    assert "MAML on sinusoid is better than From scratch on sinusoid by" in shown
    assert "(600 shared episodes)" in shown
    assert "Finn, Abbeel, Levine 2017" in shown


def test_the_link_finds_the_answer_and_what_was_asked(visit: Visit, pretrained: Path) -> None:
    app = visit(PAGE, run=WAVES, curve_shots="3")
    answered(app)
    comparison_id = asked(app, "comparison")
    again = unharmed(visit(PAGE, comparison=comparison_id))
    assert len(again.table) == 1
    assert again.multiselect(key="Compare run").value == WAVES
    assert again.number_input(key="Compare curve_shots").value == 3
    assert not again.info  # the numbers answer what the page asks
    again.number_input(key="Compare curve_shots").set_value(4).run()
    assert "an earlier question: 2 runs on 3-shot tasks of Sine waves" in again.info[0].value


def test_a_cancelled_evaluation_says_so_and_can_be_retried(visit: Visit, pretrained: Path) -> None:
    app = visit(PAGE, run=WAVES)
    press(app, "Evaluate")
    unharmed(press(app, "Cancel"))
    assert app.warning[0].value == "No numbers: the evaluation was cancelled before it began."
    unharmed(press(app, "Retry"))
    comparison_id = asked(app, "comparison")
    assert comparisons.find(Store(), comparison_id).status == "queued"


def test_a_failed_evaluation_says_why(visit: Visit, drawn: list[Run]) -> None:
    store = Store()
    third = execute(store, store.create(pictures("protonet")))
    app = visit(PAGE, run=[run.id for run in (*drawn, third)])
    press(app, "Evaluate")
    comparison_id = asked(app, "comparison")
    for file in drawn[0].folder.glob("*.safetensors"):
        file.write_bytes(b"nonsense")
    evaluated(comparison_id)
    unharmed(app.run())
    assert "the evaluation failed" in app.warning[0].value
    assert "left out" in app.error[0].value


@pytest.mark.parametrize("chart", ["Learning", "Inner steps", "Cost"])
def test_charts_are_drawn_from_the_answer(visit: Visit, pretrained: Path, chart: str) -> None:
    app = visit(PAGE, run=WAVES, chart=chart)
    before = len(app.get("plotly_chart"))
    unharmed(answered(app))
    drawn_then = len(app.get("plotly_chart"))
    assert drawn_then - before == (2 if chart == "Learning" else 3)


def test_costs_are_measured_before_any_score_and_drawn_against_it_after(
    visit: Visit, drawn: list[Run]
) -> None:
    app = unharmed(visit(PAGE, run=[run.id for run in drawn], chart="Cost"))
    (table,) = app.table
    maml, protonet = table.value.to_dict("records")
    assert maml["Keeps of a task"] == "all its weights"
    assert protonet["Keeps of a task"] == "3 prototypes"
    assert protonet["Bytes"] == "192"  # 3 ways of 4 filters on 2 x 2, in float32
    assert any("then their scores are drawn" in each.value for each in app.info)
    unharmed(answered(app))
    assert not any("then their scores are drawn" in each.value for each in app.info)
    for against in ("Bytes per task", "Taking in", "Answering", "Parameters", "Meta-training"):
        app.button_group(key="Compare cost").set_value(against).run()
        assert len(unharmed(app).table) == 2
    app.number_input(key="Compare shots").set_value(2).run()  # other tasks than those scored
    assert any("then their scores are drawn" in each.value for each in unharmed(app).info)


def test_a_sweep_has_its_own_question(visit: Visit, drawn: list[Run]) -> None:
    app = unharmed(visit(PAGE, chart="Ways"))
    labels = [button.label for button in app.button]
    assert "Evaluate at 2, 5, 10, 15, 20, 30 ways" in labels
    app = unharmed(visit(PAGE, chart="Shots"))
    press(app, "Evaluate at 1, 2, 3 shots")  # classes have 6 drawings, 2 are queries
    sweep_id = asked(app, "by_shots")
    question = comparisons.find(Store(), sweep_id).question
    assert (question.sweep, question.values) == ("shots", (1, 2, 3))
    assert "comparison" not in app.query_params
    assert words_of(question) == (
        "2 runs on 3-way tasks of Glyphs at 1, 2, 3 shots, 200 episodes each"
    )


def test_a_cell_of_the_matrix_opens_into_drawings(visit: Visit, drawn: list[Run]) -> None:
    app = unharmed(visit(PAGE, classes="5"))
    totals = []
    for guess in range(5):
        app.selectbox(key="Compare guess").set_value(str(guess))
        app.selectbox(key="Compare truth").set_value("2").run()
        (said,) = [m.value for m in app.markdown if "queries, " in m.value]
        totals.append(int(said.removeprefix("**").partition(" of ")[0]))
    assert sum(totals) == int(said.partition(" of ")[2].partition("**")[0])
    unharmed(press(app, "Other classes"))
    assert asked(app, "drawn") == "1"


def test_a_link_to_runs_stays_a_link_to_them(visit: Visit, pretrained: Path) -> None:
    app = visit(PAGE, run=WAVES)
    app.run()
    again = visit(PAGE, **{name: app.query_params[name] for name in app.query_params})
    assert again.multiselect(key="Compare run").value == WAVES


def test_another_episode_is_another_number(visit: Visit, drawn: list[Run]) -> None:
    app = visit(PAGE, seed="41")
    unharmed(press(app, "New episode"))
    assert app.number_input(key="Compare seed").value == 42


def test_drawings_and_curves_do_not_meet(visit: Visit, pretrained: Path, drawn: list[Run]) -> None:
    app = unharmed(visit(PAGE, run=[*WAVES, drawn[0].id]))
    assert app.multiselect(key="Compare run").value == WAVES
    app.button_group(key="Compare kind").set_value("Drawings").run()
    unharmed(app)
    assert not set(app.multiselect(key="Compare run").value) & set(WAVES)
    assert app.number_input(key="Compare shots").value == 1


@pytest.mark.parametrize(
    "query",
    [
        {"comparison": "0123456789abcdef"},
        {"by_shots": "../../etc/passwd", "chart": "Shots"},
        {"runs": ["gone", "<script>"]},
        {"ways": "-3", "shots": "1e99", "steps": "many", "seed": "99999999999"},
        {"norm": "none of these", "dataset": "Imagenet", "kind": "Smells"},
        {"chart": "Pie", "against": "all odds", "cost": "free", "episodes": "7"},
        {"classes": "1e999", "drawn": "²", "of": "nobody"},
        {"seed": "-1e999", "shots": "nan", "ways": "inf", "steps": "1e999"},
    ],
)
def test_a_stale_or_hostile_link_gives_a_sensible_page(
    visit: Visit, drawn: list[Run], query: dict[str, Any]
) -> None:
    app = unharmed(visit(PAGE, **query))
    assert len(app.multiselect(key="Compare run").value) == 2
    assert not app.error
    if "comparison" in query:
        assert "not kept any more" in app.info[0].value


def test_tasks_that_cannot_be_dealt_are_refused_in_a_sentence(
    visit: Visit, drawn: list[Run]
) -> None:
    app = unharmed(visit(PAGE, shots="5"))
    assert "classes of glyphs have 6" in app.error[0].value
    app.number_input(key="Compare shots").set_value(1).run()
    assert not unharmed(app).error


def test_a_dataset_that_is_not_there_says_how_to_get_it(visit: Visit, drawn: list[Run]) -> None:
    app = visit(PAGE)
    app.selectbox(key="Compare dataset").select("Omniglot").run()
    assert "metacore data" in unharmed(app).error[0].value


def test_a_run_deleted_behind_its_back_is_gone(visit: Visit, drawn: list[Run]) -> None:
    app = visit(PAGE, run=[run.id for run in drawn])
    Store().delete(drawn[1])
    app.run()
    assert "needs two runs" in unharmed(app).info[0].value


def test_a_damaged_run_is_left_out(visit: Visit, drawn: list[Run]) -> None:
    for file in drawn[1].folder.glob("*.safetensors"):
        file.write_bytes(b"nonsense")
    app = unharmed(visit(PAGE))
    assert f"{drawn[1].name} is left out" in app.error[0].value
    assert "at least two runs" in app.info[0].value


def pair(mean: float | None, verdict: str) -> dict[str, Any]:
    return {"first": "a", "second": "b", "mean": mean, "ci95": 0.006, "verdict": verdict}


def test_verdicts_are_sentences() -> None:
    better = pair(0.019, "a is better than b by 1.9 ± 0.6 points")
    unclear = pair(-0.002, "no difference shown between a and b")
    assert sentence(better, "accuracy", 600) == (
        "A is better than b by 1.9 ± 0.6 points (600 shared episodes)"
    )
    assert sentence(unclear, "accuracy", 600) == (
        "No difference shown between a and b: -0.2 ± 0.6 points (600 shared episodes)"
    )
    assert "%" not in sentence(unclear, "mse", 600)
    assert sentence(pair(None, unclear["verdict"]), "mse", 600).startswith("No difference shown")


def test_the_best_is_bold_with_those_that_do_not_differ() -> None:
    rows = [
        {"name": name, "metric": "accuracy", "evaluation": {"accuracy": value}}
        for name, value in (("a", 0.9), ("b", 0.91), ("c", 0.7))
    ]
    pairs = [
        {"first": "a", "second": "b", "mean": -0.01, "ci95": 0.02},
        {"first": "a", "second": "c", "mean": 0.2, "ci95": 0.02},
        {"first": "b", "second": "c", "mean": 0.21, "ci95": 0.02},
    ]
    assert unbeaten({"rows": rows, "pairs": pairs}) == ["b", "a"]
    errors = [
        {"name": name, "metric": "mse", "evaluation": {"mse": value}}
        for name, value in (("a", 0.9), ("b", None), ("c", 0.7))
    ]
    assert unbeaten({"rows": errors, "pairs": []}) == ["c"]


def test_a_published_interval_is_not_rounded_away() -> None:
    assert reported({"value": 0.9768, "ci95": 0.0004}, "accuracy") == "97.68 ± 0.04 %"
    assert reported({"value": 0.987, "ci95": 0.004}, "accuracy") == "98.7 ± 0.4 %"
    assert reported({"value": 0.35, "ci95": None}, "mse") == "0.350"


def over_seeds(*names: str, seeds: int) -> list[Run]:
    store = Store()
    configs = [pictures(name).replace(seed=seed) for name in names for seed in range(seeds)]
    return [execute(store, store.create(config)) for config in configs]


def test_runs_that_differ_by_seed_only_are_taken_together(visit: Visit) -> None:
    runs = over_seeds("maml", "protonet", seeds=3)
    app = answered(visit(PAGE, run=[run.id for run in runs]))
    _, methods = unharmed(app).table
    maml, protonet = methods.value.to_dict("records")
    assert (maml["Method"], maml["Seeds"], maml["Difference"]) == ("MAML", "3", "–")
    assert "points" in protonet["Difference"]
    result = comparisons.find(Store(), asked(app, "comparison")).result
    assert result is not None
    means = [row["evaluation"]["accuracy"] for row in result["rows"]]
    assert result["methods"][0]["scores"] == means[:3]
    assert methods_csv(result).count(b"\n") == 1 + 6
    labels = [button.label for button in app.get("download_button")]
    assert "Seeds (CSV)" in labels


def test_more_runs_than_can_be_watched_are_still_compared(visit: Visit) -> None:
    runs = over_seeds("maml", "protonet", seeds=4)
    app = unharmed(visit(PAGE, run=[run.id for run in runs]))
    captions = [caption.value for caption in app.caption]
    assert "6 of the 8 runs, of different methods first." in captions
    unharmed(answered(app))
    assert len(app.table[0].value) == 8
    assert any("how each pair differs stands in the JSON" in c.value for c in app.caption)


def test_without_repeated_seeds_nothing_is_said_of_them(visit: Visit, pretrained: Path) -> None:
    app = answered(visit(PAGE, run=WAVES))
    assert len(app.table) == 1
    assert not any("Over seeds" in markdown.value for markdown in app.markdown)


@pytest.fixture
def of_two_kinds(drawn: list[Run], tmp_path: Path) -> list[Run]:
    """One on drawings, and one on colour pictures of another size."""
    folder = draw_classes(tmp_path / "mine", {f"class {number}": 6 for number in range(12)})
    library.add("folder", folder)
    own = FolderConfig(path="mine", size=20, train_share=0.4, val_share=0.3)
    store, config = Store(), pictures("protonet").replace(dataset=own)
    return [drawn[1], execute(store, store.create(config, "in colour"))]


def test_runs_of_other_pictures_meet_once_these_are_converted(
    visit: Visit, of_two_kinds: list[Run]
) -> None:
    ids = [run.id for run in of_two_kinds]
    app = unharmed(visit(PAGE, run=ids))
    assert ids[1] not in app.multiselect(key="Compare run").value
    assert "“Convert pictures”" in words(app)  # why the other is left out, and what to do
    app = unharmed(visit(PAGE, run=ids, convert="yes"))
    assert app.multiselect(key="Compare run").value == ids
    assert "Pictures are converted for **in colour** 1 x 28 x 28 → 3 x 20 x 20" in words(app)
    assert "Your own pictures: mine" in app.selectbox(key="Compare dataset").options
    unharmed(answered(app))
    (row, other) = app.table[0].value.to_dict("records")
    assert (row["Pictures"], other["Pictures"]) == (
        "as they are",
        "1 x 28 x 28 → 3 x 20 x 20, in colour",
    )
    assert "pictures converted" in words(app)
