"""Drawings from a browser: checked when they arrive, then rendered as the datasets' were.

A drawing is strokes of points, in whatever units the pad has: `strokes.render` centres and scales
it. Nothing is believed about what a browser sends.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from metacore.datasets import strokes
from metacore.datasets.strokes import SIDE
from metacore.errors import UserError

Stroke = tuple[tuple[float, float], ...]
Drawing = tuple[Stroke, ...]

MOST_STROKES = 64
MOST_POINTS = 2000  # of a drawing: a slow minute with the pen
FARTHEST = 10_000


def check_strokes(value: object) -> Drawing:
    """The drawing, if it is lists of lists of [x, y] within the limits; a UserError if not."""
    parts = _list(value, "A drawing must be a list of strokes.")
    if len(parts) > MOST_STROKES:
        raise UserError(f"A drawing has at most {MOST_STROKES} strokes, not {len(parts)}.")
    found = [_list(part, "A stroke must be a list of points.") for part in parts]
    total = sum(len(part) for part in found)
    if total > MOST_POINTS:
        raise UserError(f"A drawing has at most {MOST_POINTS} points, not {total}.")
    return tuple(tuple(_point(point) for point in part) for part in found if part)


def picture(drawings: Sequence[Drawing]) -> Tensor:
    """What a network sees of each drawing: uint8 [n, 1, 28, 28], ink 255 on paper 0."""
    if not drawings:
        return torch.zeros(0, 1, SIDE, SIDE, dtype=torch.uint8)
    return strokes.render(drawings)


def _list(value: object, sentence: str) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise UserError(sentence)
    return value


def _point(value: object) -> tuple[float, float]:
    pair = _list(value, "A point must be a pair of numbers, x and y.")
    if len(pair) != 2:
        raise UserError(f"A point must be a pair of numbers, x and y, not {len(pair)}.")
    return _coordinate(pair[0]), _coordinate(pair[1])


def _coordinate(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UserError("A point must be a pair of numbers, x and y.")
    if not -FARTHEST <= value <= FARTHEST:  # nan is in no range, and huge integers are no floats
        raise UserError(f"Coordinates must be finite and between {-FARTHEST} and {FARTHEST}.")
    return float(value)
