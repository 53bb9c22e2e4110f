"""Drawn characters as pictures whose paper is transparent: they sit on any background."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from pages.ui import palette

Picture = np.ndarray[Any, np.dtype[np.uint8]]
GAP = 3  # pixels between neighbours


def gray(images: Tensor) -> Picture:
    """Pictures [n, 1, H, W] as bytes of ink [n, H, W], from uint8 or from 0 to 1."""
    plain = images.detach().cpu()
    if plain.is_floating_point():
        plain = (plain * 255).round()
    return plain[:, 0].numpy().astype(np.uint8)


def row(images: Tensor, theme: palette.Theme, *, scale: int = 4) -> Picture:
    """Pictures [N, 1, H, W], side by side: RGBA [H', W', 4]."""
    padded = np.pad(gray(images), ((0, 0), (GAP, GAP), (GAP, GAP)))
    ink = np.concatenate(list(padded), axis=1).repeat(scale, 0).repeat(scale, 1)
    picture = np.empty((*ink.shape, 4), np.uint8)
    color = palette.INK[theme]
    picture[..., :3] = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    picture[..., 3] = ink
    return picture


def addresses(images: Tensor, color: str = "#000000") -> list[str]:
    """Pictures [n, 1, H, W] as data addresses: this colour, with the ink as alpha."""
    rgb = tuple(int(color[i : i + 2], 16) for i in (1, 3, 5))
    return [_address(ink, rgb) for ink in gray(images)]


def _address(ink: Picture, rgb: Sequence[int]) -> str:
    picture = np.empty((*ink.shape, 4), np.uint8)
    picture[..., :3] = rgb
    picture[..., 3] = ink
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG", compress_level=6)
    return "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
