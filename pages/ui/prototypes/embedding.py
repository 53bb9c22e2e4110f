"""What the page of prototypes shows, put together where answers are made: without a page.

An episode is drawn once with the most shots; fewer shots are the first of them, and the plane is
laid through all of them, so that only what the shots change moves in the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from metacore import answers
from metacore.answers import EpisodeSpec, Question
from metacore.answers.questions import Adaptation, Learned
from metacore.insight.projection import (
    Decide,
    Projection,
    astray,
    decision_regions,
    in_picture,
    pca,
    separation,
)
from metacore.insight.projection import nearest as nearest_of
from metacore.insight.space import Space, space
from metacore.insight.trace import Trace
from pages.ui import drawings, palette
from pages.ui.figures.cloud import Array, Cloud, Points, Regions, span
from pages.ui.figures.matrix import Matrix
from pages.ui.palette import Theme
from pages.ui.prototypes import edits
from pages.ui.prototypes.edits import Edits, Given
from pages.ui.words import letter

RESOLUTION = 120
BEYOND = 1.7  # the regions reach further than the points: a wide page shows more of the plane
NEAREST = 4
UNMOVED = 1e-5  # a distance that is only rounding
UNITS = {"euclidean": "Euclidean distance", "cosine": "cosine distance"}
METRIC = ("protonet", "matching")


@dataclass(frozen=True)
class Near:
    """A support drawing near the one that is looked at."""

    name: str
    label: int
    distance: float


@dataclass(frozen=True)
class Look:
    """One drawing, closely."""

    name: str
    number: int  # its true class
    label: int | None  # of a support drawing: what it is given as
    probabilities: Sequence[Sequence[float]]  # one list, or before and after
    nearest: Sequence[Near]


@dataclass(frozen=True)
class Scene:
    """An episode in the space of a metric method."""

    name: str  # of all it depends on
    features: int
    cloud: Cloud
    frame: Array  # every drawing there is, whatever is left out
    right: int
    astray: Sequence[int]  # queries answered otherwise than their place in the picture suggests
    scores: Sequence[float]  # with 1, 2, … shots; NaN where a class is empty
    matrix: Matrix
    looks: dict[str, Look]
    first: str  # the drawing to look at first
    unit: str  # of the distance to the nearest
    prototypes: Array | None  # [N, F], in all dimensions
    right_in: Sequence[int]  # of each class


@dataclass(frozen=True)
class Moments:
    """An episode in the features of a network before and after its adaptation."""

    name: str  # of all it depends on
    clouds: tuple[Cloud, Cloud]
    frames: tuple[Array, Array]
    separations: tuple[float, float]  # of the queries
    right: tuple[int, int]
    steps: int
    norm: str
    frozen: bool  # adaptation leaves the features alone
    looks: dict[str, Look]
    first: str  # the drawing to look at first
    right_in: Sequence[int]  # of each class, after


@dataclass(frozen=True)
class Shift:
    """What the edits did to one class."""

    number: int
    distance: float | None  # that its prototype moved; None where there are none
    right: tuple[int, int]  # queries answered rightly as drawn, and as edited


def shifts(drawn: Scene | Moments, edited: Scene | Moments) -> list[Shift]:
    """Of the classes for which the edits changed anything."""
    found = []
    for number, right in enumerate(zip(drawn.right_in, edited.right_in, strict=True)):
        distance = None
        if isinstance(drawn, Scene) and isinstance(edited, Scene) and drawn.prototypes is not None:
            assert edited.prototypes is not None, "the same run"
            gap = edited.prototypes[number] - drawn.prototypes[number]
            distance = float(np.linalg.norm(gap))
            distance = distance if distance > UNMOVED else 0.0
        if right[0] != right[1] or distance:
            found.append(Shift(number, distance, right))
    return found


@dataclass(frozen=True, kw_only=True)
class InSpace(Question[Scene]):
    """An episode in the space of a metric method."""

    learned: Learned
    spec: EpisodeSpec  # with the most shots and no edits
    shots: int
    distance: str | None
    dimensions: int
    edits: str  # as a link writes them; no class may be empty

    def answer(self) -> Scene:
        return _scene(self, edits.read(self.edits, self.spec.ways, self.spec.most))


def _scene(question: InSpace, changed: Edits) -> Scene:
    spec, shots, dimensions = question.spec, question.shots, question.dimensions
    view = _adapted(question.learned, spec).metric_view
    assert view is not None, "only metric methods have a scene"
    support, query = view.support[0], view.query[0]
    truth = _truth(spec)
    flat = pca(np.concatenate([support, query]), dimensions)
    frame = flat.apply(np.concatenate([support, query]))
    ladder = [_space(question, changed, k, support) for k in _counts(spec)]
    now, given = ladder[shots - 1], changed.given(spec.ways, shots, spec.most)
    assert now is not None, "the page has seen to it that no class is empty"
    kept = [one for one in given if one.label is not None]
    answers = now.probabilities(query)
    wrong = np.flatnonzero(answers.argmax(1) != truth).tolist()
    prototypes = [one.prototypes for one in ladder[:shots] if one is not None]
    seen = _seen(flat, now)
    cloud = Cloud(
        support=_support_points(flat.apply(support), kept, spec.most),
        query=_query_points(flat.apply(query), truth, answers),
        wrong=wrong,
        mislabelled=[n for n, one in enumerate(kept) if one.mislabelled],
        explained=[float(share) for share in flat.explained],
        left_out=_left_out(flat.apply(support), given, spec.most),
        paths=None
        if prototypes[0] is None
        else np.stack([flat.apply(centres) for centres in prototypes]),  # type: ignore[arg-type]
        regions=_regions(flat, seen, frame) if dimensions == 2 else None,
    )
    return Scene(
        name=f"{question}",
        features=support.shape[1],
        cloud=cloud,
        frame=frame,
        right=len(truth) - len(wrong),
        astray=astray(flat, query, now.decide, seen),
        scores=[_score(one, query, truth) for one in ladder],
        matrix=_matrix(now, query, kept, wrong, spec.most),
        looks=_looks(now, support, query, truth, kept, spec.most),
        first=query_name(wrong[0] if wrong else 0),
        unit=UNITS[now.distance],
        prototypes=now.prototypes,
        right_in=_right_in(wrong, spec),
    )


def _right_in(wrong: Sequence[int], spec: EpisodeSpec) -> list[int]:
    """How many queries of each class are answered rightly."""
    wrongly = [number // spec.queries for number in wrong]
    return [spec.queries - wrongly.count(number) for number in range(spec.ways)]


def _counts(spec: EpisodeSpec) -> range:
    return range(1, spec.most + 1)


def _truth(spec: EpisodeSpec) -> np.ndarray[Any, Any]:
    return np.repeat(np.arange(spec.ways), spec.queries)


def _adapted(learned: Learned, spec: EpisodeSpec) -> Trace:
    """Other shots and edits of an episode are looked at in the same adaptation."""
    return answers.desk().ask(Adaptation(learned=learned, spec=spec)).get()


def _space(question: InSpace, changed: Edits, shots: int, support: Array) -> Space | None:
    """The space with so many shots; None where the edits leave a class empty."""
    spec = question.spec
    given = changed.given(spec.ways, shots, spec.most)
    if edits.emptied(given, spec.ways):
        return None
    kept = [one for one in given if one.label is not None]
    labels = [one.label for one in kept if one.label is not None]
    places = support[[one.index for one in kept]]
    algorithm = question.learned.learner().algorithm
    return space(algorithm, places, labels, spec.ways, question.distance)


def _score(one: Space | None, query: Array, truth: Any) -> float:
    return float("nan") if one is None else float((one.decide(query) == truth).mean())


def _seen(flat: Projection, now: Space) -> Decide:
    """What the picture says: the nearest star in it, or the method's answer at the very place."""
    centres = now.prototypes
    return now.decide if centres is None else in_picture(flat, centres)


def _regions(flat: Projection, seen: Decide, frame: Array) -> Regions:
    (left, right), (low, high) = span(frame)
    half = BEYOND * max(right - left, high - low) / 2
    middle = (left + right) / 2, (low + high) / 2
    x, y = ((centre - half, centre + half) for centre in middle)
    return Regions(x, y, decision_regions(flat, seen, x, y, RESOLUTION))


def _matrix(now: Space, query: Array, kept: list[Given], wrong: list[int], most: int) -> Matrix:
    columns = [query_name(n) for n in range(len(query))]
    distances = now.distances(query)
    if distances is not None:
        unit = UNITS[now.distance]
        rows = [letter(n) for n in range(now.ways)]
        nearest = distances.argmin(1).tolist()
        return Matrix(distances.T, unit, rows, columns, nearest, wrong, near_is_small=True)
    attention = now.attention(query)
    assert attention is not None, "a metric method has distances or attention"
    rows = [_name(one, most) for one in kept]
    return Matrix(attention.T, "attention", rows, columns, None, wrong, near_is_small=False)


def _looks(
    now: Space, support: Array, query: Array, truth: Any, kept: list[Given], most: int
) -> dict[str, Look]:
    def nearest(features: Array, but: int | None = None) -> list[Near]:
        found = now.nearest(features, NEAREST + 1)
        others = [(index, distance) for index, distance in found if index != but][:NEAREST]
        return [_near(kept[index], distance, most) for index, distance in others]

    looks = {}
    for n, probabilities in enumerate(now.probabilities(query)):
        name = query_name(n)
        looks[name] = Look(name, int(truth[n]), None, [probabilities], nearest(query[n]))
    for n, one in enumerate(kept):
        name, features = _name(one, most), support[one.index]
        probabilities = now.probabilities(features[None])[0]
        near = nearest(features, but=n)
        looks[name] = Look(name, one.number, one.label, [probabilities], near)
    return looks


@dataclass(frozen=True, kw_only=True)
class Moved(Question[Moments]):
    """An episode in the features of a method with an inner loop, before it and after it."""

    learned: Learned
    spec: EpisodeSpec  # with the most shots and no edits
    shots: int
    dimensions: int
    shared: bool  # one plane for both
    edits: str  # as a link writes them; no class may be empty

    def answer(self) -> Moments:
        return _moments(self, edits.read(self.edits, self.spec.ways, self.spec.most))


def _moments(question: Moved, changed: Edits) -> Moments:
    dimensions, shared = question.dimensions, question.shared
    given = changed.given(question.spec.ways, question.shots, question.spec.most)
    spec = replace(
        question.spec,
        shots=question.shots,
        left_out=tuple(n for n, one in enumerate(given) if one.label is None),
        labels=tuple(
            (n, one.label)
            for n, one in enumerate(given)
            if one.mislabelled and one.label is not None
        ),
    )
    kept = [one for one in given if one.label is not None]
    trace = _adapted(question.learned, spec)
    assert trace.support_features is not None, "features of pictures are recorded"
    assert trace.query_features is not None, "features of pictures are recorded"
    assert trace.query_probabilities is not None, "classes have probabilities"
    supports = [trace.support_features[at, 0] for at in (0, -1)]
    queries = [trace.query_features[at, 0] for at in (0, -1)]
    answers = [trace.query_probabilities[at, 0] for at in (0, -1)]
    both = [np.concatenate(pair) for pair in zip(supports, queries, strict=True)]
    planes = (
        [pca(np.concatenate(both), dimensions)] * 2
        if shared
        else [pca(points, dimensions) for points in both]
    )
    flat = [plane.apply(points) for plane, points in zip(planes, both, strict=True)]
    truth, split = _truth(spec), len(supports[0])
    wrong = [np.flatnonzero(one.argmax(1) != truth).tolist() for one in answers]
    first, last = (
        Cloud(
            support=_support_points(flat[n][:split], kept, spec.most, in_order=True),
            query=_query_points(flat[n][split:], truth, answers[n]),
            wrong=wrong[n],
            mislabelled=[place for place, one in enumerate(kept) if one.mislabelled],
            explained=[float(share) for share in planes[n].explained],
        )
        for n in range(2)
    )
    frames = (np.concatenate(flat),) * 2 if shared else (flat[0], flat[1])
    return Moments(
        name=f"{question}",
        clouds=(first, last),
        frames=frames,
        separations=(separation(queries[0], truth), separation(queries[1], truth)),
        right=(len(truth) - len(wrong[0]), len(truth) - len(wrong[1])),
        steps=trace.steps[-1],
        norm=trace.norm,
        frozen=bool(np.array_equal(*queries) and np.array_equal(*supports)),
        looks=_looks_after(supports[1], queries[1], truth, answers, kept, spec.most),
        first=query_name(wrong[1][0] if wrong[1] else 0),
        right_in=_right_in(wrong[1], spec),
    )


def _looks_after(
    support: Array,
    query: Array,
    truth: Any,
    answers: list[Array],
    kept: list[Given],
    most: int,
) -> dict[str, Look]:
    """Queries before and after; what is nearest is measured after."""
    looks = {}
    for n in range(len(query)):
        near = nearest_of(query[n], support, NEAREST)
        looks[query_name(n)] = Look(
            query_name(n),
            int(truth[n]),
            None,
            [moment[n] for moment in answers],
            [_near(kept[index], distance, most) for index, distance in near],
        )
    return looks


def query_name(number: int) -> str:
    return f"query {number + 1}"


def _name(one: Given, most: int) -> str:
    return edits.drawing(one.number, one.index % most)


def _near(one: Given, distance: float, most: int) -> Near:
    assert one.label is not None, "what is left out is near to nothing"
    return Near(_name(one, most), one.label, distance)


def _support_points(at: Array, kept: list[Given], most: int, *, in_order: bool = False) -> Points:
    """`in_order`: the places are those of the kept ones already."""
    notes = [
        f"{_name(one, most)}, given as {letter(one.label)} though it is {letter(one.number)}"
        if one.mislabelled and one.label is not None
        else f"{_name(one, most)}, support drawing of class {letter(one.number)}"
        for one in kept
    ]
    places = at if in_order else at[[one.index for one in kept]]
    labels = [one.label if one.label is not None else one.number for one in kept]
    return Points(places, labels, [_name(one, most) for one in kept], notes)


def _left_out(at: Array, given: list[Given], most: int) -> Points:
    out = [one for one in given if one.label is None]
    names = [_name(one, most) for one in out]
    notes = [f"{name}, left out" for name in names]
    return Points(at[[one.index for one in out]], [one.number for one in out], names, notes)


def _query_points(at: Array, truth: Any, answers: Array) -> Points:
    names = [query_name(n) for n in range(len(truth))]
    notes = [
        f"{name}, of class {letter(number)}<br>answered {letter(int(one.argmax()))}"
        f" ({one.max():.0%})"
        for name, number, one in zip(names, truth, answers, strict=True)
    ]
    return Points(at, [int(number) for number in truth], names, notes)


@dataclass(frozen=True, kw_only=True)
class Pictures(Question[dict[str, str]]):
    """Every drawing of an episode (with the most shots) by name, in the colour of its class."""

    spec: EpisodeSpec
    theme: Theme

    def answer(self) -> dict[str, str]:
        spec = self.spec
        episode = replace(spec, shots=spec.most, left_out=(), labels=()).episode()
        found = {}
        for number in range(spec.ways):
            color = palette.of_class(number, self.theme)
            shown = slice(number * spec.most, (number + 1) * spec.most)
            for place, address in enumerate(drawings.addresses(episode.support_x[0, shown], color)):
                found[edits.drawing(number, place)] = address
            first = number * spec.queries
            shown = slice(first, first + spec.queries)
            for place, address in enumerate(drawings.addresses(episode.query_x[0, shown], color)):
                found[query_name(first + place)] = address
        return found
