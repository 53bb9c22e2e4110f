"""Drawn characters as pictures whose paper is transparent: they sit on any background."""

from typing import Any

import numpy as np
from torch import Tensor

Picture = np.ndarray[Any, np.dtype[np.uint8]]
INK = {"light": (29, 33, 39), "dark": (233, 230, 224)}
GAP = 3  # pixels between neighbours


def row(images: Tensor, theme: str, *, scale: int = 4) -> Picture:
    """uint8 images [N, 1, H, W], ink 255 on paper 0, side by side: RGBA [H', W', 4]."""
    padded = np.pad(images[:, 0].numpy(), ((0, 0), (GAP, GAP), (GAP, GAP)))
    ink = np.concatenate(list(padded), axis=1).repeat(scale, 0).repeat(scale, 1)
    picture = np.empty((*ink.shape, 4), np.uint8)
    picture[..., :3] = INK[theme]
    picture[..., 3] = ink
    return picture
