"""Every page opens with what nobody foresaw, and shows it."""

import base64
import io
import json
import re
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import metacore as mc
from metacore.runs import comparisons, execute
from metacore.runs.comparisons import Comparisons
from tests.extension.conftest import brief, trained
from tests.extension.toys import FAMILY, Flags, FlagsConfig, Thermal
from tests.pages.conftest import Visit, films, words
from tests.pages.test_compare import asked, press

TITLE = Thermal.title
PURPLE = Thermal.color[0]


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def mounted(app: AppTest, name: str) -> list[dict[str, Any]]:
    found = [element.proto for element in app.get("bidi_component")]
    return [json.loads(p.json) for p in found if p.component_name == f"metacore_{name}"]


def charts(app: AppTest) -> str:
    """All figures as JSON, which hides no slash."""
    figures = [json.loads(element.proto.spec) for element in app.get("plotly_chart")]
    return json.dumps(figures)


def vivid(addresses: list[str]) -> bool:
    """Whether these are pictures in colour, as bright as they were in the folder."""
    brightest = []
    for address in addresses:
        image = Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))).convert("RGB")
        pixels = np.asarray(image).astype(int)
        brightest.append(pixels.max() if (pixels.max(-1) - pixels.min(-1)).mean() > 100 else 0)
    return bool(addresses) and min(brightest) > 230


def pictures_in(text: str) -> list[str]:
    return re.findall(r"data:image/png;base64,[A-Za-z0-9+/=]+", text)


def test_start_lists_it(visit: Visit) -> None:
    app = visit("learn/start.py")
    assert not app.exception
    assert [FAMILY.title] == [s.value for s in app.subheader if "sure" in s.value]
    for said in (FAMILY.about, TITLE, Thermal.summary, Flags.title, Flags.summary):
        assert said in words(app)
    assert [each.value for each in app.latex if Thermal.formula[0] in each.value]


def test_train_offers_it(visit: Visit, flags: FlagsConfig) -> None:
    folder = f"data.dataset.folder:{flags.folder}"
    settings = ["thermal.training.iterations:4", "thermal.model.width:4"]
    app = sound(
        visit("lab/train.py", dataset="flags", thermal="yes", maml="no", set=[folder, *settings])
    )
    assert FAMILY.title in words(app)
    assert app.checkbox(key="Train thermal").value
    assert PURPLE in " ".join(str(each.value) for each in app.get("html"))
    assert vivid(pictures_in(" ".join(each.proto.body for each in app.get("html"))))
    assert not app.button(key="start").disabled
    app = press(app, "Start training")
    (run,) = mc.Store().runs()
    assert run.config.dataset == flags
    assert run.config.to_dict()["model"] == {"name": "glance", "width": 4, "patch": 5}


def test_train_says_what_its_data_need(visit: Visit) -> None:
    app = visit("lab/train.py", dataset="flags", thermal="yes")
    assert not app.exception
    assert "Name the folder the flags are in." in words(app)


def test_train_shows_how_it_went(visit: Visit, thermal: mc.Run) -> None:
    app = sound(visit("lab/train.py", run=thermal.id))
    assert "warm flags" in words(app)


def test_adapt_shows_it(visit: Visit, thermal: mc.Run, blend: mc.Run, maml: mc.Run) -> None:
    app = sound(visit("lab/adapt.py", run=[thermal.id, blend.id, maml.id], shots="2"))
    (film,) = films(app)
    boards = [panel for panel in film["panels"] if "support" in panel]
    assert [panel["title"] for panel in boards] == [TITLE, "Blend", "MAML"]
    assert len(boards[0]["support"]) == 6
    assert vivid(film["pictures"])
    lines = [line for panel in film["panels"] for line in panel.get("lines", ())]
    assert any(line["color"] == PURPLE for line in lines if line["name"] == TITLE)
    assert f"{TITLE} adapts in one computation" in words(app)
    assert f"{TITLE}: Learned temperature" in words(app)
    assert "Below 1 it is sure of itself." in words(app)


@pytest.mark.parametrize("page", ["adapt", "prototypes"])
def test_pages_call_them_what_the_dataset_does(visit: Visit, page: str, thermal: mc.Run) -> None:
    read = words(visit(f"lab/{page}.py", run=thermal.id))
    assert "pictures** of each" in read or "pictures of each" in read


def test_prototypes_shows_its_space(visit: Visit, thermal: mc.Run) -> None:
    app = sound(visit("lab/prototypes.py", run=thermal.id))
    assert f"{TITLE} answer" in words(app)
    assert len(app.get("plotly_chart")) >= 3
    assert vivid(pictures_in(charts(app)))


def test_prototypes_shows_its_network_before_and_after(visit: Visit, maml: mc.Run) -> None:
    app = sound(visit("lab/prototypes.py", run=maml.id))
    assert "variance that lies between classes" in words(app)


def test_prototypes_shows_what_answers_in_one_computation(visit: Visit, blend: mc.Run) -> None:
    app = sound(visit("lab/prototypes.py", run=blend.id))
    assert "in one computation" in words(app)
    assert "inner step" not in words(app)


def test_compare_shows_it(visit: Visit, thermal: mc.Run, blend: mc.Run, maml: mc.Run) -> None:
    app = sound(visit("lab/compare.py", run=[thermal.id, blend.id, maml.id]))
    assert len(films(app)) == 1
    app = press(app, "Evaluate on")
    store = mc.Store()
    Comparisons(store).work(comparisons.find(store, asked(app, "comparison")))
    app = sound(app.run())
    assert "warm flags" in words(app)
    assert PURPLE in charts(app)
    assert vivid(pictures_in(charts(app)))


@pytest.fixture
def small(flags: FlagsConfig) -> mc.Run:
    """A run on smaller pictures."""
    return trained(brief("thermal", FlagsConfig(folder=flags.folder, side=10)), "small flags")


@pytest.mark.parametrize("page", ["lab/compare.py", "lab/adapt.py"])
def test_runs_are_offered_together_when_their_inputs_fit(
    visit: Visit, page: str, thermal: mc.Run, maml: mc.Run, small: mc.Run
) -> None:
    app = sound(visit(page, run=[thermal.id, maml.id]))
    (switch,) = [each for each in app.get("button_group") if each.label == "Tasks"]
    sizes = ["10 x 10", "20 x 20"]
    assert sorted(switch.options) == [f"Pictures ({size} pixels in colour)" for size in sizes]
    runs = app.multiselect[0]
    assert len(runs.options) == 2


@pytest.mark.parametrize("page", ["lab/compare.py", "lab/adapt.py"])
def test_what_does_not_fit_is_a_sentence_naming_both(
    visit: Visit, page: str, thermal: mc.Run, maml: mc.Run, small: mc.Run
) -> None:
    app = sound(visit(page, run=[thermal.id, small.id, maml.id]))
    assert app.multiselect[0].value == [thermal.id, maml.id]
    assert (
        "small flags was trained on Flags (10 x 10 pixels in colour) and cannot be asked about"
        " Flags (20 x 20 pixels in colour)."
    ) in words(app)


def test_runs_shows_it(visit: Visit, thermal: mc.Run, maml: mc.Run) -> None:
    app = sound(visit("lab/runs.py"))
    assert TITLE in app.dataframe[0].value.to_string()
    app = sound(visit("lab/runs.py", run=thermal.id))
    folder = thermal.config.dataset.to_dict()["folder"]
    assert any(f"--folder {folder}" in each.value for each in app.code)
    sound(visit("lab/runs.py", run=[thermal.id, maml.id]))


@pytest.fixture
def ink() -> mc.Run:
    """A run of the toy on drawings."""
    config = mc.preset("thermal", "glyphs", "demo")
    small = mc.DATASETS["glyphs"].Config(train_classes=20, test_classes=20, drawings=8)
    config = config.replace(dataset=small, model=mc.MODELS["conv4"](width=4), device="cpu")
    store = mc.Store()
    training = {**config.training.to_dict(), "iterations": 1, "validation_episodes": 2}
    config = config.replace(training=mc.TrainingConfig(**training))
    return execute(store, store.create(config, "warm ink"))


def test_trial_is_answered_by_it(visit: Visit, ink: mc.Run) -> None:
    app = press(sound(visit("lab/trial.py", run=ink.id)), "Show me")
    (answers,) = mounted(sound(app), "answers")
    (card,) = answers["cards"]
    assert card["name"] == TITLE
    assert card["color"] == PURPLE
    assert card["distances"]


@pytest.mark.parametrize("way", ["Draw", "Upload", "Beat the machine"])
def test_trial_leaves_out_what_sees_no_drawings(
    visit: Visit, way: str, thermal: mc.Run, ink: mc.Run
) -> None:
    app = sound(visit("lab/trial.py", way=way))
    assert app.multiselect
    for picker in app.multiselect:
        assert len(picker.options) == 1
        assert "flags" not in picker.options[0]
