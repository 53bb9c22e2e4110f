"""The selector of an episode is the same on every page that looks at one."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.episode import LAST_SEED
from tests.pages.conftest import Visit

PAGES = {"Adapt": "lab/adapt.py", "Compare": "lab/compare.py", "Prototypes": "lab/prototypes.py"}
CURVES = ["maml-sinusoid", "scratch-sinusoid"]


def another(app: AppTest) -> AppTest:
    (button,) = [button for button in app.button if button.label == "New episode"]
    return button.click().run()


@pytest.mark.usefixtures("pretrained")
@pytest.mark.parametrize("page", PAGES)
def test_the_next_episode_is_the_next_number(visit: Visit, page: str) -> None:
    app = another(visit(PAGES[page], seed="41"))
    assert not app.exception
    assert app.number_input(key=f"{page} seed").value == 42
    assert app.query_params["seed"] in ("42", ["42"])


@pytest.mark.usefixtures("pretrained")
@pytest.mark.parametrize("page", PAGES)
def test_after_the_last_number_comes_the_first(visit: Visit, page: str) -> None:
    app = visit(PAGES[page], seed=str(LAST_SEED - 1))
    assert app.number_input(key=f"{page} seed").max == LAST_SEED
    assert another(app).number_input(key=f"{page} seed").value == 0


@pytest.mark.usefixtures("pretrained")
def test_a_task_has_the_same_bounds_wherever_it_is_chosen(visit: Visit) -> None:
    adapt, compare = (visit(PAGES[page]) for page in ("Adapt", "Compare"))
    for name in ("ways", "shots"):
        here, there = (
            app.number_input(key=f"{page} {name}")
            for app, page in ((adapt, "Adapt"), (compare, "Compare"))
        )
        assert (here.label, here.min, here.max) == (there.label, there.min, there.max)


@pytest.mark.usefixtures("pretrained")
def test_what_a_curve_is_learned_from_are_points(visit: Visit) -> None:
    adapt, compare = (visit(PAGES[page], run=CURVES) for page in ("Adapt", "Compare"))
    assert adapt.number_input(key="Adapt shots").label == "Points"
    assert compare.number_input(key="Compare curve_shots").label == "Points"
