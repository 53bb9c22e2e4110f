"""The page of prototypes: what it says is what the engine answers, whatever is asked of it."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from metacore import Store, load
from metacore.cli import main
from metacore.datasets.omniglot import OmniglotConfig
from metacore.insight.trace import trace
from tests.pages.conftest import Visit, words

PAGE = "lab/prototypes.py"
SMALL = "train --dataset glyphs --iterations 2 --width 8 --train-classes 32 --test-classes 20"
Open = Callable[..., AppTest]


@pytest.fixture
def tiny(home: Path) -> Callable[..., str]:
    """Trains a run for two steps and says its id."""

    def trained(algorithm: str, *more: str) -> str:
        command = [*SMALL.split(), "--algorithm", algorithm, "--name", algorithm, *more]
        assert main(command) == 0
        return next(run.id for run in Store().runs() if run.name == algorithm)

    return trained


def right(app: AppTest) -> int:
    (found,) = re.findall(r"answers? (\d+) of \d+ queries", words(app))
    return int(found)


def pick(app: AppTest, label: str, value: str) -> AppTest:
    (box,) = [one for one in app.selectbox if one.label == label]
    return box.set_value(value).run()


def pick_class(app: AppTest, letter: str) -> AppTest:
    (switch,) = [one for one in app.segmented_control if one.label == "Class"]
    return switch.set_value(letter).run()


def test_it_opens_on_the_pretrained_prototypes(visit: Visit, pretrained: Path) -> None:
    app = visit(PAGE)
    assert not app.exception
    assert "Prototypical Networks answer" in words(app)
    assert "the flat picture agrees with its decision on" in words(app)
    assert "of the variance" in words(app)


@pytest.mark.parametrize("shots", [1, 4])
def test_it_counts_what_the_method_answers(visit: Visit, pretrained: Path, shots: int) -> None:
    app = visit(PAGE, seed="8", shots=str(shots))
    learner = load("protonet-glyphs")
    task = {"ways": 5, "shots": 5, "queries": 5, "seed": 8, "numbers": range(1)}
    episode = learner.dataset.episodes("test", **task).fewer_shots(shots)
    assert right(app) == round(25 * float(trace(learner, episode).query_score[0, 0]))


def test_edits_move_the_answers_and_reset_takes_them_back(visit: Visit, pretrained: Path) -> None:
    app = visit(PAGE, shots="2")
    before = right(app)
    pick(app, "Label of A1", "B")
    pick(app, "Label of A2", "C")
    assert "Class A would have no picture left" in words(app)
    assert right(app) == before
    pick_class(app, "B")
    pick(app, "Label of B1", "A")
    assert app.query_params["edits"] == "A1:B,A2:C,B1:A"
    assert f"**{before}** before the support was edited" in words(app)
    assert right(app) < before
    (reset,) = [button for button in app.button if button.label == "Reset"]
    reset.click().run()
    assert right(app) == before
    assert "edits" not in app.query_params


def test_a_new_episode_starts_afresh(visit: Visit, pretrained: Path) -> None:
    app = visit(PAGE, edits="A1:B", drawing="query 9")
    (new,) = [button for button in app.button if button.label == "New episode"]
    new.click().run()
    assert app.number_input(key="Prototypes seed").value == 9
    assert "edits" not in app.query_params
    assert "before the support was edited" not in words(app)


def test_the_other_distance_says_which_one_was_trained(visit: Visit, pretrained: Path) -> None:
    assert "measures by Euclidean distance, as in training" in words(visit(PAGE))
    shown = words(visit(PAGE, distance="cosine"))
    assert "was trained with Euclidean distance; here" in shown
    assert "measured by cosine distance" in shown


def test_it_works_in_space_too(visit: Visit, pretrained: Path) -> None:
    app = visit(PAGE, view="3-D")
    assert not app.exception
    assert "the picture in space agrees" in words(app)
    assert "3 of 256 dimensions" in words(app)


def test_methods_with_an_inner_loop_show_before_and_after(visit: Visit, pretrained: Path) -> None:
    app = visit(PAGE, run="maml-glyphs")
    assert not app.exception
    shown = words(app)
    assert re.search(r"lies between classes: \*\*\d+% → \d+%\*\*", shown)
    assert "**Before adaptation:" in shown
    assert "Both pictures show one plane" in shown
    assert "Each picture shows its own plane" in words(visit(PAGE, run="maml-glyphs", plane="own"))


def test_a_frozen_body_is_said_to_be_frozen(visit: Visit, tiny: Callable[..., str]) -> None:
    shown = words(visit(PAGE, run=tiny("anil")))
    assert "changes the last layer only" in shown
    assert "**Before adaptation:" not in shown


@pytest.mark.parametrize("algorithm", ["matching", "scratch", "finetune", "reptile", "fomaml"])
def test_every_algorithm_has_a_picture(
    visit: Visit, tiny: Callable[..., str], algorithm: str
) -> None:
    app = visit(PAGE, run=tiny(algorithm))
    assert not app.exception
    assert not app.error
    assert 0 <= right(app) <= 25


def test_matching_networks_show_attention(visit: Visit, tiny: Callable[..., str]) -> None:
    shown = words(visit(PAGE, run=tiny("matching")))
    assert "How much attention every query pays" in shown
    assert "from every prototype" not in shown


def test_without_runs_it_says_what_to_do(visit: Visit) -> None:
    app = visit(PAGE)
    assert not app.exception
    assert "no run yet that has learned from pictures" in words(app)


def test_runs_on_curves_are_not_offered(visit: Visit) -> None:
    assert main(["train", "--dataset", "sinusoid", "--iterations", "2", "--name", "wave"]) == 0
    assert "no run yet that has learned from pictures" in words(visit(PAGE))


@pytest.mark.parametrize(
    "query",
    [
        {"run": "gone"},
        {"seed": "-4"},
        {"seed": "many"},
        {"shots": "99"},
        {"shots": "0"},
        {"view": "4-D"},
        {"distance": "far"},
        {"show": "nothing"},
        {"drawing": "query 999"},
        {"edits": "A1:B,<b>,Q7:out,A9:A"},
        {"run": "maml-glyphs", "plane": "flat"},
    ],
)
def test_nonsense_in_a_link_gives_a_sensible_page(
    visit: Visit, pretrained: Path, query: dict[str, str]
) -> None:
    app = visit(PAGE, **query)
    assert not app.exception
    assert not app.error
    assert right(app) >= 0


def test_a_run_deleted_meanwhile_leaves_a_working_page(
    visit: Visit, pretrained: Path, tiny: Callable[..., str]
) -> None:
    run = tiny("protonet")
    app = visit(PAGE, run=run)
    Store().delete(Store().get(run))
    app.run()
    assert not app.exception
    assert right(app) > 0


def test_damaged_weights_are_said_to_be_damaged(visit: Visit, tiny: Callable[..., str]) -> None:
    run = Store().get(tiny("protonet"))
    for file in run.folder.glob("*.safetensors"):
        file.write_bytes(b"not a checkpoint")
    app = visit(PAGE, run=run.id)
    assert not app.exception
    assert len(app.error) == 1


def test_missing_data_are_said_to_be_missing(visit: Visit, tiny: Callable[..., str]) -> None:
    """A run on Omniglot that came from elsewhere, where Omniglot has never been fetched."""
    store = Store()
    own = store.get(tiny("protonet"))
    foreign = store.create(own.config.replace(dataset=OmniglotConfig()), "foreign")
    foreign.folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(own.folder / "best.safetensors", foreign.folder)
    app = visit(PAGE, run=foreign.id)
    assert not app.exception
    (error,) = app.error
    assert "metacore data get omniglot" in str(error.value)


def test_numbers_say_what_an_edit_did(visit: Visit, pretrained: Path) -> None:
    said = words(visit(PAGE, edits="B1:A"))
    assert "**Edited**: B1 as A." in said
    moved = re.findall(r"\| \*\*([A-E])\*\* \| (\S+) \| \d → \*\*\d\*\* \|", said)
    assert {letter for letter, distance in moved if distance != "–"} == {"A", "B"}


def test_the_picture_says_at_its_place_what_it_leaves_out(visit: Visit, pretrained: Path) -> None:
    shown = words(visit(PAGE))
    assert "The tint is the class of the nearest star in this picture." in shown
    assert "The picture shows 2 of 256 dimensions; the run decides in all of them" in shown
    assert "nearest star" not in words(visit(PAGE, run="matching-glyphs"))
