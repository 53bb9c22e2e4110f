"""Every page of the navigation, whatever it is asked: no traceback, something to read."""

import re

import pytest
from streamlit.testing.v1 import AppTest

import metacore as mc
from metacore.runs import Question, comparisons
from metacore.runs.jobs import submit
from pages.ui.navigation import LAB
from tests.pages.conftest import FRAME, Visit, words

PAGES = sorted(str(p.relative_to(FRAME.parent)) for p in FRAME.parent.glob("l*/*.py"))
HOSTILE = {
    **{"run": "no such run", "rivals": "<script>", "seed": "-1e999", "ways": "0", "shots": "٣"},
    **{"steps": "NaN", "norm": "sideways", "dataset": "../../etc", "comparison": "' OR 1=1"},
    **{"classes": "1,1,x", "queries": "99999999999999999999", "episodes": "-5"},
}


def test_all_pages_are_in_the_navigation() -> None:
    learn = re.findall(r'st.Page\("([^"]+)"', FRAME.read_text())
    assert sorted([*learn, *(at for at, _ in LAB.values())]) == PAGES


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("pretrained")
def test_it_opens(visit: Visit, page: str) -> None:
    app = visit(page)
    assert not app.exception
    assert len(app.title) == 1
    assert not app.error


@pytest.mark.parametrize("page", PAGES)
def test_it_opens_where_there_are_no_runs_at_all(visit: Visit, page: str) -> None:
    app = visit(page)
    assert not app.exception
    assert len(app.title) == 1


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.usefixtures("pretrained")
def test_nonsense_in_the_address_is_survived(visit: Visit, page: str) -> None:
    app = visit(page, **HOSTILE)
    assert not app.exception
    assert len(app.title) == 1


@pytest.mark.usefixtures("pretrained")
@pytest.mark.parametrize("page", PAGES)
def test_the_sidebar_is_there(visit: Visit, page: str) -> None:
    name = str(mc.device.describe(mc.device.resolve())["name"])
    app = visit(page)
    sidebar = "\n".join(str(m.value) for m in (*app.sidebar.markdown, *app.sidebar.caption))
    assert name in sidebar
    assert "memory" in sidebar


def test_the_sidebar_tells_of_the_queue_and_cancels(visit: Visit) -> None:
    store = mc.Store()
    run = submit(store, mc.preset("maml", "sinusoid", "demo"), "my wave")
    app = visit("learn/start.py")
    assert "Waiting for the device" in "\n".join(str(c.value) for c in app.sidebar.caption)
    app.sidebar.button(key=f"stop {run.id}").click().run()
    assert store.get(run.id).status == "cancelled"
    assert "Nothing is training" in words_of_sidebar(app.run())


@pytest.mark.usefixtures("pretrained")
def test_the_sidebar_tells_of_comparisons_and_cancels(visit: Visit) -> None:
    store = mc.Store()
    question = Question(
        runs=("maml-sinusoid", "scratch-sinusoid"), dataset={"name": "sinusoid"}, shots=5
    )
    asked = comparisons.ask(store, question)
    app = visit("learn/start.py")
    assert "Waiting for its turn" in words_of_sidebar(app)
    app.sidebar.button(key=f"stop {asked.id}").click().run()
    assert comparisons.find(store, asked.id).status == "cancelled"


def words_of_sidebar(app: AppTest) -> str:
    return "\n".join(str(m.value) for m in (*app.sidebar.markdown, *app.sidebar.caption))


def test_words_are_found(visit: Visit) -> None:
    assert "Watch a network learn to learn" in words(visit("learn/start.py"))
