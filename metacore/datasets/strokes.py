"""Turns pen strokes into pictures exactly the way Omniglot's were made.

A drawing lives on a 105 x 105 canvas, is drawn with a square pen 5 pixels wide, without grey, and
is then shrunk to 28 x 28 with an antialiasing triangle filter. The shrinking weights are rounded
so that every sum is exact in float32: the same strokes give the same bytes on any number of
threads.
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from metacore.errors import UserError

CANVAS = 105  # pixels along a side of an Omniglot drawing
SIDE = 28  # and of the picture made of it
_REACH = 2  # the pen covers this many pixels on either side of its point
_TYPICAL = 67  # the longer side of a typical drawing, in canvas pixels
_CHUNK = 256  # drawings on the canvas at once: few enough to stay in the processor's cache

Point = Sequence[float]
Stroke = Sequence[Point]


def render(drawings: Sequence[Sequence[Stroke]]) -> Tensor:
    """Pictures of drawings given as strokes of (x, y) points, y downwards: uint8 [n, 1, 28, 28].

    The points may lie in any range: each drawing is centred and brought to Omniglot's usual size.
    """
    paths = [_fit(strokes) for strokes in drawings]
    longest = max((len(path) for path in paths), default=0)
    points = torch.full((len(paths), longest, 2), torch.nan)
    for row, path in zip(points, paths, strict=True):
        row[: len(path)] = path
    return paint(points)


def paint(points: Tensor) -> Tensor:
    """Pictures of pen positions on the canvas [n, P, 2]: uint8 [n, 1, 28, 28].

    Neighbouring positions of a stroke should be at most 2 pixels apart. Those that are nan or
    outside the canvas leave no ink.
    """
    pictures = [_shrink(_ink(chunk)) for chunk in points.split(_CHUNK)]
    return torch.cat(pictures) if pictures else torch.zeros(0, 1, SIDE, SIDE, dtype=torch.uint8)


def shrink(canvases: Tensor) -> Tensor:
    """Black and white drawings, ink 1 [n, 105, 105], as pictures: uint8 [n, 1, 28, 28]."""
    return torch.cat([_shrink(chunk) for chunk in canvases.split(_CHUNK)])


def _fit(strokes: Sequence[Stroke]) -> Tensor:
    """A drawing's strokes as closely spaced pen positions in the middle of the canvas: [P, 2]."""
    parts = [torch.as_tensor(stroke, dtype=torch.float64) for stroke in strokes if len(stroke)]
    if not parts:
        raise UserError("There is nothing to look at yet: draw at least one stroke.")
    corners = torch.cat(parts)
    if corners.dim() != 2 or corners.shape[1] != 2 or not corners.isfinite().all():
        raise UserError("Every point of a stroke must be two finite numbers, x and y.")
    lengths = [len(part) for part in parts]
    return torch.cat([_fill_in(part) for part in place(corners).split(lengths)])


def place(points: Tensor) -> Tensor:
    """Points of any range in the middle of the canvas, at a drawing's usual size: [P, 2]."""
    low, high = points.amin(0), points.amax(0)
    extent = (high - low).max()
    scale = (_TYPICAL - 2 * _REACH - 1) / extent if extent > 0 else 1.0
    return (points - (low + high) / 2) * scale + (CANVAS - 1) / 2


def _fill_in(corners: Tensor) -> Tensor:
    """Points at most one pixel apart along the lines between the corners: [P, 2]."""
    gaps = corners.diff(dim=0)
    counts = gaps.abs().amax(1).ceil().long().clamp(min=1)
    starts = corners[:-1].repeat_interleave(counts, 0)
    share = torch.cat([torch.arange(int(count)) / count for count in counts] or [counts.double()])
    return torch.cat([starts + share[:, None] * gaps.repeat_interleave(counts, 0), corners[-1:]])


def _ink(points: Tensor) -> Tensor:
    """Where the pen leaves ink: uint8 [n, 105, 105] of zeros and ones."""
    n = len(points)
    wide = CANVAS + 2 * _REACH
    pixel = points.nan_to_num(nan=-1).round().long()
    inside = ((pixel >= 0) & (pixel < CANVAS)).all(-1)
    where = (pixel[..., 1] + _REACH) * wide + pixel[..., 0] + _REACH
    where = torch.where(inside, where, 0)  # the margin's corner, cleared below
    paper = torch.zeros(n, wide * wide, dtype=torch.uint8)
    paper.scatter_(1, where, 1)
    paper[:, 0] = 0
    return _thicken(_thicken(paper.view(n, wide, wide), 1), 2)


def _thicken(marks: Tensor, dim: int) -> Tensor:
    """Spreads every mark over the pen's width along one axis and drops that axis's margin."""
    width, length = 2 * _REACH + 1, marks.shape[dim] - 2 * _REACH
    shifted = [marks.narrow(dim, start, length) for start in range(width)]
    total = shifted[0] | shifted[1]
    for marks in shifted[2:]:
        total |= marks
    return total


def _shrink(ink: Tensor) -> Tensor:
    weights = _weights()
    grey = weights @ ink.float() @ weights.T
    return (grey * 255).round().clamp(0, 255).to(torch.uint8)[:, None]


@cache
def _weights() -> Tensor:
    """How much each canvas pixel adds to each picture pixel along one axis: [28, 105]."""
    scale = CANVAS / SIDE
    centres = (torch.arange(SIDE, dtype=torch.float64) + 0.5) * scale
    pixels = torch.arange(CANVAS, dtype=torch.float64) + 0.5
    triangle = (1 - (pixels - centres[:, None]).abs() / scale).clamp(min=0)
    triangle /= triangle.sum(1, keepdim=True)
    return ((triangle * 2048).round() / 2048).float()
