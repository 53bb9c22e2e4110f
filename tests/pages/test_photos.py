"""The Photographs part of Trial: taught with files, asked about one more, and kept nowhere."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

import metacore as mc
from metacore.models.pixels import Pixels
from metacore.runs import trials
from tests.pages.conftest import Visit, words
from tests.pages.test_trial import PAGE, cards, press, sound
from tests.pages.test_trial import drawing as ring_or_bar
from tests.trial.hands import file

COLOURS = {"tomato": (220, 60, 40), "leaf": (60, 170, 60), "sky": (70, 130, 220)}


@pytest.fixture
def centroid() -> mc.Run:
    """It has learned nothing and tells colours apart by their pixels."""
    config = mc.preset("centroid", "emoji").replace(model=Pixels())
    return mc.train(config, name="pixels")


def photograph(name: str, seed: int) -> bytes:
    """A patch of this colour on a ground that is another every time."""
    chance = np.random.default_rng(seed)
    ground = chance.integers(90, 170, 3)
    picture = np.broadcast_to(ground, (300, 400, 3)) + chance.normal(0, 9, (300, 400, 3))
    picture[60:240, 110:290] = COLOURS[name] + chance.normal(0, 9, (180, 180, 3))
    return file(Image.fromarray(picture.clip(0, 255).astype(np.uint8)), "JPEG")


def archive(**broken: bytes) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for number, name in enumerate(COLOURS):
            made.writestr(f"{name}/1.jpg", photograph(name, number))
        for name, content in broken.items():
            made.writestr(f"{name}/2.jpg", content)
    return data.getvalue()


def give(app: AppTest, name: str, data: bytes) -> AppTest:
    app.get("file_uploader")[-1].set_value([(name, data, "application/zip")])
    return sound(app.run())


def taught(visit: Visit) -> AppTest:
    return give(sound(visit(PAGE, way="Photographs")), "things.zip", archive(sky=b"nothing"))


@pytest.mark.usefixtures("centroid")
def test_it_is_taught_and_asked(visit: Visit) -> None:
    app = taught(visit)
    assert [each.value for each in app.text_input] == [*COLOURS]
    assert any("sky/2.jpg is not a PNG" in warning.value for warning in app.warning)
    (card,) = cards(app)
    assert card["probabilities"] == []
    app = give(app, "new.jpg", photograph("leaf", 7))
    (card,) = cards(app)
    assert np.argmax(card["probabilities"][-1]) == [*COLOURS].index("leaf")
    assert card["reason"].startswith("data:image/webp"), "and shows what it goes by"
    shown = " ".join(each.proto.body for each in app.get("html"))
    assert card["reason"] in shown, "which is one of those it was taught with"


@pytest.mark.usefixtures("centroid")
def test_nothing_is_stored_unless_it_is_saved(visit: Visit) -> None:
    app = taught(visit)
    assert not trials.home.trials_folder().exists()
    app = press(app, "Save on this server")
    (code,) = app.code
    opened = sound(visit(PAGE, trial=code.value.rpartition("=")[2]))
    assert cards(opened) == cards(app)
    assert [each.value for each in opened.text_input] == [*COLOURS]


@pytest.mark.usefixtures("centroid")
def test_names_and_pictures_can_be_taken_back(visit: Visit) -> None:
    app = taught(visit)
    app.text_input[0].set_value("fire engine")
    app = sound(app.run())
    assert app.text_input[0].value == "fire engine"
    app.text_input[1].set_value("fire engine")
    app = app.run()
    assert "Two classes are named 'fire engine'" in app.error[0].value
    assert app.text_input[1].value == "leaf", "a name that is refused does not stay"
    app = press(app.run(), "Take back")
    assert [each.value for each in app.text_input] == [*COLOURS]
    app = press(app, "Start over")
    assert [each.value for each in app.text_input] == ["A", "B", "C"]
    assert "an example of A, B and C" in words(app)


@pytest.mark.usefixtures("centroid")
def test_drawings_are_recognised_as_such_and_lead_to_their_part(visit: Visit) -> None:
    app = give(sound(visit(PAGE, way="Photographs")), "ring.png", ring_or_bar(0))
    assert "These look like drawings on paper" in words(app)
    app = press(app, "See them as drawings instead")
    assert "Upload" in app.query_params["way"]
    assert "· 1 picture" in words(sound(app.run()))


@pytest.mark.usefixtures("centroid", "pretrained")
def test_photographs_among_the_drawings_open_where_they_are_seen(visit: Visit) -> None:
    app = sound(visit(PAGE, way="Upload"))
    app.get("file_uploader")[-2].set_value([("things.zip", archive(), "application/zip")])
    app = sound(app.run())
    assert "Photographs" in app.query_params["way"]
    assert "These look like photographs" in words(app)
    assert [each.value for each in app.text_input] == [*COLOURS]


def test_without_a_run_that_sees_colour_it_says_so(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.ui.trial.runs.offered", lambda **_: [])
    app = sound(visit(PAGE, way="Photographs"))
    assert "no run yet that has learned from pictures in colour" in words(app)
