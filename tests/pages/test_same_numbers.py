"""One run on one episode is one number, wherever it stands; and every number says what it is."""

from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from metacore import Run, Store
from metacore.answers.episode_spec import drawn_queries
from metacore.runs import tested
from pages.ui import pick, words
from tests.pages.conftest import Visit, films

MAML, SCRATCH = "maml-glyphs", "scratch-glyphs"


def accuracies(app: AppTest) -> dict[str, list[float]]:
    assert not app.exception
    (film,) = films(app)
    lines = next(panel["lines"] for panel in film["panels"] if panel["kind"] == "lines")
    return {line["name"]: line["values"] for line in lines if not line["band"]}


@pytest.mark.usefixtures("pretrained")
def test_adapt_and_compare_say_the_same_of_one_episode(visit: Visit) -> None:
    adapt = accuracies(visit("lab/adapt.py", run=MAML, seed="3"))
    compare = accuracies(visit("lab/compare.py", run=[MAML, SCRATCH], seed="3"))
    for here, there in (("MAML", "MAML on glyphs"), ("from scratch", "From scratch on glyphs")):
        steps = min(len(adapt[here]), len(compare[there]))
        assert steps >= 4
        assert adapt[here][:steps] == compare[there][:steps]


def test_an_episode_has_as_many_queries_wherever_it_is_looked_at() -> None:
    assert [drawn_queries(ways, 15) for ways in (2, 5, 10, 20, 60)] == [5, 5, 5, 2, 1]
    assert drawn_queries(5, 3) == 3


@pytest.fixture
def maml(pretrained: object) -> Run:
    return replace(Store().get(MAML), tested=None)


def with_test(run: Run) -> Run:
    protocol = {"ways": 20, "shots": 5, "queries": 5, "steps": 3, "episodes": 600, "seed": 0}
    norm = "transductive"
    found = tested.Tested(
        metric="accuracy",
        mean=0.9712,
        ci95=0.0043,
        dataset="glyphs",
        split="test",
        norm=norm,
        **protocol,
    )
    return replace(run, tested=found)


def test_a_label_says_whether_its_score_is_of_validation_or_of_the_test(maml: Run) -> None:
    assert pick.label(with_test(maml)).startswith(
        "MAML on glyphs · 97.1 ± 0.4 % test, 20-way 5-shot"
    )
    assert words.quoted(maml).endswith("% validation, 5-way 1-shot")
    assert words.quoted(replace(maml, best_value=None)) == "not validated yet"


@pytest.mark.usefixtures("pretrained")
def test_errors_are_called_errors() -> None:
    told = words.quoted(replace(Store().get("maml-sinusoid"), tested=None))
    assert told.startswith("error ")
    assert told.endswith("validation, 5 points")
