"""Pictures of a dataset on a page: ink sits on any background, photographs stay as they are."""

import base64

import numpy as np
from torch import Tensor

from metacore.datasets.base import Dataset, ImageDataset
from metacore.datasets.rendering import Bytes, png, rgba, webp
from metacore.pictures import resized
from pages.ui import palette

GAP = 3  # pixels between neighbours
BLACK = "#000000"
SHARP = 96  # pixels a side: smaller pictures in colour are enlarged to it, or a little beyond
LARGEST = 192  # and larger ones are reduced: a thumbnail is never shown larger than half of that


def row(
    images: Tensor, theme: palette.Theme, *, scale: int = 4, kind: type[Dataset] = ImageDataset
) -> Bytes:
    """Pictures [n, C, H, W] of a dataset side by side: [H', W', 4]."""
    inked = kind.inked(images)
    plain, ink = _plain(images, kind), palette.INK[theme] if inked else None
    if not inked:
        plain, scale = _thumbnails(plain), 1
    padded = np.pad(rgba(plain, ink), ((0, 0), (GAP, GAP), (GAP, GAP), (0, 0)))
    return np.concatenate(list(padded), axis=1).repeat(scale, 0).repeat(scale, 1)


def addresses(images: Tensor, color: str = BLACK, kind: type[Dataset] = ImageDataset) -> list[str]:
    """Pictures [n, C, H, W] of a dataset as data addresses; ink in this colour."""
    plain = _plain(images, kind)
    if kind.inked(images):
        return [_address(png(one), "png") for one in rgba(plain, color)]
    if min(plain.shape[-2:]) < SHARP:
        return [_address(png(one), "png") for one in rgba(_thumbnails(plain), None)]
    return [_address(webp(one), "webp") for one in rgba(_thumbnails(plain), None)]


def _address(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _thumbnails(pictures: Tensor) -> Tensor:
    """Sharp on a dense screen and no larger than that needs: the pixels of small pictures become
    squares of whole pixels, and large pictures small."""
    height, width = pictures.shape[-2:]
    if min(height, width) < SHARP:
        times = -(-SHARP // min(height, width))
        return pictures.repeat_interleave(times, -2).repeat_interleave(times, -1)
    scale = LARGEST / max(height, width)
    if scale >= 1:
        return pictures
    return resized(pictures, round(height * scale), round(width * scale))


def _plain(images: Tensor, kind: type[Dataset]) -> Tensor:
    return kind.displayed(images) if images.is_floating_point() else images
