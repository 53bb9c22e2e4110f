"""Pages show pictures in colour as they are, and call their classes what people do."""

import base64
import io
import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

import metacore as mc
from metacore.answers import EpisodeSpec
from metacore.datasets.emoji import Emoji, EmojiConfig
from metacore.datasets.quickdraw import QuickDrawConfig
from metacore.insight.contest import Contest
from metacore.models.pixels import Pixels
from pages.ui import drawings, pick
from tests.pages.conftest import Visit, films, words


@pytest.fixture
def centroid() -> mc.Run:
    config = mc.preset("centroid", "emoji").replace(model=Pixels())
    return mc.train(config, name="pixels")


def names(run: mc.Run, seed: int = 0) -> tuple[str, ...]:
    return EpisodeSpec.like(run, seed=seed).class_names()


def sound(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def shown(address: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2])))


def test_names_are_those_of_the_episodes_classes(centroid: mc.Run) -> None:
    called = names(centroid)
    assert len(set(called)) == 5
    source = mc.datasets.load(centroid.config.dataset, torch.device("cpu"))
    assert set(called) <= set(source.class_names("test"))
    chosen = EpisodeSpec(dataset=EmojiConfig(), ways=2, shots=1, queries=1, classes=(5, 3))
    assert chosen.class_names() == tuple(source.short_names("test")[n] for n in (5, 3))
    glyphs = EpisodeSpec(dataset=mc.preset("maml", "glyphs").dataset, ways=2, shots=1, queries=1)
    assert glyphs.class_names() == ()


def test_adapt_films_them_by_name_and_in_colour(visit: Visit, centroid: mc.Run) -> None:
    (film,) = films(sound(visit("lab/adapt.py", run=centroid.id)))
    board = next(panel for panel in film["panels"] if "support" in panel)
    assert tuple(kind["name"] for kind in board["classes"]) == names(centroid)
    assert not board["inked"]
    colours = [np.asarray(shown(picture).convert("RGB")) for picture in film["pictures"]]
    assert any((one.max(-1) > one.min(-1) + 60).any() for one in colours)


def test_a_run_of_another_version_is_passed_over(
    centroid: mc.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One with a setting that is not known here takes no page down."""
    model = {**centroid.values["model"], "future": 3}
    other = replace(centroid, values={**centroid.values, "model": model})
    there = SimpleNamespace(runs=lambda: [other, centroid])
    monkeypatch.setattr("pages.ui.pick.engine.store", lambda: there)
    assert pick.usable() == [centroid]


def test_prototypes_tells_which_letter_is_which(visit: Visit, centroid: mc.Run) -> None:
    app = sound(visit("lab/prototypes.py", run=centroid.id))
    legend = next(m.value for m in app.markdown if m.value.startswith("**A** "))
    told = [part.partition("** ")[2] for part in legend.split(" · ")]
    figures = json.dumps([json.loads(element.proto.spec) for element in app.get("plotly_chart")])
    assert len(told) == 5
    assert all(f"of class {name}" in figures for name in told)


def test_mistakes_are_told_in_words(visit: Visit, centroid: mc.Run) -> None:
    again = mc.train(centroid.config.replace(seed=1), name="pixels again")
    app = sound(visit("lab/compare.py", run=[centroid.id, again.id]))
    assert "Most often it takes **" in words(app)
    assert ", taken for " in json.dumps([json.loads(e.proto.spec) for e in app.get("plotly_chart")])


def test_train_shows_names_above_the_pictures(visit: Visit) -> None:
    app = sound(visit("lab/train.py", dataset="quickdraw"))
    sample = next(e.proto.body for e in app.get("html") if 'class="sample' in e.proto.body)
    config = mc.preset("maml", "quickdraw")
    spec = EpisodeSpec.of(config, split="train", seed=0, **config.task.to_dict())
    assert all(f"<b>{name}</b>" in sample for name in spec.class_names())


def test_a_contest_about_doodles_names_them_once_it_is_over() -> None:
    puzzle = Contest(dataset="quickdraw", level="ten").puzzle(3, torch.device("cpu"))
    source = mc.datasets.load(QuickDrawConfig(), torch.device("cpu"))
    drawn = puzzle.episode.classes
    assert drawn is not None
    assert puzzle.names == tuple(source.class_names("test")[n] for n in drawn[0].tolist())


@pytest.mark.usefixtures("pretrained")
def test_a_network_for_any_picture_meets_all_who_see_some(visit: Visit) -> None:
    there = pick.groups(pick.usable())
    seen = [runs for runs in there.values() if not pick.regression(runs[0])]
    assert len(seen) > 1
    assert all("centroid-emoji" in [run.id for run in runs] for runs in seen)
    app = sound(visit("lab/adapt.py", run=["centroid-emoji", "maml-glyphs"]))
    (film,) = films(app)
    boards = [panel["title"] for panel in film["panels"] if "support" in panel]
    assert boards == ["Nearest centroid", "MAML"]
    assert film["panels"][0]["inked"], "the task is one that both can see"


@pytest.mark.parametrize("side", [20, 32, 84, 192, 400])
def test_thumbnails_are_sharp_and_small(side: int) -> None:
    picture = torch.randint(0, 256, (2, 3, side, side), dtype=torch.uint8)
    for address in drawings.addresses(picture, kind=Emoji):
        found = shown(address)
        assert drawings.SHARP <= found.width <= max(drawings.LARGEST, 2 * drawings.SHARP)
        assert len(address) < 120_000
    if side < drawings.SHARP:  # every pixel is a square of its own
        times = found.width // side
        squares = np.asarray(found.convert("RGB"))[::times, ::times]
        assert np.array_equal(squares, picture[1].permute(1, 2, 0).numpy())
