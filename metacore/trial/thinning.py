"""The lines in a drawing: its ink thinned until a pen's path is left.

Guo and Hall 1989 (A1), all pixels at once. Every blob keeps at least one pixel, so dots survive.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def thin(ink: Tensor) -> Tensor:
    """bool [H, W] -> bool [H, W]."""
    paper = F.pad(ink, (1, 1, 1, 1))
    inner = paper[1:-1, 1:-1]  # a view: what is peeled off is gone for the next pass
    while True:
        before = int(inner.sum())
        for half in (0, 1):
            inner &= ~_peel(paper, half)
        if int(inner.sum()) == before:
            return inner.clone()


def _peel(paper: Tensor, half: int) -> Tensor:
    """The pixels this half pass takes away: on the rim, not an end, holding nothing together."""
    n, ne, e, se, s, sw, w, nw = _neighbours(paper)
    bridges = _count(~n & (ne | e), ~e & (se | s), ~s & (sw | w), ~w & (nw | n))
    one, other = _count(nw | n, ne | e, se | s, sw | w), _count(n | ne, e | se, s | sw, w | nw)
    near = torch.minimum(one, other)
    facing = (s | sw | ~nw) & w if half else (n | ne | ~se) & e
    return (bridges == 1) & (near >= 2) & (near <= 3) & ~facing


def _neighbours(paper: Tensor) -> list[Tensor]:
    """Clockwise from above, each [H, W]."""
    height, width = paper.shape[0] - 2, paper.shape[1] - 2
    around = ((0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0), (0, 0))
    return [paper[y : y + height, x : x + width] for y, x in around]


def _count(*true: Tensor) -> Tensor:
    return torch.stack(true).sum(0)
