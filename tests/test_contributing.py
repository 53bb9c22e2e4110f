"""What CONTRIBUTING.md shows is complete: every block is registered, trained and looked at."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import metacore as mc
from metacore.training.config import TaskConfig

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
BLOCKS = re.findall(r"^## An? (\w+)$.*?^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
EXAMPLES = dict(BLOCKS)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With the algorithm, the dataset and the model of the examples."""
    registries = (mc.ALGORITHMS, mc.DATASETS, mc.MODELS)
    before = [dict(registry) for registry in registries]
    for kind in ("algorithm", "dataset", "model"):
        exec(compile(EXAMPLES[kind], f"CONTRIBUTING.md, {kind}", "exec"), {"__name__": kind})
    yield
    for registry, entries in zip(registries, before, strict=True):
        registry.clear()  # type: ignore[attr-defined]
        registry.update(entries)  # type: ignore[attr-defined]


def brief(algorithm: str, dataset: str, model: str) -> mc.RunConfig:
    config = mc.preset(algorithm, dataset, "demo", ways=3)
    few = {"tasks": 2, "iterations": 2, "validate_every": 1, "validation_episodes": 4}
    if dataset == "glyphs":
        small = mc.DATASETS["glyphs"].Config(train_classes=20, test_classes=20, drawings=6)
        config = config.replace(dataset=small)
    return config.replace(
        model=mc.MODELS[model](),
        task=TaskConfig(ways=3, shots=2, queries=2),
        training=replace(config.training, train_ways=3, train_queries=2, **few),
        device="cpu",
    )


def test_there_is_an_example_of_each() -> None:
    assert list(EXAMPLES) == ["algorithm", "dataset", "model", "page"]
    assert "(CONTRIBUTING.md)" in (ROOT / "README.md").read_text()


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize(
    ("algorithm", "dataset", "model"),
    [
        ("nearest", "tiles", "residual"),
        ("maml", "tiles", "residual"),
        ("nearest", "tiles", "conv4"),
    ],
)
def test_it_trains_and_is_evaluated(algorithm: str, dataset: str, model: str) -> None:
    run = mc.train(brief(algorithm, dataset, model))
    assert run.iteration == 2
    assert 0 <= mc.evaluate(run, episodes=4).mean <= 1
    assert mc.trace(run).query_score.shape[1] == 1


@pytest.mark.usefixtures("registered")
def test_the_page_opens(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "pages", tmp_path / "pages")
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    (tmp_path / "pages" / "lab" / "sure.py").write_text(EXAMPLES["page"])
    frame = tmp_path / "pages" / "frame.py"
    entry = 'st.Page("lab/sure.py", title="Sure", icon=":material/percent:"),'
    frame.write_text(frame.read_text().replace('"Lab": [', f'"Lab": [\n        {entry}'))
    assert "no run yet" in opened(frame).info[0].value
    mc.train(brief("nearest", "tiles", "residual"))
    assert opened(frame).metric[0].value.endswith("%")


def opened(frame: Path) -> AppTest:
    app = AppTest.from_file(str(frame), default_timeout=60).switch_page("lab/sure.py").run()
    assert not app.exception
    return app
