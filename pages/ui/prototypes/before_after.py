"""An episode in the features of a network: those adaptation begins with, and ends with."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from metacore.answers import Question
from metacore.insight.projection import nearest as nearest_of
from metacore.insight.projection import pca, separation
from pages.ui.figures.cloud import Array, Cloud
from pages.ui.prototypes.edits import SupportDrawing
from pages.ui.prototypes.embedding import (
    NEAREST,
    Closeup,
    EditedEpisode,
    near_drawing,
    query_name,
    query_points,
    support_points,
)


@dataclass(frozen=True)
class BeforeAndAfter:
    """An episode in the features of a network before and after its adaptation."""

    name: str  # of all it depends on
    clouds: tuple[Cloud, Cloud]
    frames: tuple[Array, Array]
    separations: tuple[float, float]  # of the queries
    right: tuple[int, int]
    steps: int
    norm: str
    frozen: bool  # adaptation leaves the features alone
    looks: dict[str, Closeup]
    first: str  # the drawing to look at first
    right_in: Sequence[int]  # of each class, after
    prototypes: None = None  # a method with an inner loop has none


@dataclass(frozen=True, kw_only=True)
class BeforeAndAfterQuestion(EditedEpisode, Question[BeforeAndAfter]):
    shared: bool  # one plane for both

    def answer(self) -> BeforeAndAfter:
        dimensions, shared = self.dimensions, self.shared
        given = self.given(self.shots)
        spec = replace(
            self.spec,
            shots=self.shots,
            left_out=tuple(n for n, one in enumerate(given) if one.label is None),
            labels=tuple(
                (n, one.label)
                for n, one in enumerate(given)
                if one.mislabelled and one.label is not None
            ),
        )
        kept = [one for one in given if one.label is not None]
        trace = self.adapted(spec)
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
        truth, split = self.truth, len(supports[0])
        wrong = [np.flatnonzero(one.argmax(1) != truth).tolist() for one in answers]
        first, last = (
            Cloud(
                support=support_points(flat[n][:split], kept, spec.most, self.classes),
                query=query_points(flat[n][split:], truth, answers[n], self.classes),
                wrong=wrong[n],
                mislabelled=[place for place, one in enumerate(kept) if one.mislabelled],
                explained=[float(share) for share in planes[n].explained],
            )
            for n in range(2)
        )
        frames = (np.concatenate(flat),) * 2 if shared else (flat[0], flat[1])
        return BeforeAndAfter(
            name=f"{self}",
            clouds=(first, last),
            frames=frames,
            separations=(separation(queries[0], truth), separation(queries[1], truth)),
            right=(len(truth) - len(wrong[0]), len(truth) - len(wrong[1])),
            steps=trace.steps[-1],
            norm=trace.norm,
            frozen=bool(np.array_equal(*queries) and np.array_equal(*supports)),
            looks=_looks_after(supports[1], queries[1], truth, answers, kept, spec.most),
            first=query_name(wrong[1][0] if wrong[1] else 0),
            right_in=self.right_in(wrong[1]),
        )


def _looks_after(
    support: Array,
    query: Array,
    truth: Any,
    answers: list[Array],
    kept: list[SupportDrawing],
    most: int,
) -> dict[str, Closeup]:
    """Queries before and after; what is nearest is measured after."""
    looks = {}
    for n in range(len(query)):
        near = nearest_of(query[n], support, NEAREST)
        looks[query_name(n)] = Closeup(
            query_name(n),
            int(truth[n]),
            None,
            [moment[n] for moment in answers],
            [near_drawing(kept[index], distance, most) for index, distance in near],
        )
    return looks
