"""Where a predicted curve goes wrong, and how far from anything the network has seen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Miss:
    """The largest error of a curve on a grid."""

    at: float  # x
    off: float  # how far the curve is from the truth there
    away: float  # how far the nearest support point is from there


def largest_miss(
    grid: Sequence[float], curve: ArrayLike, truth: ArrayLike, seen: Sequence[float]
) -> Miss:
    """`seen` are the places x of the support points; there is at least one."""
    off = np.abs(np.asarray(curve, np.float64) - np.asarray(truth, np.float64))
    worst = int(off.argmax())
    at = float(grid[worst])
    return Miss(at, float(off[worst]), min(abs(x - at) for x in seen))


def reach(curve: ArrayLike) -> float:
    """How far from 0 a curve ever is."""
    return float(np.abs(np.asarray(curve, np.float64)).max())
