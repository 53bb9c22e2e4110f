"""The Adapt page: runs, episodes and steps as asked; whatever is wrong becomes a sentence."""

import json
import shutil
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import metacore as mc
from metacore import Run
from tests.pages.conftest import Visit, films, words
from tests.training.small import small

PAGE = "lab/adapt.py"
SINE, SCRATCH = "maml-sinusoid", "scratch-sinusoid"


def trained(algorithm: str, dataset: str = "glyphs") -> Run:
    return mc.train(small(algorithm, dataset, iterations=1, tasks=1), name=f"my {algorithm}")


def panels(app: AppTest, kind: str) -> list[dict]:
    (film,) = films(app)
    return [panel for panel in film["panels"] if panel["kind"] == kind]


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error
    return app


@pytest.mark.usefixtures("pretrained")
def test_a_curve_bends_towards_the_truth(visit: Visit) -> None:
    app = sound(visit(PAGE, run=SINE))
    (curve,) = panels(app, "curve")
    assert len(curve["points"]) == 5
    lines = {line["name"]: line["values"] for line in curve["lines"]}
    assert set(lines) == {"MAML", "from scratch"}
    truth = curve["truth"]

    def gap(values: list[float]) -> float:
        return sum((a - b) ** 2 for a, b in zip(values, truth, strict=True))

    assert gap(lines["MAML"][-1]) < gap(lines["MAML"][0])
    assert gap(lines["MAML"][-1]) < gap(lines["from scratch"][-1])


@pytest.mark.usefixtures("pretrained")
def test_the_episode_stands_before_a_hundred_others(visit: Visit) -> None:
    app = sound(visit(PAGE, run=SINE))
    for chart in panels(app, "lines"):
        (others,) = [line for line in chart["lines"] if line["band"]]
        assert others["name"] == "mean of 100 others"
        for low, mean, high in zip(
            others["band"]["low"], others["values"], others["band"]["high"], strict=True
        ):
            assert 0 <= low <= mean <= high


@pytest.mark.usefixtures("pretrained")
def test_steps_may_exceed_those_of_training(visit: Visit) -> None:
    app = sound(visit(PAGE, run=SINE, steps="25"))
    assert films(app)[0]["steps"] == list(range(26))
    assert "25 gradient steps" in words(app)
    assert panels(app, "lines")[0]["mark"] == {"at": 3, "text": "trained with 3"}


@pytest.mark.usefixtures("pretrained")
def test_no_steps_at_all(visit: Visit) -> None:
    app = sound(visit(PAGE, run=SINE, steps="0"))
    assert films(app)[0]["steps"] == [0]
    assert "has taken no step" in words(app)


@pytest.mark.usefixtures("pretrained")
def test_a_new_episode_is_another_one_and_the_link_names_it(visit: Visit) -> None:
    app = sound(visit(PAGE, run=SINE))
    before = panels(app, "curve")[0]["points"]
    (button,) = [b for b in app.button if b.label == "New episode"]
    sound(button.click().run())
    again = panels(app, "curve")[0]["points"]
    assert again != before
    assert panels(sound(visit(PAGE, run=SINE, seed="1")), "curve")[0]["points"] == again


@pytest.mark.usefixtures("pretrained")
def test_runs_are_shown_side_by_side_on_one_episode(visit: Visit) -> None:
    app = sound(visit(PAGE, run=[SINE, SCRATCH]))
    first, second = panels(app, "curve")
    assert first["points"] == second["points"]
    assert [first["title"], second["title"]] == ["MAML", "From scratch"]
    names = [line["name"] for line in first["lines"]]
    assert "from scratch" not in names  # it is there as a run


def test_only_runs_of_one_kind_of_task_are_offered(visit: Visit) -> None:
    drawn, curved = trained("protonet"), trained("maml", "sinusoid")
    app = sound(visit(PAGE, run=drawn.id))
    assert [option for option in app.multiselect[0].options if curved.name in option] == []
    app = sound(visit(PAGE, run=curved.id))
    assert [option for option in app.multiselect[0].options if drawn.name in option] == []


def test_drawings_carry_an_answer_for_every_step(visit: Visit) -> None:
    app = sound(visit(PAGE, run=trained("maml").id, steps="2"))
    (panel,) = panels(app, "drawings")
    assert len(panel["classes"]) == len(panel["support"]) == 5
    assert len(panel["query"]) == 25
    for drawing in panel["query"]:
        assert len(drawing["probabilities"]) == 3
        assert all(abs(sum(shares) - 1) < 0.01 for shares in drawing["probabilities"])


def test_a_metric_method_is_level_and_says_why(visit: Visit) -> None:
    app = sound(visit(PAGE, run=trained("protonet").id))
    bold = panels(app, "lines")[0]["lines"][0]
    assert len(set(bold["values"])) == 1
    assert len(bold["values"]) == len(films(app)[0]["steps"]) > 1
    assert "adapts in one computation: no step changes its answers" in words(app)
    assert "no layer moves" in words(app)


def test_the_normalisation_is_a_switch_and_is_named(visit: Visit) -> None:
    run = trained("maml")
    own, support = (sound(visit(PAGE, run=run.id, norm=norm)) for norm in ("own", "support"))
    notes = [panels(app, "drawings")[0]["note"] for app in (own, support)]
    assert ["queries shown together" in notes[0], "support set alone" in notes[1]] == [True, True]
    losses = [panels(app, "lines")[0]["lines"][0]["values"] for app in (own, support)]
    answers = [panels(app, "drawings")[0]["query"][0]["probabilities"] for app in (own, support)]
    assert losses[0] != losses[1] or answers[0] != answers[1]


def test_classes_chosen_by_picture_decide_the_ways(visit: Visit) -> None:
    run = trained("maml")
    app = sound(visit(PAGE, run=run.id, classes="3,17,40"))
    (panel,) = panels(app, "drawings")
    assert [kind["name"] for kind in panel["classes"]] == ["A", "B", "C"]
    other = sound(visit(PAGE, run=run.id, classes="17,3,40"))
    (swapped,) = panels(other, "drawings")
    assert len(swapped["support"]) == 3
    assert films(other)[0]["pictures"] != films(app)[0]["pictures"]
    assert "3 classes" in [button.label for button in app.button]


@pytest.mark.parametrize("classes", ["", "x", "5", "3,3", "3,-1", "9" * 5000, "3,17,"])
def test_classes_that_mean_nothing_are_left_to_the_seed(visit: Visit, classes: str) -> None:
    app = sound(visit(PAGE, run=trained("protonet").id, classes=classes))
    assert len(panels(app, "drawings")[0]["classes"]) == 5


def test_a_class_that_is_not_there_is_refused_in_a_sentence(visit: Visit) -> None:
    app = visit(PAGE, run=trained("protonet").id, classes="3,99999")
    assert not app.exception
    assert "there is no class 99999" in app.error[0].value
    assert "2 classes" in [button.label for button in app.button]  # the way to other ones


def test_the_dialog_of_classes_shows_drawings_and_the_page_keeps_still(visit: Visit) -> None:
    app = sound(visit(PAGE, run=trained("protonet").id, classes="3,17", seed="4"))
    (button,) = [button for button in app.button if button.label == "2 classes"]
    sound(button.click().run())
    (picker,) = [
        json.loads(element.proto.json)
        for element in app.get("bidi_component")
        if element.proto.component_name == "metacore_classes"
    ]
    assert picker["chosen"] == [3, 17]
    assert len(picker["offered"]) == 40
    assert set(map(str, picker["offered"])) <= set(picker["pictures"])
    (use,) = [button for button in app.button if button.label == "Use these 2"]
    assert not use.disabled


def test_an_impossible_task_is_refused_in_a_sentence(visit: Visit) -> None:
    app = visit(PAGE, run=trained("protonet").id, shots="18", queries="9")
    assert not app.exception
    assert "ask for at most 2 queries" in app.error[0].value
    assert app.multiselect  # the controls are still there


def test_other_ways_than_trained(visit: Visit) -> None:
    app = sound(visit(PAGE, run=trained("maml").id, ways="3", shots="2", queries="1"))
    (panel,) = panels(app, "drawings")
    assert (len(panel["classes"]), len(panel["support"]), len(panel["query"])) == (3, 6, 3)


def test_nothing_trained_yet_teaches_what_to_do(visit: Visit) -> None:
    app = sound(visit(PAGE))
    assert "Train one first" in words(app)
    assert not films(app)


@pytest.mark.usefixtures("pretrained")
def test_nothing_picked_asks_for_a_run(visit: Visit) -> None:
    app = visit(PAGE, run=SINE)
    sound(app.multiselect[0].set_value([]).run())
    assert "Pick a run" in words(app)


def test_a_run_deleted_in_another_tab_is_gone_without_a_word_of_python(visit: Visit) -> None:
    kept, lost = trained("protonet"), trained("maml")
    app = sound(visit(PAGE, run=[lost.id, kept.id]))
    assert len(panels(app, "drawings")) == 2
    mc.Store().delete(lost)
    sound(app.run())
    assert [panel["title"] for panel in panels(app, "drawings")] == ["Prototypical Networks"]


def test_damaged_weights_leave_a_run_out(visit: Visit) -> None:
    sane, broken = trained("protonet"), trained("maml")
    for file in broken.folder.glob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:100])
    app = visit(PAGE, run=[broken.id, sane.id])
    assert not app.exception
    assert app.error[0].value.startswith(f"{broken.name} is left out")
    assert [panel["title"] for panel in panels(app, "drawings")] == ["Prototypical Networks"]


@pytest.mark.usefixtures("omniglot_home")
def test_a_missing_dataset_is_a_sentence(visit: Visit, home: Path) -> None:
    run = trained("protonet", "omniglot")
    shown = sound(visit(PAGE, run=run.id))
    assert panels(shown, "drawings")
    for link in (home / "data").iterdir():
        link.unlink() if link.is_symlink() else shutil.rmtree(link)
    mc.datasets.forget()
    app = visit(PAGE, run=run.id, seed="5")
    assert not app.exception
    assert "omniglot" in app.error[0].value


def test_eight_runs_adapt_side_by_side_and_share_their_pictures(visit: Visit) -> None:
    runs = [trained("protonet") for _ in range(8)]
    app = sound(visit(PAGE, run=[run.id for run in runs], queries="1"))
    boards = panels(app, "drawings")
    assert len(boards) == 8
    assert "Of **5 queries**, these are answered rightly" in words(app)
    assert len(films(app)[0]["pictures"]) == 10, "a picture travels once, however many show it"


def test_runs_that_take_drawings_one_at_a_time_are_looked_into(visit: Visit) -> None:
    run = trained("memory")
    app = sound(visit(PAGE, run=run.id))
    said = words(app)
    assert "What is known at each showing of a class" in said
    assert "Memory-augmented network: where it looked" in said
    assert "Memory-augmented network: what its slots hold" in said
    assert "leaves out the labels that are taken already gets up to 46%" in said
    app = sound(visit(PAGE, run=trained("protonet").id))
    assert "showing of a class" not in words(app)
