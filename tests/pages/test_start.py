"""The start page: two networks meet a new wave, and everything in the registries is named."""

import ast
import shutil
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import metacore as mc
from metacore import ALGORITHMS, DATASETS
from metacore.runs.bundled import PRETRAINED
from pages.ui import waves
from tests.pages.conftest import Visit, films, words

ROOT = Path(__file__).parents[2]
START = "learn/start.py"


@pytest.mark.usefixtures("pretrained")
def test_a_learned_network_bends_and_a_fresh_one_does_not(visit: Visit) -> None:
    (film,) = films(visit(START))
    learned, scratch, errors = film["panels"]
    assert film["autoplay"]
    assert film["steps"] == list(range(11))
    for panel in (learned, scratch):
        assert len(panel["points"]) == 5
        assert len(panel["lines"][0]["values"]) == 11
    maml, fresh = (line["values"] for line in errors["lines"])
    assert maml[-1] < 0.5 * maml[0]
    assert maml[-1] < 0.5 * fresh[-1]


@pytest.mark.usefixtures("pretrained")
def test_what_it_shows_is_what_the_engine_says(visit: Visit) -> None:
    app = visit(START)
    (film,) = films(app)
    trace = mc.trace(mc.Store().get("maml-sinusoid"), seed=waves.TYPICAL[0], steps=10)
    assert trace.curves is not None
    shown = np.array(film["panels"][0]["lines"][0]["values"])
    assert np.allclose(shown, trace.curves[:, 0], rtol=1e-3, atol=1e-3)


@pytest.mark.usefixtures("pretrained")
def test_another_wave_is_another_wave(visit: Visit) -> None:
    app = visit(START)
    before = films(app)[0]["panels"][0]["truth"]
    app.button[0].click().run()
    assert films(app)[0]["panels"][0]["truth"] != before


def test_without_pretrained_runs_it_says_how_to_make_them(visit: Visit) -> None:
    app = visit(START)
    assert not app.exception
    assert "make pretrained" in app.info[0].value


@pytest.mark.usefixtures("pretrained")
def test_a_damaged_pretrained_run_is_a_sentence(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "shelf"
    for name in ("maml-sinusoid", "scratch-sinusoid"):
        shutil.copytree(PRETRAINED / name, shelf / name)
    (shelf / "maml-sinusoid" / "best.safetensors").write_bytes(b"nonsense")
    monkeypatch.setattr("metacore.runs.store.PRETRAINED", shelf)
    app = visit(START)
    assert not app.exception
    assert "damaged" in app.error[0].value
    assert "**MAML**" in words(app)  # the rest of the page is there


def test_it_shows_everything_in_the_registries(visit: Visit) -> None:
    app = visit(START)
    assert not app.exception
    shown = words(app)
    formulas = [str(element.value) for element in app.latex]
    for name, kind in (*ALGORITHMS.items(), *DATASETS.items()):
        assert f"**{kind.title}**" in shown
        assert f"`{name}`" in shown
        assert kind.summary in shown
    for kind in ALGORITHMS.values():
        assert all(any(line in f for f in formulas) for line in kind.formula)


def test_the_server_is_found_by_streamlit() -> None:
    """`streamlit run` looks for a module-level App; were it not found, pages would not be."""
    tree = ast.parse((ROOT / "app.py").read_text())
    names = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert names == ["app"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("mc.UserError('There is no run x.')", "There is no run x."),
        ("ZeroDivisionError('secret')", "This page has met an error of its own;"),
    ],
)
def test_errors_become_sentences(error: str, sentence: str) -> None:
    program = f"import app\nimport metacore as mc\nassert app.say_error({error})"
    page = AppTest.from_string(program, default_timeout=60).run()
    assert not page.exception
    (shown,) = page.error
    assert shown.value.startswith(sentence)
    assert "secret" not in shown.value
