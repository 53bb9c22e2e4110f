"""What is prepared is what the pages ask for when they are opened."""

from typing import Any

import pytest

from metacore import answers
from metacore.answers import Here, Question, Standing
from pages.ui import ready
from tests.pages.conftest import Visit


class Listening(Here):
    """Remembers what it was asked, but not what answers asked for themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Question[Any]] = []
        self._answering = False

    def ask(self, question: Question[Any], *, wait: float = 0.0) -> Standing[Any]:
        if self._answering:
            return super().ask(question, wait=wait)
        self.asked.append(question)
        self._answering = True
        try:
            return super().ask(question, wait=wait)
        finally:
            self._answering = False


@pytest.mark.usefixtures("pretrained")
@pytest.mark.parametrize(
    "page", ["learn/start.py", "lab/adapt.py", "lab/prototypes.py", "lab/compare.py"]
)
def test_the_first_look_is_prepared(
    visit: Visit, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Listening()
    monkeypatch.setattr(answers, "_desk", desk)
    assert not visit(page).exception
    prepared = set(ready.first_looks())
    assert desk.asked
    assert [question for question in desk.asked if question not in prepared] == []


def test_where_there_are_no_runs_only_the_form_is_prepared() -> None:
    assert {type(question).__name__ for question in ready.first_looks()} == {"Possible", "Drawn"}
