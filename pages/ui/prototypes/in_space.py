"""An episode in the space of a metric method: one space, in which examples answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from metacore.answers import Question
from metacore.insight.projection import (
    Decide,
    Projection,
    astray,
    decision_regions,
    in_picture,
    pca,
)
from metacore.insight.space import Space, space
from pages.ui.figures.cloud import Array, Cloud, Matrix, Regions, span
from pages.ui.prototypes import edits
from pages.ui.prototypes.edits import SupportDrawing
from pages.ui.prototypes.embedding import (
    NEAREST,
    Closeup,
    EditedEpisode,
    NearDrawing,
    drawing_name,
    left_out,
    near_drawing,
    query_name,
    query_points,
    support_points,
)
from pages.ui.words import letter

RESOLUTION = 120
BEYOND = 1.7  # the regions reach further than the points: a wide page shows more of the plane
UNITS = {"euclidean": "Euclidean distance", "cosine": "cosine distance"}


@dataclass(frozen=True)
class EpisodeInSpace:
    """An episode in the space of a metric method."""

    name: str  # of all it depends on
    features: int
    cloud: Cloud
    frame: Array  # every drawing there is, whatever is left out
    right: int
    astray: Sequence[int]  # queries answered otherwise than their place in the picture suggests
    scores: Sequence[float]  # with 1, 2, … shots; NaN where a class is empty
    matrix: Matrix
    looks: dict[str, Closeup]
    first: str  # the drawing to look at first
    unit: str  # of the distance to the nearest
    prototypes: Array | None  # [N, F], in all dimensions
    right_in: Sequence[int]  # of each class


@dataclass(frozen=True, kw_only=True)
class SpaceQuestion(EditedEpisode, Question[EpisodeInSpace]):
    distance: str | None

    def answer(self) -> EpisodeInSpace:
        spec, shots, dimensions = self.spec, self.shots, self.dimensions
        view = self.adapted(spec).explained
        assert view is not None, "only metric methods have a scene"
        support, query = view.support[0], view.query[0]
        truth = self.truth
        flat = pca(np.concatenate([support, query]), dimensions)
        frame = flat.apply(np.concatenate([support, query]))
        ladder = [_space(self, k, support) for k in range(1, spec.most + 1)]
        now, given = ladder[shots - 1], self.given(shots)
        assert now is not None, "the page has seen to it that no class is empty"
        kept = [one for one in given if one.label is not None]
        answers = now.probabilities(query)
        wrong = np.flatnonzero(answers.argmax(1) != truth).tolist()
        prototypes = [one.prototypes for one in ladder[:shots] if one is not None]
        ways = [flat.apply(centres) for centres in prototypes if centres is not None]
        seen, places = _seen(flat, now), support[[one.index for one in kept]]
        cloud = Cloud(
            support=support_points(flat.apply(places), kept, spec.most, self.classes),
            query=query_points(flat.apply(query), truth, answers, self.classes),
            wrong=wrong,
            mislabelled=[n for n, one in enumerate(kept) if one.mislabelled],
            explained=[float(share) for share in flat.explained],
            left_out=left_out(flat.apply(support), given, spec.most),
            paths=np.stack(ways) if ways else None,
            regions=_regions(flat, seen, frame) if dimensions == 2 else None,
        )
        return EpisodeInSpace(
            name=f"{self}",
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
            right_in=self.right_in(wrong),
        )


def _space(question: SpaceQuestion, shots: int, support: Array) -> Space | None:
    """The space with so many shots; None where the edits leave a class empty."""
    spec = question.spec
    given = question.given(shots)
    if edits.emptied(given, spec.ways):
        return None
    kept = [one for one in given if one.label is not None]
    labels = [one.label for one in kept if one.label is not None]
    places = support[[one.index for one in kept]]
    return space(question.learned.learner(), places, labels, spec.ways, question.distance)


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


def _matrix(
    now: Space, query: Array, kept: list[SupportDrawing], wrong: list[int], most: int
) -> Matrix:
    columns = [query_name(n) for n in range(len(query))]
    distances = now.distances(query)
    if distances is not None:
        unit = UNITS[now.distance]
        rows = [letter(n) for n in range(now.ways)]
        nearest = distances.argmin(1).tolist()
        return Matrix(distances.T, unit, rows, columns, nearest, wrong, near_is_small=True)
    attention = now.attention(query)
    assert attention is not None, "a metric method has distances or attention"
    rows = [drawing_name(one, most) for one in kept]
    return Matrix(attention.T, "attention", rows, columns, None, wrong, near_is_small=False)


def _looks(
    now: Space, support: Array, query: Array, truth: Any, kept: list[SupportDrawing], most: int
) -> dict[str, Closeup]:
    def nearest(features: Array, but: int | None = None) -> list[NearDrawing]:
        found = now.nearest(features, NEAREST + 1)
        others = [(index, distance) for index, distance in found if index != but][:NEAREST]
        return [near_drawing(kept[index], distance, most) for index, distance in others]

    looks = {}
    for n, probabilities in enumerate(now.probabilities(query)):
        name = query_name(n)
        looks[name] = Closeup(name, int(truth[n]), None, [probabilities], nearest(query[n]))
    for n, one in enumerate(kept):
        name, features = drawing_name(one, most), support[one.index]
        probabilities = now.probabilities(features[None])[0]
        near = nearest(features, but=n)
        looks[name] = Closeup(name, one.number, one.label, [probabilities], near)
    return looks
