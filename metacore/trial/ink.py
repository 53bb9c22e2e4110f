"""Finds the drawing in a photograph: what is ink, what is paper, what is dirt.

The paper's own brightness is estimated around every pixel (a morphological closing, which follows
shadows and uneven light but not strokes), and ink is what differs from it. Whether ink is the
darker or the lighter of the two is seen from which of them is rare.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

LEVEL = 0.45  # of the usual ink's strength, from which on a pixel is ink
FAINTEST = 0.12  # contrast to the paper, of which a pencil has twice as much
NOISE = 5.0  # standard deviations of the paper that ink must stand out by
BROADEST = 0.3  # of the picture's side: what is wider is no stroke but another paper
MOST_INK = 0.7  # of all pixels
_COARSE = 128  # pixels along the longer side, for what changes slowly
_BLOBS = 256  # and for telling blobs apart
_SPECK = 0.005  # of all ink: smaller blobs are dirt


def find_ink(grey: Tensor) -> Tensor | None:
    """Ink's strength from 0 to 1 around the drawing [h, w] of brightness [H, W]; None if none."""
    dark = grey if _ink_is_dark(grey) else 1 - grey
    strength = 1 - dark / _paper(dark).clamp(min=0.05)
    strength -= strength.median()  # of the paper, most of the picture
    usual = _usual_strength(strength)
    if usual is None:
        return None
    strength = (strength / usual).clamp(0, 1)
    kept = _without_specks(strength > LEVEL)
    if kept is None:
        return None
    return _crop(strength * kept, kept)


def _ink_is_dark(grey: Tensor) -> bool:
    """The rarer side of the neighbourhood's mean lies farther from it: its cube decides."""
    coarse = _coarse(grey, _COARSE)
    window = [side // 4 * 2 + 1 for side in coarse.shape]
    around = F.avg_pool2d(
        coarse[None, None], window, 1, [w // 2 for w in window], count_include_pad=False
    )
    return bool((coarse - around[0, 0]).pow(3).sum() <= 0)


def _paper(dark: Tensor) -> Tensor:
    """The brightness the paper has, or would have under the ink: [H, W]."""
    coarse = _coarse(dark, _COARSE)
    reach = max(1, round(max(coarse.shape) * BROADEST / 2))
    wide = F.pad(coarse[None, None], [2 * reach] * 4, mode="replicate")[0, 0]
    height, width = (slice(2 * reach, 2 * reach + side) for side in coarse.shape)
    closed = -_widest(-_widest(wide, reach), reach)[height, width]  # a dark edge is paper, too
    return F.interpolate(closed[None, None], dark.shape, mode="bilinear")[0, 0]


def _coarse(values: Tensor, longest: int) -> Tensor:
    scale = longest / max(values.shape)
    if scale >= 1:
        return values
    size = [max(1, round(side * scale)) for side in values.shape]
    return F.interpolate(values[None, None], size, mode="area")[0, 0]


def _widest(values: Tensor, reach: int) -> Tensor:
    """The largest value within reach along both axes."""
    window = 2 * reach + 1
    rows = F.max_pool2d(values[None], (window, 1), 1, (reach, 0))
    return F.max_pool2d(rows, (1, window), 1, (0, reach))[0]


def _usual_strength(strength: Tensor) -> float | None:
    """How strong ink usually is here; None where nothing stands out from the paper."""
    values = strength.flatten()
    noise = float(values.abs().median()) / 0.6745  # a normal deviation, whatever the ink does
    top = float(values.topk(max(8, len(values) // 1000)).values.mean())
    if top < max(FAINTEST, NOISE * noise):
        return None
    usual = float(values[values > top / 2].median())
    share = float((values > usual * LEVEL).float().mean())
    return usual if share <= MOST_INK else None


def _without_specks(ink: Tensor) -> Tensor | None:
    """Where the drawing is [H, W]: all blobs of ink but the smallest ones."""
    coarse = F.adaptive_max_pool2d(ink[None].float(), [min(side, _BLOBS) for side in ink.shape])[0]
    blobs = _blobs(coarse > 0)
    smallest = _SPECK * sum(len(blob) for blob in blobs)
    kept = torch.zeros(coarse.numel())
    for blob in blobs:
        if len(blob) >= smallest:
            kept[blob] = 1
    if not kept.any():
        return None
    where = F.interpolate(kept.view(1, 1, *coarse.shape), ink.shape, mode="nearest")[0, 0]
    return where > 0


def _blobs(ink: Tensor) -> list[list[int]]:
    """Pixels that hang together, corners included, as indices into the flattened picture."""
    width = ink.shape[1] + 1  # an empty column between the rows, so that they do not meet
    left = set(F.pad(ink, (0, 1)).flatten().nonzero().flatten().tolist())
    steps = [y * width + x for y in (-1, 0, 1) for x in (-1, 0, 1)]
    blobs = []
    while left:
        blob = [left.pop()]
        for pixel in blob:  # grows while it is gone through
            near = {pixel + step for step in steps} & left
            left -= near
            blob.extend(near)
        blobs.append([pixel // width * (width - 1) + pixel % width for pixel in blob])
    return blobs


def _crop(strength: Tensor, kept: Tensor) -> Tensor:
    ink = (strength > LEVEL) & kept
    rows, columns = ink.any(1).nonzero().flatten(), ink.any(0).nonzero().flatten()
    top, bottom = max(0, int(rows[0]) - 1), int(rows[-1]) + 2
    first, last = max(0, int(columns[0]) - 1), int(columns[-1]) + 2
    return strength[top:bottom, first:last]
