"""Features of many numbers laid out on a plane, and what the plane can and cannot show.

A plane through a cloud of features is a shadow of it: `astray` says for which of them a decision
taken on the shadow is not the real one. Everything is computed in float64 and handed out as
float32, ready for a figure; features that are no longer numbers (a diverged adaptation) count as 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from metacore.errors import UserError

Array = np.ndarray[Any, np.dtype[np.float32]]
Labels = np.ndarray[Any, np.dtype[np.int64]]
Decide = Callable[[Array], Labels]  # features [n, F] -> class numbers [n]
_Double = np.ndarray[Any, np.dtype[np.float64]]

DISTANCES = ("euclidean", "cosine")
RESOLUTION = 120
AT_ONCE = 4096  # places decided in one go: few calls, and little memory


@dataclass(frozen=True)
class Projection:
    """A plane (or a space of d dimensions) through the middle of a cloud of features."""

    mean: Array  # [F]
    axes: Array  # [d, F] orthonormal; rows of zeros where features have fewer directions than d
    explained: Array  # [d] the share of the variance along each axis

    def apply(self, points: ArrayLike) -> Array:
        """Coordinates [n, d] of points [n, F]."""
        return ((_finite(points) - self.mean) @ self.axes.T).astype(np.float32)

    def lift(self, coordinates: ArrayLike) -> Array:
        """The points [n, F] of the plane that have these coordinates [n, d]."""
        return (self.mean + _finite(coordinates) @ self.axes).astype(np.float32)


def pca(points: ArrayLike, dimensions: int = 2) -> Projection:
    """The directions in which points [n, F] differ most.

    Each axis points to where its largest component is positive, so that a figure does not flip
    from one computation to the next.
    """
    cloud = _finite(points)
    if not len(cloud):
        raise UserError("There are no points to project: give at least one.")
    mean = cloud.mean(0)
    _, lengths, directions = np.linalg.svd(cloud - mean, full_matrices=False)
    found = min(dimensions, len(lengths))
    axes, variance = np.zeros((dimensions, cloud.shape[1])), np.zeros(dimensions)
    axes[:found] = _upright(directions[:found])
    variance[:found] = lengths[:found] ** 2
    total = (lengths**2).sum()
    explained = variance / total if total > _negligible(cloud) else np.zeros(dimensions)
    return Projection(*(part.astype(np.float32) for part in (mean, axes, explained)))


def _upright(directions: _Double) -> _Double:
    """The same directions [d, F], each with its largest component positive."""
    largest = np.abs(directions).argmax(1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    return directions * signs[:, None]


def _negligible(cloud: _Double) -> float:
    """A sum of squared differences no larger than this is rounding."""
    return float((cloud**2).sum() * np.finfo(np.float64).eps ** 2 * cloud.size)


def by_prototypes(prototypes: ArrayLike, distance: str = "euclidean") -> Decide:
    """Decides for the nearest of the prototypes [N, F]."""
    _check_distance(distance)
    centres = _finite(prototypes)

    def decide(features: Array) -> Labels:
        return _distances(_finite(features), centres, distance).argmin(1).astype(np.int64)

    return decide


def decision_regions(
    projection: Projection,
    decide: Decide,
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    resolution: int = RESOLUTION,
) -> Labels:
    """The class [resolution, resolution] decided at each point of a plane; rows are values of y."""
    x, y = (np.linspace(*reach, resolution) for reach in (x_range, y_range))
    places = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    pieces = [places[start : start + AT_ONCE] for start in range(0, len(places), AT_ONCE)]
    decided = np.concatenate([decide(projection.lift(piece)) for piece in pieces])
    return decided.reshape(resolution, resolution).astype(np.int64)


def in_picture(projection: Projection, prototypes: ArrayLike) -> Decide:
    """Decides for the prototype [N, F] that is nearest in the picture: each stands on its own."""
    return by_prototypes(projection.lift(projection.apply(prototypes)))


def astray(
    projection: Projection, features: ArrayLike, decide: Decide, seen: Decide | None = None
) -> list[int]:
    """Which of the features [n, F] are decided otherwise than their place in the picture suggests.

    `seen` decides in the picture; without it, it is decided there as it is in all dimensions.
    """
    real = _finite(features).astype(np.float32)
    if not len(real):
        return []
    flat = projection.lift(projection.apply(real))
    return [int(n) for n in np.flatnonzero((seen or decide)(flat) != decide(real))]


def separation(features: ArrayLike, labels: ArrayLike) -> float:
    """The share of the variance of features [n, F] that lies between classes [n].

    1 where every class is a single point, 0 where all classes have the same mean (or where there
    is no variance to share).
    """
    cloud, names = _finite(features), np.asarray(labels)
    if not len(cloud):
        return 0.0
    gaps = cloud - cloud.mean(0)
    total = float((gaps**2).sum())
    if total <= _negligible(cloud):
        return 0.0
    groups = [gaps[names == name] for name in np.unique(names)]
    between = sum(len(group) * float((group.mean(0) ** 2).sum()) for group in groups)
    return min(1.0, between / total)


def nearest(
    query: ArrayLike, support: ArrayLike, count: int, distance: str = "euclidean"
) -> list[tuple[int, float]]:
    """The `count` support features [S, F] nearest to a query [F]: index and distance, near to far.

    Distances are Euclidean lengths, or 1 - cosine.
    """
    _check_distance(distance)
    measured = _distances(_finite(query)[None], _finite(support), distance)[0]
    order = np.argsort(measured, kind="stable")[:count]
    return [(int(index), float(measured[index])) for index in order]


def _check_distance(distance: str) -> None:
    if distance not in DISTANCES:
        raise UserError(f"distance must be one of {', '.join(DISTANCES)}, not {distance!r}.")


def _distances(a: _Double, b: _Double, distance: str) -> _Double:
    """[A, F] and [B, F] -> [A, B]."""
    if distance == "cosine":
        return 1 - _directions(a) @ _directions(b).T
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squares, 0))


def _directions(points: _Double) -> _Double:
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return points / np.maximum(lengths, np.finfo(np.float64).tiny)


def _finite(values: ArrayLike) -> _Double:
    return np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
