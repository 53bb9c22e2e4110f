"""The sheet of pads, as the server sees it: what is given to the browser, and what comes back."""

from typing import Any

import pytest

from pages.ui import sheet
from pages.ui.sheet import Load
from pages.ui.trial import example
from pages.ui.trial.draw import read

STROKE = [[100, 100], [900, 900]]


def heard(
    monkeypatch: pytest.MonkeyPatch, said: Any, load: Load | None = None
) -> sheet.SheetContents:
    monkeypatch.setattr("streamlit.session_state", {sheet.KEY: {"drawn": said}})
    return sheet.heard(load or Load(), ways=2, shots=2)


def test_what_is_drawn_is_cropped_to_the_pads(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"id": "", "names": ["ox"], "support": [[[STROKE]] * 4] * 3, "query": [STROKE]}
    found = heard(monkeypatch, said)
    assert found.names == ["ox", "B"]
    assert found.support == [[[STROKE]] * 2] * 2
    assert found.query == [STROKE]


def test_a_new_load_is_believed_before_the_browser_knows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = {"id": "old", "names": ["old"], "support": [], "query": []}
    load = Load(id="new", names=["new", ""], support=[[[STROKE]], []], query=[STROKE])
    found = heard(monkeypatch, said, load)
    assert found.names == ["new", "B"]
    assert found.query == [STROKE]
    assert found.support == [[[STROKE], []], [[], []]]


@pytest.mark.parametrize(
    "said",
    [
        None,
        "words",
        {"id": ""},
        {"id": "", "names": 3, "support": "abc", "query": None},
        {"id": "", "names": [["x"], {}], "support": [3, [None, {"a": 1}]], "query": {"x": 1}},
        {"id": "", "support": [[[[[float("nan"), 1]]]]], "query": [[["1", 2]]]},
        {"id": "", "support": [[[[[1, 2]] * 3000]]], "query": [[[1, 2, 3]]]},
        {"id": "", "support": [[[[]] * 1000]], "query": [[[True, 10**400]]]},
    ],
)
def test_nonsense_from_a_browser_makes_no_drawing(
    monkeypatch: pytest.MonkeyPatch, said: Any
) -> None:
    trial, refused = read(heard(monkeypatch, said))
    assert trial is not None
    assert trial.support == ((), ())
    assert trial.query == ()
    assert all("is left out" in sentence for sentence in refused)


def test_one_bad_drawing_takes_no_other_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"id": "", "names": ["a", "b"], "support": [[[STROKE], [[["?"]]]], [[STROKE]]]}
    trial, refused = read(heard(monkeypatch, said))
    assert trial is not None
    assert [len(shots) for shots in trial.support] == [1, 1]
    assert len(refused) == 1
    assert refused[0].startswith("Drawing 2 of a")


def test_two_classes_of_one_name_are_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    trial, refused = read(heard(monkeypatch, {"id": "", "names": ["x", "x"]}))
    assert trial is None
    assert "'x'" in refused[0]


def test_names_are_one_short_line(monkeypatch: pytest.MonkeyPatch) -> None:
    found = heard(monkeypatch, {"id": "", "names": ["a\n b" + "c" * 99, "   "]})
    assert found.names == ["a b" + "c" * (sheet.NAME - 3), "B"]


@pytest.mark.parametrize("ways", [2, sheet.MOST_WAYS])
def test_the_example_fits_on_its_pads(ways: int) -> None:
    load = example.example(ways, sheet.MOST_SHOTS, 0)
    assert len(load.support) == len(set(load.names)) == ways
    drawings = [load.query, *(each for row in load.support for each in row)]
    places = [c for strokes in drawings for line in strokes for point in line for c in point]
    assert 0 <= min(places) < max(places) <= sheet.UNITS
    shots = [repr(each) for row in load.support for each in row]
    assert len(set(shots)) == len(shots), "every hand is another"
    assert repr(load.query) not in shots
