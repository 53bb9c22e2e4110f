"""A support set changed by hand: drawings left out, or given another label.

Drawings are named by class and place (B2 is the second of class B), so an edit means the same
drawing however many shots are looked at. As text it fits into a link: `B2:A,C1:out`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pages.ui.words import letter

OUT = "out"
LONGEST = 4000  # characters of a link worth reading


@dataclass(frozen=True)
class SupportDrawing:
    """A support drawing as a method gets it."""

    index: int  # in the episode as it was drawn, with the most shots
    number: int  # its true class
    label: int | None  # the class it is given as; None: it is left out

    @property
    def mislabelled(self) -> bool:
        return self.label is not None and self.label != self.number


@dataclass(frozen=True)
class Edits:
    """Labels of drawings by (class, place), other than their own; None leaves a drawing out."""

    changed: Mapping[tuple[int, int], int | None] = field(default_factory=dict)

    def with_label(self, number: int, place: int, label: int | None) -> "Edits":
        """The same with one more change; its own label takes a change back."""
        rest = {
            drawing: kept for drawing, kept in self.changed.items() if drawing != (number, place)
        }
        return Edits(rest if label == number else {**rest, (number, place): label})

    def label(self, number: int, place: int) -> int | None:
        return self.changed.get((number, place), number)

    def given(self, ways: int, shots: int, most: int) -> list[SupportDrawing]:
        """The first `shots` drawings of every class, of `most` that were drawn."""
        return [
            SupportDrawing(number * most + place, number, self.label(number, place))
            for number in range(ways)
            for place in range(shots)
        ]


def emptied(given: list[SupportDrawing], ways: int) -> list[int]:
    """Classes that have no drawing left."""
    left = {drawing.label for drawing in given}
    return [number for number in range(ways) if number not in left]


def drawing(number: int, place: int) -> str:
    """`B2`."""
    return f"{letter(number)}{place + 1}"


def write(edits: Edits) -> str:
    return ",".join(
        f"{drawing(*where)}:{OUT if label is None else letter(label)}"
        for where, label in sorted(edits.changed.items())
    )


def read(text: str, ways: int, most: int) -> Edits:
    """What a link says, without what makes no sense for this episode."""
    numbers = {letter(number): number for number in range(ways)}
    edits = Edits()
    for name, place, label in re.findall(
        r"([A-Z]{1,3})([0-9]{1,3}):([A-Z]{1,3}|out)", text[:LONGEST]
    ):
        where = numbers.get(name), int(place) - 1
        if where[0] is None or not 0 <= where[1] < most or (label != OUT and label not in numbers):
            continue
        edits = edits.with_label(where[0], where[1], numbers.get(label))
    return edits
