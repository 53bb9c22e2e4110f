"""What the page of prototypes shows, put together from the engine's answers and kept for a while.

An episode is drawn once with the most shots; fewer shots are the first of them, and the plane is
laid through all of them, so that only what the shots change moves in the picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from metacore import Run
from metacore.answers.asked import Asked
from metacore.insight.projection import Projection, agreement, decision_regions, pca, separation
from metacore.insight.projection import nearest as nearest_of
from metacore.insight.space import Space, space
from pages.ui import drawings, engine, palette
from pages.ui.figures.cloud import Array, Cloud, Points, Regions
from pages.ui.figures.embedding import span
from pages.ui.figures.nearness import Matrix
from pages.ui.palette import Theme
from pages.ui.prototypes import edits
from pages.ui.prototypes.edits import Edits, Given
from pages.ui.words import letter

RESOLUTION = 120
BEYOND = 1.7  # the regions reach further than the points: a wide page shows more of the plane
NEAREST = 4
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
    agreement: float
    scores: Sequence[float]  # with 1, 2, … shots; NaN where a class is empty
    matrix: Matrix
    looks: dict[str, Look]
    first: str  # the drawing to look at first
    unit: str  # of the distance to the nearest


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


def scene(
    run: Run, asked: Asked, shots: int, distance: str | None, dimensions: int, changed: Edits
) -> Scene:
    """`asked` has the most shots and no edits; no class may be empty."""
    written = engine.weights_of(run)
    text = edits.write(changed)
    return _scene(str(run.folder), written, asked, text, shots, distance, dimensions, run, changed)


@st.cache_resource(show_spinner=False, max_entries=96)
def _scene(
    folder: str,
    written: float | None,
    asked: Asked,
    text: str,
    shots: int,
    distance: str | None,
    dimensions: int,
    _run: Run,
    _changed: Edits,
) -> Scene:
    view = engine.adapted(_run, asked).metric_view
    assert view is not None, "only metric methods have a scene"
    support, query = view.support[0], view.query[0]
    truth = _truth(asked)
    flat = pca(np.concatenate([support, query]), dimensions)
    frame = flat.apply(np.concatenate([support, query]))
    ladder = [_space(_run, asked, _changed, k, support, distance) for k in _counts(asked)]
    now, given = ladder[shots - 1], _changed.given(asked.ways, shots, asked.most)
    assert now is not None, "the page has seen to it that no class is empty"
    kept = [one for one in given if one.label is not None]
    answers = now.probabilities(query)
    wrong = np.flatnonzero(answers.argmax(1) != truth).tolist()
    prototypes = [one.prototypes for one in ladder[:shots] if one is not None]
    cloud = Cloud(
        support=_support_points(flat.apply(support), kept, asked.most),
        query=_query_points(flat.apply(query), truth, answers),
        wrong=wrong,
        mislabelled=[n for n, one in enumerate(kept) if one.mislabelled],
        explained=[float(share) for share in flat.explained],
        left_out=_left_out(flat.apply(support), given, asked.most),
        paths=None
        if prototypes[0] is None
        else np.stack([flat.apply(centres) for centres in prototypes]),  # type: ignore[arg-type]
        regions=_regions(flat, now, frame) if dimensions == 2 else None,
    )
    return Scene(
        name=f"{folder} {asked} {text} {shots} {distance} {dimensions}",
        features=support.shape[1],
        cloud=cloud,
        frame=frame,
        right=len(truth) - len(wrong),
        agreement=agreement(flat, query, now.decide),
        scores=[_score(one, query, truth) for one in ladder],
        matrix=_matrix(now, query, kept, wrong, asked.most),
        looks=_looks(now, support, query, truth, kept, asked.most),
        first=query_name(wrong[0] if wrong else 0),
        unit=UNITS[now.distance],
    )


def _counts(asked: Asked) -> range:
    return range(1, asked.most + 1)


def _truth(asked: Asked) -> np.ndarray[Any, Any]:
    return np.repeat(np.arange(asked.ways), asked.queries)


def _space(
    run: Run, asked: Asked, changed: Edits, shots: int, support: Array, distance: str | None
) -> Space | None:
    """The space with so many shots; None where the edits leave a class empty."""
    given = changed.given(asked.ways, shots, asked.most)
    if edits.emptied(given, asked.ways):
        return None
    kept = [one for one in given if one.label is not None]
    labels = [one.label for one in kept if one.label is not None]
    algorithm = engine.learner(run).algorithm
    return space(algorithm, support[[one.index for one in kept]], labels, asked.ways, distance)


def _score(one: Space | None, query: Array, truth: Any) -> float:
    return float("nan") if one is None else float((one.decide(query) == truth).mean())


def _regions(flat: Projection, now: Space, frame: Array) -> Regions:
    (left, right), (low, high) = span(frame)
    half = BEYOND * max(right - left, high - low) / 2
    middle = (left + right) / 2, (low + high) / 2
    x, y = ((centre - half, centre + half) for centre in middle)
    return Regions(x, y, decision_regions(flat, now.decide, x, y, RESOLUTION))


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


def moments(
    run: Run, asked: Asked, shots: int, dimensions: int, changed: Edits, *, shared: bool
) -> Moments:
    """`asked` has the most shots and no edits; no class may be empty."""
    given = changed.given(asked.ways, shots, asked.most)
    edited = replace(
        asked,
        shots=shots,
        left_out=tuple(n for n, one in enumerate(given) if one.label is None),
        labels=tuple(
            (n, one.label)
            for n, one in enumerate(given)
            if one.mislabelled and one.label is not None
        ),
    )
    written = engine.weights_of(run)
    kept = [one for one in given if one.label is not None]
    return _moments(str(run.folder), written, edited, dimensions, shared, run, kept)


@st.cache_resource(show_spinner=False, max_entries=48)
def _moments(
    folder: str,
    written: float | None,
    asked: Asked,
    dimensions: int,
    shared: bool,
    _run: Run,
    _kept: list[Given],
) -> Moments:
    trace = engine.adapted(_run, asked)
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
    truth, split = _truth(asked), len(supports[0])
    wrong = [np.flatnonzero(one.argmax(1) != truth).tolist() for one in answers]
    first, last = (
        Cloud(
            support=_support_points(flat[n][:split], _kept, asked.most, in_order=True),
            query=_query_points(flat[n][split:], truth, answers[n]),
            wrong=wrong[n] if n else [],  # before, the answers mean nothing yet
            mislabelled=[place for place, one in enumerate(_kept) if one.mislabelled],
            explained=[float(share) for share in planes[n].explained],
        )
        for n in range(2)
    )
    frames = (np.concatenate(flat),) * 2 if shared else (flat[0], flat[1])
    return Moments(
        name=f"{folder} {asked} {dimensions} {shared}",
        clouds=(first, last),
        frames=frames,
        separations=(separation(queries[0], truth), separation(queries[1], truth)),
        right=(len(truth) - len(wrong[0]), len(truth) - len(wrong[1])),
        steps=trace.steps[-1],
        norm=trace.norm,
        frozen=bool(np.array_equal(*queries) and np.array_equal(*supports)),
        looks=_looks_after(supports[1], queries[1], truth, answers, _kept, asked.most),
        first=query_name(wrong[1][0] if wrong[1] else 0),
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


@st.cache_data(show_spinner=False, max_entries=32)
def pictures(asked: Asked, theme: Theme) -> dict[str, str]:
    """Every drawing of the episode (with the most shots) by name, in the colour of its class."""
    episode = replace(asked, shots=asked.most, left_out=(), labels=()).episode()
    found = {}
    for number in range(asked.ways):
        color = palette.of_class(number, theme)
        shown = slice(number * asked.most, (number + 1) * asked.most)
        for place, address in enumerate(drawings.addresses(episode.support_x[0, shown], color)):
            found[edits.drawing(number, place)] = address
        first = number * asked.queries
        shown = slice(first, first + asked.queries)
        for place, address in enumerate(drawings.addresses(episode.query_x[0, shown], color)):
            found[query_name(first + place)] = address
    return found
