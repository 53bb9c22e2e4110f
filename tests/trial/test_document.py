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
        (("classes",), "line", "no valid classes (expected a list, got text)."),
        (("classes",), ["a"], "a support set for each of its classes"),
        (("classes",), ["a"] * 11, "no valid classes (expected a list of length <= 10)."),
        (("classes", 0), 5, "no valid classes[0] (expected text, got a whole number)."),
        (("classes", 0), "コーナー", "Two classes are named"),
        (("support",), None, "no valid support (expected a list"),
        (("support",), [[]], "a support set for each of its classes"),
        (("support", 0), {}, "no valid support[0] (expected a list"),
        (DRAWING, [], "no valid support[0][0] (expected a JSON object"),
        (DRAWING, {}, "an example is strokes, or a name with pixels or with a photograph."),
        (
            (*DRAWING, "name"),
            "a",
            "an example is strokes, or a name with pixels or with a photograph.",
        ),
        ((*DRAWING, "strokes"), "ab", "no valid support[0][0].strokes (expected a list"),
        ((*DRAWING, "strokes"), [[[1e5, 0]]], "Coordinates must be finite"),
        ((*DRAWING, "strokes"), [[[10**400, 0]]], "(number out of range)."),
        ((*DRAWING, "script"), "x", "a field 'script' that does not belong there."),
        ((*PICTURE, "name"), "a\nb", "support[1][0].name (expected one line of text)."),
        ((*PICTURE, "pixels"), "****", "support[1][0].pixels (invalid base64"),
        ((*PICTURE, "pixels"), "AAAA", "A picture must be 28 x 28 pixels."),
        (
            (*PICTURE, "pixels"),
            "A" * 10**5,
            "pixels (expected bytes of length <= 784).",
        ),
        ((*PICTURE, "label"), 0, "a field 'label' that does not belong there."),
        (("query", 0), None, "no valid query[0] (expected a JSON object"),
        (("query", 0, "label"), True, "no valid query[0].label (expected a whole number"),
        (("query", 0, "label"), 2, "label is 2, and there is no such class."),
        (("query",), [{"strokes": []}] * 201, "no valid query (expected a list of length <= 200)."),
        (("settings",), None, "no valid settings (expected a JSON object"),
        (("settings", "runs"), "maml", "no valid settings.runs (expected a list, got text)."),
        (
            ("settings", "runs"),
            ["a"] * 21,
            "settings.runs (expected a list of length <= 20).",
        ),
        (
            ("settings", "runs"),
            ["a" * 81],
            "settings.runs[0] (expected text of length <= 80).",
        ),
        (
            ("settings", "steps"),
            10**6,
            "settings.steps (expected a whole number <= 1000).",
        ),
        (("settings", "steps"), 1.5, "no valid settings.steps (expected a whole number"),
        (("settings", "norm"), "mine", "norm must be one of"),
        (("settings", "norm"), [], "no valid settings.norm (expected text"),
        (("extra",), 1, "This file's trial has a field 'extra' that does not belong there."),
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
