"""Blobs of ink are told apart whatever their shapes."""

import numpy as np
import pytest

from metacore.trial.blobs import Array, blobs


def by_hand(ink: Array) -> list[frozenset[tuple[int, int]]]:
    """Filled one pixel at a time."""
    left = {(int(y), int(x)) for y, x in np.argwhere(ink)}
    found = []
    while left:
        blob = [left.pop()]
        for y, x in blob:
            near = {(y + b, x + a) for a in (-1, 0, 1) for b in (-1, 0, 1)} & left
            left -= near
            blob.extend(near)
        found.append(frozenset(blob))
    return found


def snake(side: int) -> Array:
    """One line that turns at every end: the farthest way through a picture."""
    ink = np.zeros((side, side), bool)
    ink[::2] = True
    ink[1::4, -1] = ink[3::4, 0] = True
    return ink


CHANCE = np.random.default_rng(0)
SHAPES = {
    "nothing": np.zeros((3, 5), bool),
    "all": np.ones((4, 3), bool),
    "corners": np.eye(6, dtype=bool),
    "snake": snake(21),
    **{f"dust {share}": CHANCE.random((30, 17)) < share for share in (0.1, 0.3, 0.6)},
}


@pytest.mark.parametrize("name", SHAPES)
def test_pixels_hang_together_corners_included(name: str) -> None:
    found = blobs(SHAPES[name])
    each = [np.argwhere(found == number).tolist() for number in np.unique(found[found > 0])]
    assert {frozenset((y, x) for y, x in blob) for blob in each} == {*by_hand(SHAPES[name])}
    assert ((found > 0) == SHAPES[name]).all()
