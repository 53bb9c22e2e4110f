"""A trial's file: what is written is read again, and nothing else is."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metacore.errors import UserError
from metacore.trial import document
from metacore.trial.document import from_json, to_json
from metacore.trial.task import Settings
from tests.trial.test_task import TRIAL

KEPT = replace(
    TRIAL,
    classes=("ligne", "コーナー"),
    settings=Settings(runs=("maml-glyphs",), steps=3, norm="support"),
)


def test_a_trial_comes_back_as_it_was() -> None:
    assert from_json(to_json(KEPT)) == KEPT
    assert from_json(to_json(TRIAL)) == TRIAL
    half = replace(TRIAL, support=((TRIAL.support[0]), ()), query=(), labels=())
    assert from_json(to_json(half)) == half


def test_the_same_trial_is_the_same_file() -> None:
    assert to_json(KEPT) == to_json(from_json(to_json(KEPT)))
    assert len(to_json(KEPT)) < 4000


def changed(path: tuple[Any, ...], value: Any) -> bytes:
    """The file with one thing in it replaced."""
    found = json.loads(to_json(KEPT))
    inside = found
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = value
    return json.dumps(found).encode()


PICTURE, DRAWING = ("support", 1, 0), ("support", 0, 0)


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (("format",), "metacore run", "This file is not a trial."),
        (("version",), 2, "of a version that this Metacore does not know"),
        (("classes",), "line", "classes must be a list."),
        (("classes",), ["a"], "a support set for each of its classes"),
        (("classes",), ["a"] * 11, "classes may have at most 10 entries, not 11."),
        (("classes", 0), 5, "a class's name must be"),
        (("classes", 0), "コーナー", "Two classes are named"),
        (("support",), None, "support must be a list."),
        (("support",), [[]], "a support set for each of its classes"),
        (("support", 0), {}, "a class's examples must be a list."),
        (DRAWING, [], "an example must be a JSON object."),
        (DRAWING, {}, "a picture's name must be"),
        ((*DRAWING, "strokes"), "ab", "A drawing must be a list of strokes."),
        ((*DRAWING, "strokes"), [[[1e5, 0]]], "Coordinates must be finite"),
        ((*DRAWING, "strokes"), [[[10**400, 0]]], "Coordinates must be finite"),
        ((*DRAWING, "script"), "x", "a drawing has a field 'script' that no trial has."),
        ((*PICTURE, "name"), "a\nb", "a picture's name must be"),
        ((*PICTURE, "pixels"), "****", "a picture's pixels must be base64."),
        ((*PICTURE, "pixels"), "AAAA", "A picture must be 28 x 28 pixels."),
        ((*PICTURE, "pixels"), "A" * 10**5, "a picture's pixels must be 1 to 2000"),
        ((*PICTURE, "label"), 0, "a picture has a field 'label' that no trial has."),
        (("query", 0), None, "a query must be a JSON object."),
        (("query", 0, "label"), True, "a query's label must be a whole number or null."),
        (("query", 0, "label"), 2, "label is 2, and there is no such class."),
        (("query",), [{"strokes": []}] * 201, "at most 200 entries, not 201."),
        (("settings",), None, "settings must be a JSON object."),
        (("settings", "runs"), "maml", "runs must be a list."),
        (("settings", "runs"), ["a"] * 21, "runs may have at most 20 entries"),
        (("settings", "runs"), ["a" * 81], "a run's id must be"),
        (("settings", "steps"), 10**6, "steps must be between 0 and 1000."),
        (("settings", "steps"), 1.5, "steps must be a whole number or null."),
        (("settings", "norm"), "mine", "norm must be one of"),
        (("settings", "norm"), [], "norm must be one of"),
        (("extra",), 1, "the file has a field 'extra' that no trial has."),
    ],
)
def test_one_wrong_thing_is_named(path: tuple[Any, ...], value: Any, sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        from_json(changed(path, value))
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        to_json(KEPT)[:-5],
        to_json(KEPT).replace(b'"steps":3', b'"steps":NaN'),
        to_json(KEPT).replace(b'"steps":3', b'"steps":' + b"9" * 5000),
        b" " * (document.LARGEST + 1),
    ],
    ids=range(11),
)
def test_what_is_no_trial_at_all(data: bytes) -> None:
    with pytest.raises(UserError):
        from_json(data)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
PATHS = [("classes",), ("support",), ("support", 0), DRAWING, PICTURE, ("query", 0), ("settings",)]
PATHS += [(*DRAWING, "strokes"), (*PICTURE, "pixels"), ("settings", "norm"), ("query", 0, "label")]


@given(st.sampled_from(PATHS), anything)
def test_hostile_files_are_refused_in_a_sentence(path: tuple[Any, ...], value: Any) -> None:
    try:
        trial = from_json(changed(path, value))
    except UserError:
        return
    assert from_json(to_json(trial)) == trial
