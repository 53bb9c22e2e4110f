"""Edits of a support set survive their way through a link, and nonsense in one does no harm."""

import pytest

from pages.ui.prototypes import edits
from pages.ui.prototypes.edits import Edits


def test_a_link_says_what_was_edited() -> None:
    changed = Edits().with_label(1, 0, 0).with_label(2, 2, None)
    assert edits.write(changed) == "B1:A,C3:out"
    assert edits.read("B1:A,C3:out", ways=3, most=5) == changed


def test_its_own_label_takes_an_edit_back() -> None:
    assert Edits().with_label(1, 0, 2).with_label(1, 0, 1) == Edits()


@pytest.mark.parametrize(
    "text",
    ["", "B9:A", "Z1:A", "B1:Z", "B0:A", "B1", "<script>", "B1:out" * 3000 + "B99:A", "A1:A"],
)
def test_nonsense_in_a_link_is_left_out(text: str) -> None:
    assert edits.read(text, ways=3, most=5).changed in ({}, {(1, 0): None})


def test_more_classes_than_letters_have_names_that_can_be_read_back() -> None:
    changed = Edits().with_label(27, 0, 30)
    assert edits.write(changed) == "AB1:AE"
    assert edits.read("AB1:AE", ways=40, most=5) == changed


def test_what_is_given_are_the_first_shots_of_what_was_drawn() -> None:
    given = Edits().with_label(1, 1, None).with_label(0, 4, 1).given(ways=2, shots=2, most=5)
    assert [(one.index, one.label) for one in given] == [(0, 0), (1, 0), (5, 1), (6, None)]


def test_a_class_without_a_drawing_is_named() -> None:
    changed = Edits().with_label(0, 0, 1)
    assert edits.emptied(changed.given(ways=3, shots=1, most=5), ways=3) == [0]
    assert edits.emptied(changed.given(ways=3, shots=2, most=5), ways=3) == []
