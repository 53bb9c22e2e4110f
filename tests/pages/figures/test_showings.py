"""Accuracy by showing, looks and slots: cells have the colour of what they are about."""

import numpy as np
import torch

from metacore.insight.showings import Remembered
from pages.ui import palette
from pages.ui.figures import showings
from pages.ui.figures.showings import Known

KNOWN = Known("mine", "#0072B2", "circle", [0.3, 0.9, 0.95], [0.02, 0.01, 0.01])


def remembered() -> Remembered:
    """Three drawings of classes 0, 1, 0; two slots, of which the second is never written to."""
    looked = np.zeros((3, 1, 3), np.float32)
    looked[1, 0, 0], looked[2, 0, :2] = 1.0, (0.75, 0.25)
    held = np.zeros((3, 2, 3), np.float32)
    held[0, 0, 0], held[1, 0, :2] = 1.0, (0.2, 0.8)
    held[2] = held[1]
    labels, answers = np.array([0, 1, 0]), np.array([1, 1, 0])
    return Remembered(torch.zeros(3, 1, 2, 2), labels, answers, looked, held)


def test_chance_the_best_guess_and_published_marks_are_drawn() -> None:
    made = showings.by_showing([KNOWN], 5, {1: 0.364, 10: 0.981}, "light")
    traces = {trace.name: trace for trace in made.data}
    assert list(traces["mine"].x) == [1, 2, 3]
    assert np.allclose(traces["mine"].error_y.array, KNOWN.ci95)
    assert list(traces["chance"].y) == [np.float32(0.2)] * 2
    assert np.isclose(traces["best possible at a first showing"].y[0], 137 / 300)
    assert list(traces["published, on Omniglot"].x) == [1, 10]


def test_nothing_published_is_shown_where_there_is_none() -> None:
    made = showings.by_showing([KNOWN], 7, {}, "light")
    assert not any("published" in trace.name for trace in made.data)


def test_a_look_has_the_colour_of_the_class_that_was_looked_at() -> None:
    heat_0, marks_0, heat_1, marks_1 = showings.looks(remembered(), 0, "light").data
    assert np.isclose(heat_0.z[2, 0], 0.75)
    assert np.isnan(heat_0.z[2, 1])
    assert np.isclose(heat_1.z[2, 1], 0.25)
    assert list(marks_0.x) == [1, 3]
    symbol = palette.class_symbol(0)
    assert list(marks_0.marker.symbol) == [f"{symbol}-open", symbol], "the first was wrong"
    assert marks_1.marker.color == palette.of_class(1, "light")


def test_a_slot_has_the_colour_of_the_class_that_fills_most_of_it() -> None:
    found = remembered()
    assert showings.used_slots(found) == 1
    first, second = showings.slots(found, "dark").data
    assert np.isclose(first.z[0, 0], 1.0)
    assert np.isnan(first.z[0, 1:]).all()
    assert np.allclose(second.z[0, 1:], 0.8)
    assert list(second.customdata[0]) == [1, 2, 2]
