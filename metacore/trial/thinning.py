"""The lines in a drawing: its ink thinned until a pen's path is left.

Guo and Hall 1989 (A1), all pixels at once. Every blob keeps at least one pixel, so dots survive.
What becomes of a pixel depends on its eight neighbours alone, so each of their 256 patterns is
judged once and looked up from then on.
"""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from metacore.trial.blobs import Array

# Clockwise from above, where a neighbour is found in a picture with a rim of paper.
_AROUND = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))


def thin(ink: Tensor) -> Tensor:
    """bool [H, W] -> bool [H, W]."""
    paper = np.pad(ink.numpy(), 1)
    inner = paper[1:-1, 1:-1]  # a view: what is peeled off is gone for the next pass
    while True:
        before = int(inner.sum())
        for half in (0, 1):
            inner &= ~_peeled(half)[_patterns(paper)]
        if int(inner.sum()) == before:
            return torch.from_numpy(inner.copy())


def _patterns(paper: Array) -> Array:
    """Every pixel's neighbours as the bits of a number: uint8 [H, W]."""
    height, width = paper.shape[0] - 2, paper.shape[1] - 2
    bits = paper.view(np.uint8)
    found = np.zeros((height, width), np.uint8)
    for bit, (y, x) in enumerate(_AROUND):
        found |= bits[y : y + height, x : x + width] << bit
    return found


@cache
def _peeled(half: int) -> Array:
    """The patterns that this half pass takes away: on the rim, not an end, holding nothing
    together. bool [256]."""
    n, ne, e, se, s, sw, w, nw = ((np.arange(256) >> bit & 1).astype(bool) for bit in range(8))
    bridges = _count(~n & (ne | e), ~e & (se | s), ~s & (sw | w), ~w & (nw | n))
    one, other = _count(nw | n, ne | e, se | s, sw | w), _count(n | ne, e | se, s | sw, w | nw)
    near = np.minimum(one, other)
    facing = (s | sw | ~nw) & w if half else (n | ne | ~se) & e
    peeled: Array = (bridges == 1) & (near >= 2) & (near <= 3) & ~facing
    return peeled


def _count(*true: Array) -> Array:
    return np.sum(true, axis=0)
