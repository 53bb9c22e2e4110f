"""An episode where a network puts it: what the pictures of it on a plane and in space share."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pages.ui import palette
from pages.ui.palette import Theme

Array = np.ndarray[Any, np.dtype[np.float32]]
STILL = 0.002  # of the picture: a way too short to be seen
WRONG = {"light": "#B3261E", "dark": "#FF8A80"}


@dataclass(frozen=True)
class Points:
    """Drawings of one kind at their places."""

    at: Array  # [n, d]
    labels: Sequence[int]
    names: Sequence[str]
    notes: Sequence[str]  # what is said where the mouse is


@dataclass(frozen=True)
class Regions:
    """Which class is decided for at each place of the plane; rows are values of y."""

    x: tuple[float, float]
    y: tuple[float, float]
    classes: np.ndarray[Any, Any]  # [r, r]


@dataclass(frozen=True)
class Cloud:
    """An episode in two or three dimensions."""

    support: Points
    query: Points
    wrong: Sequence[int]  # indices of queries answered wrongly
    mislabelled: Sequence[int]  # indices of support drawings
    explained: Sequence[float]  # share of the variance along each axis
    left_out: Points | None = None
    paths: Array | None = None  # prototypes from 1 shot on [k, N, d]; the last are the present ones
    regions: Regions | None = None
    moved_from: Array | None = None  # where the prototypes [N, d] were before the edits

    @property
    def dimensions(self) -> int:
        return self.support.at.shape[1]

    @property
    def all(self) -> Array:
        """Everything that must be in view [n, d]."""
        parts = [self.support.at, self.query.at]
        parts += [] if self.left_out is None else [self.left_out.at]
        parts += [] if self.paths is None else [self.paths.reshape(-1, self.dimensions)]
        parts += [] if self.moved_from is None else [self.moved_from]
        return np.concatenate(parts)

    @property
    def moves(self) -> list[tuple[int, Array, Array]]:
        """Of the prototypes that the edits moved: the class, from where, to where."""
        if self.paths is None or self.moved_from is None:
            return []
        unmoved = STILL * float(np.ptp(self.all, axis=0).max())
        return [
            (number, old, new)
            for number, (old, new) in enumerate(zip(self.moved_from, self.paths[-1], strict=True))
            if float(np.abs(new - old).max()) > unmoved
        ]


@dataclass(frozen=True)
class Matrix:
    """A number for every row (prototype or support drawing) and every query."""

    values: Array  # [R, Q]
    unit: str
    rows: Sequence[str]
    columns: Sequence[str]
    row_of_answer: Sequence[int] | None  # where each query's dot is put; None: no dots
    wrong: Sequence[int]
    near_is_small: bool  # distances are; attention is not


def span(frame: Array, margin: float = 0.09) -> list[tuple[float, float]]:
    """What the points cover along each axis, and a little more."""
    low, high = frame.min(0), frame.max(0)
    more = margin * max(float((high - low).max()), 1e-6)
    return [(float(a) - more, float(b) + more) for a, b in zip(low, high, strict=True)]


def buttons(theme: Theme) -> dict[str, Any]:
    """Plotly's buttons, beside the legend and not over it."""
    quiet, active = palette.faded(palette.INK[theme], 0.5), palette.INK[theme]
    colors = {"bgcolor": "rgba(0,0,0,0)", "color": quiet, "activecolor": active}
    return {"orientation": "v", **colors}
