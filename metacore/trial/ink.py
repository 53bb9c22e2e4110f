"""Finds the drawing in a photograph: what is ink, what is paper, what is dirt.

The paper's own brightness is estimated around every pixel (a morphological closing, which follows
shadows and uneven light but not strokes), and ink is what differs from it. Whether ink is the
darker or the lighter of the two is seen from which of them is rare.
"""

import itertools
import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from metacore.trial.blobs import Array, blobs

LEVEL = 0.45  # of the usual ink's strength, from which on a pixel is ink
FAINTEST = 0.12  # contrast to the paper, of which a pencil has twice as much
NOISE = 5.0  # standard deviations of the paper that ink must stand out by
BROADEST = 0.3  # of the picture's side: what is wider is no stroke but another paper
MOST_INK = 0.7  # of all pixels
_COARSE = 128  # pixels along the longer side, for what changes slowly
_BLOBS = 256  # and for telling blobs apart
_SPECK = 0.005  # of all ink: smaller blobs are dirt
_SAMPLE = 50_000  # pixels, at least, that the paper is judged by


def find_ink(grey: Tensor) -> Tensor | None:
    """Ink's strength from 0 to 1 around the drawing [h, w] of brightness [H, W]; None if none."""
    coarse = _coarse(grey, _COARSE)
    if not _ink_is_dark(coarse):
        grey, coarse = 1 - grey, 1 - coarse
    strength = _strength(grey, coarse)
    usual = _usual_strength(strength)
    if usual is None:
        return None
    return _drawing(strength, usual)


def _ink_is_dark(coarse: Tensor) -> bool:
    """The rarer side of the neighbourhood's mean lies farther from it: its cube decides."""
    coarse = coarse.double()
    ones = torch.ones_like(coarse)
    around = _sums_around(coarse) / _sums_around(ones)
    return bool((coarse - around).pow(3).sum() <= 0)


def _sums_around(values: Tensor) -> Tensor:
    """Over a window of half the picture's sides, as far as it lies on the picture: [H, W]."""
    for dim, side in enumerate(values.shape):
        reach = side // 4
        total = values.cumsum(dim)
        last = (torch.arange(side) + reach).clamp(max=side - 1)
        before = torch.arange(side) - reach - 1
        within = (before >= 0).view(-1, 1) if dim == 0 else before >= 0
        start = total.index_select(dim, before.clamp(min=0)) * within
        values = total.index_select(dim, last) - start
    return values


def _strength(dark: Tensor, coarse: Tensor) -> Tensor:
    """How much darker than the paper around it every pixel is, about 0 on the paper: [H, W]."""
    strength = (dark / _paper(coarse, dark.shape)).neg_()
    strength -= _sample(strength).median()  # of the paper, most of the picture
    return strength


def _paper(coarse: Tensor, shape: torch.Size) -> Tensor:
    """The brightness the paper has, or would have under the ink: [H, W]."""
    reach = max(1, round(max(coarse.shape) * BROADEST / 2))
    wide = F.pad(coarse[None, None], [2 * reach] * 4, mode="replicate")[0, 0]
    height, width = (slice(2 * reach, 2 * reach + side) for side in coarse.shape)
    closed = -_widest(-_widest(wide, reach), reach)[height, width]  # a dark edge is paper, too
    return F.interpolate(closed.clamp(min=0.05)[None, None], shape, mode="bilinear")[0, 0]


def _coarse(values: Tensor, longest: int) -> Tensor:
    scale = longest / max(values.shape)
    if scale >= 1:
        return values
    size = [max(1, round(side * scale)) for side in values.shape]
    return F.interpolate(values[None, None], size, mode="area")[0, 0]


def _widest(values: Tensor, reach: int) -> Tensor:
    """The largest value within reach along both axes."""
    for dim in (0, 1):
        values = _widest_along(values, reach, dim)
    return values


def _widest_along(values: Tensor, reach: int, dim: int) -> Tensor:
    """A window of twice the width is the wider of two, shifted: few steps for any reach."""
    edges = (0, 0, reach, reach) if dim == 0 else (reach, reach, 0, 0)
    side, window, width = values.shape[dim], 2 * reach + 1, 1
    values = F.pad(values, edges, value=-torch.inf)
    while width < window:
        step = min(width, window - width)
        length = values.shape[dim] - step
        values = torch.maximum(values.narrow(dim, 0, length), values.narrow(dim, step, length))
        width += step
    return values.narrow(dim, 0, side)


def _sample(values: Tensor) -> Tensor:
    """Evenly spread pixels, all of them where there are few: their median is that of all."""
    step = max(1, math.isqrt(values.numel() // _SAMPLE))
    return values[::step, ::step]


def _usual_strength(strength: Tensor) -> float | None:
    """How strong ink usually is here; None where nothing stands out from the paper."""
    noise = float(_sample(strength).abs().median()) / 0.6745  # a normal deviation
    every = strength.numpy().ravel()  # NumPy picks a few of many much faster
    strong, most = every[every > FAINTEST / 2], max(8, every.size // 1000)
    top = float(np.partition(strong if strong.size > most else every, -most)[-most:].mean())
    if top < max(FAINTEST, NOISE * noise):
        return None
    usual = float(np.median(strong[strong > top / 2]))
    share = np.count_nonzero(every > usual * LEVEL) / every.size
    return usual if share <= MOST_INK else None


def _drawing(strength: Tensor, usual: float) -> Tensor | None:
    """The blobs of ink that are no specks, cropped: from 0 to 1 [h, w]."""
    height, width = strength.shape
    rows, columns = np.divmod(np.flatnonzero(strength.numpy() > usual * LEVEL), width)
    down, across = _cells(height), _cells(width)
    inked = np.zeros((down[0, -1] + 1, across[0, -1] + 1), bool)
    for row, column in itertools.product(down, across):
        inked[row[rows], column[columns]] = True
    large = _without_specks(inked)
    kept = large[down[0, rows], across[0, columns]]
    if not kept.any():
        return None
    part = _around(rows[kept], height), _around(columns[kept], width)
    there = torch.from_numpy(large[down[0, part[0]]][:, across[0, part[1]]])
    return (strength[part] / usual).clamp(0, 1) * there


def _around(places: Array, side: int) -> slice:
    """From the first to the last of these, and one pixel more at each end."""
    return slice(max(0, int(places.min()) - 1), min(side, int(places.max()) + 2))


def _cells(side: int) -> Array:
    """The first and the last of the coarse picture's cells that each pixel lies in: [2, side]."""
    edges = np.arange(side + 1) * min(side, _BLOBS)
    return np.stack([edges[:-1] // side, (edges[1:] - 1) // side])


def _without_specks(ink: Array) -> Array:
    """All blobs but the smallest: bool [h, w]."""
    found = blobs(ink)
    sizes = np.bincount(found.ravel())
    sizes[0] = 0  # paper
    large: Array = ((sizes > 0) & (sizes >= _SPECK * sizes.sum()))[found]
    return large
