"""A photograph as a trial keeps it: a small square in colour, ready for any network.

It is unpacked, turned upright, cut to its middle and reduced once, when it comes. What is kept is
the packed picture, and networks see what that unpacks to: a saved trial gives the same answers.
"""

import io
from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from metacore.decoding import header, square
from metacore.errors import UserError
from metacore.filenames import shown

SIDE = 224  # pixels: what the usual networks for photographs are made for
LARGEST = 200_000  # bytes of one, packed
_LOSSLESS = 96  # smaller ones keep every pixel
_QUALITY = 90


@dataclass(frozen=True)
class Photo:
    name: str
    file: bytes  # a square WebP picture

    @classmethod
    def of(cls, data: bytes, name: str) -> "Photo":
        """From a PNG, JPEG or WebP file."""
        picture = square(data, name, SIDE)
        packed = io.BytesIO()
        small = picture.width <= _LOSSLESS
        picture.save(packed, "WEBP", lossless=small, quality=100 if small else _QUALITY, method=3)
        return cls(shown(name), packed.getvalue())

    @classmethod
    def kept(cls, name: str, file: bytes) -> "Photo":
        """From what somebody says was kept."""
        kind, (width, height) = header(file, name)
        if kind != "WEBP" or width != height or width > SIDE or len(file) > LARGEST:
            raise UserError(f"{shown(name)} is not a photograph as trials keep them.")
        return cls(shown(name), file)

    @property
    def address(self) -> str:
        """For a page to show it."""
        return f"data:image/webp;base64,{b64encode(self.file).decode()}"

    @property
    def tensor(self) -> Tensor:
        """uint8 [3, S, S]."""
        return _unpacked(self.file, self.name)


@lru_cache(maxsize=1000)
def _unpacked(file: bytes, name: str) -> Tensor:
    pixels = np.array(square(file, name, SIDE))
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
