"""A curve to be learned, as pages draw it: the true one, and the points that are seen of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from metacore.answers import EpisodeSpec
from metacore.datasets.regression import GRID_POINTS, HIGH, LOW
from metacore.episode import Episode

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class CurveTask:
    grid: Sequence[float]
    truth: Sequence[float]  # on the grid
    points: Points  # its support set
    queries: Points

    @classmethod
    def of(
        cls, spec: EpisodeSpec, episode: Episode, grid: Iterable[float] | None = None
    ) -> "CurveTask":
        """`grid`: where it is drawn, if something else is drawn there, too."""
        found = torch.linspace(LOW, HIGH, GRID_POINTS).tolist() if grid is None else grid
        places = [float(x) for x in found]
        support = points(episode.support_x[0], episode.support_y[0])
        queries = points(episode.query_x[0], episode.query_y[0])
        return cls(places, spec.curve(places), support, queries)


def points(x: Tensor, y: Tensor) -> Points:
    """Of one task: [K, 1], [K, 1]."""
    return list(zip(x.flatten().tolist(), y.flatten().tolist(), strict=True))
