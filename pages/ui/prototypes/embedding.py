"""What the pictures of an episode in a network's space have in common.

An episode is drawn once with the most shots; fewer shots are the first of them, and the plane is
laid through all of them, so that only what the shots change moves in the picture. It is put
together where answers are made: without a page.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from metacore import answers
from metacore.answers import EpisodeSpec, Question
from metacore.answers.questions import Adaptation, Learned
from metacore.insight.trace import Trace
from pages.ui import drawings, palette, words
from pages.ui.figures.cloud import Array, Points
from pages.ui.palette import Theme
from pages.ui.prototypes import edits
from pages.ui.prototypes.edits import SupportDrawing

NEAREST = 4


@dataclass(frozen=True)
class NearDrawing:
    """A support drawing near the one that is looked at."""

    name: str
    number: int  # its true class
    label: int  # what it is given as
    distance: float


@dataclass(frozen=True)
class Closeup:
    """One drawing, closely."""

    name: str
    number: int  # its true class
    label: int | None  # of a support drawing: what it is given as
    probabilities: Sequence[Sequence[float]]  # one list, or before and after
    nearest: Sequence[NearDrawing]


@dataclass(frozen=True, kw_only=True)
class EditedEpisode:
    """An episode as a run gets it: with some of its shots, and edited by hand."""

    learned: Learned
    spec: EpisodeSpec  # with the most shots and no edits
    shots: int
    dimensions: int
    edits: str  # as a link writes them; no class may be empty

    def given(self, shots: int) -> list[SupportDrawing]:
        changed = edits.read(self.edits, self.spec.ways, self.spec.most)
        return changed.given(self.spec.ways, shots, self.spec.most)

    @property
    def classes(self) -> list[str]:
        """What they are called in a figure."""
        names = self.spec.class_names()
        return [words.in_figure(name) for name in words.called(self.spec.ways, names)]

    @property
    def truth(self) -> np.ndarray[Any, Any]:
        """Of the queries."""
        return np.repeat(np.arange(self.spec.ways), self.spec.queries)

    def right_in(self, wrong: Sequence[int]) -> list[int]:
        """How many queries of each class are answered rightly."""
        wrongly = [number // self.spec.queries for number in wrong]
        return [self.spec.queries - wrongly.count(number) for number in range(self.spec.ways)]

    def adapted(self, spec: EpisodeSpec) -> Trace:
        """Other shots and edits of an episode are looked at in the same adaptation."""
        return answers.desk().ask(Adaptation(learned=self.learned, spec=spec)).get()


def query_name(number: int) -> str:
    return f"query {number + 1}"


def drawing_name(one: SupportDrawing, most: int) -> str:
    return edits.drawing(one.number, one.index % most)


def near_drawing(one: SupportDrawing, distance: float, most: int) -> NearDrawing:
    assert one.label is not None, "what is left out is near to nothing"
    return NearDrawing(drawing_name(one, most), one.number, one.label, distance)


def support_points(
    at: Array, kept: list[SupportDrawing], most: int, names: Sequence[str]
) -> Points:
    """`at` are the places of the kept ones; `names` are the classes'."""
    notes = [
        f"{drawing_name(one, most)}, given as {names[one.label]} though it is {names[one.number]}"
        if one.mislabelled and one.label is not None
        else f"{drawing_name(one, most)}, support of class {names[one.number]}"
        for one in kept
    ]
    labels = [one.label if one.label is not None else one.number for one in kept]
    return Points(at, labels, [drawing_name(one, most) for one in kept], notes)


def left_out(at: Array, given: list[SupportDrawing], most: int) -> Points:
    out = [one for one in given if one.label is None]
    names = [drawing_name(one, most) for one in out]
    notes = [f"{name}, left out" for name in names]
    return Points(at[[one.index for one in out]], [one.number for one in out], names, notes)


def query_points(at: Array, truth: Any, answers: Array, classes: Sequence[str]) -> Points:
    names = [query_name(n) for n in range(len(truth))]
    notes = [
        f"{name}, of class {classes[number]}<br>answered {classes[int(one.argmax())]}"
        f" ({one.max():.0%})"
        for name, number, one in zip(names, truth, answers, strict=True)
    ]
    return Points(at, [int(number) for number in truth], names, notes)


@dataclass(frozen=True, kw_only=True)
class EpisodePictures(Question[dict[str, str]]):
    """Every drawing of an episode (with the most shots) by name, in the colour of its class."""

    spec: EpisodeSpec
    theme: Theme

    def answer(self) -> dict[str, str]:
        spec = self.spec
        episode = replace(spec, shots=spec.most, left_out=(), labels=()).episode()
        found = {}
        for number in range(spec.ways):
            look = partial(
                drawings.addresses, color=palette.of_class(number, self.theme), kind=spec.kind
            )
            support = slice(number * spec.most, (number + 1) * spec.most)
            for place, address in enumerate(look(episode.support_x[0, support])):
                found[edits.drawing(number, place)] = address
            first = number * spec.queries
            asked = slice(first, first + spec.queries)
            for place, address in enumerate(look(episode.query_x[0, asked])):
                found[query_name(first + place)] = address
        return found
