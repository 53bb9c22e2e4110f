"""Which pixels hang together: connected components, corners included, without a loop over pixels.

Every pixel names another one of its blob, at first itself. In each round the blobs that touch are
joined, and every pixel then names the last pixel of its blob: a few rounds do for any shape.
"""

from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def blobs(ink: Array) -> Array:
    """bool [H, W] -> int [H, W]: 0 where there is no ink, a number of its own for each blob."""
    paper = np.pad(ink, 1)
    named = np.where(paper, np.arange(paper.size).reshape(paper.shape), 0)
    names = named.reshape(-1)  # the same memory: names[names] is what the named pixels name
    while True:
        near = np.where(paper, _largest_near(named), 0)
        touching = near > named
        if not touching.any():
            return named[1:-1, 1:-1]
        np.maximum.at(names, named[touching], near[touching])
        while (further := names[names]).tobytes() != names.tobytes():
            names[:] = further


def _largest_near(values: Array) -> Array:
    """Among a pixel and its eight neighbours; the rim is not looked at."""
    rows = values.copy()
    rows[1:-1] = np.maximum(np.maximum(values[:-2], values[1:-1]), values[2:])
    around = rows.copy()
    around[:, 1:-1] = np.maximum(np.maximum(rows[:, :-2], rows[:, 1:-1]), rows[:, 2:])
    return around
