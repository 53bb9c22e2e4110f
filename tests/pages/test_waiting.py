"""While an answer is not there: a bar, the old picture, and nothing that hangs."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from metacore import answers
from metacore.answers import Here, Question, Standing
from tests.pages.conftest import Visit, films, words

PAGE = "lab/adapt.py"
SINE = "maml-sinusoid"
LONG = "BackgroundEpisodes"


class Holding(Here):
    """Holds back the kinds of answers it is told to."""

    def __init__(self, *held: str) -> None:
        super().__init__()
        self.held = set(held)
        self.done = 0
        self.asked: list[str] = []
        self.parts: dict[Question[Any], Any] = {}

    def ask(self, question: Question[Any], *, wait: float = 0.0) -> Standing[Any]:
        kind = type(question).__name__
        self.asked.append(kind)
        if kind in self.held:
            return self._part(question)
        return super().ask(question, wait=wait)

    def peek(self, question: Question[Any]) -> Standing[Any] | None:
        if type(question).__name__ in self.held:
            return self._part(question) if self.done else None
        return super().peek(question)

    def _part(self, question: Question[Any]) -> Standing[Any]:
        if not self.done:
            return Standing(total=question.total)
        if question not in self.parts:  # what a helper would have sent by now
            self.parts[question], _ = question.some(0, 0.0)
        return Standing(self.parts[question], done=self.done, total=question.total, left=12.0)


@pytest.fixture
def holding(monkeypatch: pytest.MonkeyPatch, pretrained: object) -> Holding:
    desk = Holding()
    monkeypatch.setattr(answers, "_desk", desk)
    return desk


def bars(app: AppTest) -> list[str]:
    return [str(element.proto.text) for element in app.get("progress")]


def button(app: AppTest, label: str) -> Any:
    return next(found for found in app.button if found.label == label)


def test_before_the_first_answer_there_is_a_bar_and_the_controls(
    visit: Visit, holding: Holding
) -> None:
    holding.held = {"Adaptation"}
    app = visit(PAGE, run=SINE)
    assert not app.exception
    assert bars(app) == ["Adapting…"]
    assert not films(app)
    assert app.multiselect
    holding.held = set()
    assert films(app.run())
    assert not bars(app)


def test_the_old_picture_stays_until_the_new_one_is_there(visit: Visit, holding: Holding) -> None:
    app = visit(PAGE, run=SINE)
    before = films(app)
    holding.held = {"Drawn"}
    holding.peek = lambda question: (  # type: ignore[method-assign]
        None if getattr(getattr(question, "spec", None), "seed", 0) == 1
        else Here.peek(holding, question)
    )  # fmt: skip
    button(app, "New episode").click().run()
    assert not app.exception
    assert films(app) == before
    assert bars(app) == ["Adapting…"]
    holding.held = set()
    del holding.peek
    assert films(app.run()) != before


def test_a_long_answer_shows_its_part_and_the_time_left(visit: Visit, holding: Holding) -> None:
    holding.held, holding.done = {LONG}, 40
    app = visit(PAGE, run=SINE)
    assert any("40 of 100" in said and "left" in said for said in bars(app))
    lines = [panel for panel in films(app)[0]["panels"] if panel["kind"] == "lines"]
    assert all(any(line["band"] for line in panel["lines"]) for panel in lines)


def test_what_is_stopped_is_not_asked_for_and_goes_on(visit: Visit, holding: Holding) -> None:
    holding.held, holding.done = {LONG}, 40
    app = visit(PAGE, run=SINE)
    button(app, "Stop").click().run()
    assert "Stopped at 40 of 100" in words(app)
    holding.asked.clear()
    app.run()
    assert LONG not in holding.asked
    button(app, "Go on").click().run()
    assert LONG in holding.asked
    assert any("40 of 100" in said for said in bars(app))
