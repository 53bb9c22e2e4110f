"""One picture as a network sees it, with the name people know it by.

Its pixels are bytes, so that a picture is compared and remembered by what it shows.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from metacore.datasets.strokes import SIDE
from metacore.errors import UserError
from metacore.filenames import shown

DRAWN = (1, SIDE, SIDE)  # ink, as it is drawn here


@dataclass(frozen=True)
class Picture:
    name: str
    pixels: bytes  # channel by channel and row by row; of one channel ink 255 on paper 0
    shape: tuple[int, ...] = DRAWN  # what a network sees: channels, height, width

    def __post_init__(self) -> None:
        if len(self.pixels) != math.prod(self.shape):
            _, height, width = self.shape
            raise UserError(f"A picture must be {width} x {height} pixels.")

    @classmethod
    def of(cls, name: str, pixels: Tensor) -> "Picture":
        """From uint8 [C, H, W]."""
        return cls(shown(name), pixels.cpu().numpy().tobytes(), tuple(pixels.shape))

    @property
    def tensor(self) -> Tensor:
        """uint8 [C, H, W]."""
        return torch.frombuffer(bytearray(self.pixels), dtype=torch.uint8).view(self.shape)
