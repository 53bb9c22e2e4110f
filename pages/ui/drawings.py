"""Pictures of a dataset on a page: ink sits on any background, photographs stay as they are."""

import base64

import numpy as np
from torch import Tensor

from metacore.datasets.base import Dataset, ImageDataset
from metacore.datasets.rendering import Bytes, png, rgba
from pages.ui import palette

GAP = 3  # pixels between neighbours
BLACK = "#000000"


def row(
    images: Tensor, theme: palette.Theme, *, scale: int = 4, kind: type[Dataset] = ImageDataset
) -> Bytes:
    """Pictures [n, C, H, W] of a dataset side by side: [H', W', 4]."""
    ink = palette.INK[theme] if kind.inked(images) else None
    padded = np.pad(rgba(_plain(images, kind), ink), ((0, 0), (GAP, GAP), (GAP, GAP), (0, 0)))
    return np.concatenate(list(padded), axis=1).repeat(scale, 0).repeat(scale, 1)


def addresses(images: Tensor, color: str = BLACK, kind: type[Dataset] = ImageDataset) -> list[str]:
    """Pictures [n, C, H, W] of a dataset as data addresses; ink in this colour."""
    found = rgba(_plain(images, kind), color if kind.inked(images) else None)
    encoded = (base64.b64encode(png(one)).decode() for one in found)
    return [f"data:image/png;base64,{one}" for one in encoded]


def _plain(images: Tensor, kind: type[Dataset]) -> Tensor:
    return kind.displayed(images) if images.is_floating_point() else images
