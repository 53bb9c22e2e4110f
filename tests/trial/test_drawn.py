"""Strokes from a browser: what is believed, and what they look like."""

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from metacore.errors import UserError
from metacore.trial.drawn import MOST_POINTS, MOST_STROKES, check_strokes, picture

CROSS = [[[0, 0], [10, 10]], [[10, 0], [0, 10.5]]]


def test_strokes_become_a_drawing() -> None:
    assert check_strokes(CROSS) == (((0.0, 0.0), (10.0, 10.0)), ((10.0, 0.0), (0.0, 10.5)))
    assert check_strokes([]) == ()
    assert check_strokes([[], [[1, 2]]]) == (((1.0, 2.0),),)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "A drawing must be a list of strokes."),
        ("strokes", "A drawing must be a list of strokes."),
        ({"0": []}, "A drawing must be a list of strokes."),
        ([1], "A stroke must be a list of points."),
        (["ab"], "A stroke must be a list of points."),
        ([[1, 2]], "A point must be a pair of numbers"),
        ([[[1, 2, 3]]], "x and y, not 3."),
        ([[["1", 2]]], "A point must be a pair of numbers"),
        ([[[True, 2]]], "A point must be a pair of numbers"),
        ([[[None, 2]]], "A point must be a pair of numbers"),
        ([[[math.nan, 2]]], "Coordinates must be finite"),
        ([[[math.inf, 2]]], "Coordinates must be finite"),
        ([[[10_001, 2]]], "between -10000 and 10000"),
        ([[[10**400, 2]]], "between -10000 and 10000"),
        ([[[0, 0]]] * (MOST_STROKES + 1), "at most 64 strokes, not 65."),
        ([[[0, 0]] * (MOST_POINTS + 1)], "at most 2000 points, not 2001."),
    ],
)
def test_anything_else_is_refused(value: Any, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        check_strokes(value)


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=20,
)


@given(junk)
def test_nothing_else_gets_through(value: Any) -> None:
    try:
        drawing = check_strokes(value)
    except UserError:
        return
    for stroke in drawing:
        assert all(math.isfinite(x) and math.isfinite(y) for x, y in stroke)


def test_a_picture_does_not_depend_on_the_pads_size_or_place() -> None:
    large = [[[x * 7 + 300, y * 7 - 50] for x, y in stroke] for stroke in CROSS]
    one, other = picture([check_strokes(CROSS), check_strokes(large)])
    assert one.shape == (1, 28, 28)
    assert one.dtype == torch.uint8
    assert torch.equal(one, other)
    assert int(one.max()) == 255


def test_no_drawings_no_pictures() -> None:
    assert picture([]).shape == (0, 1, 28, 28)
    with pytest.raises(UserError, match="draw at least one stroke"):
        picture([()])
