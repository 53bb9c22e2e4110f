"""One picture as a network sees it, with the name people know it by.

Its pixels are bytes, so that a picture is compared and remembered by what it shows.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from metacore.datasets.strokes import SIDE
from metacore.errors import UserError

LONGEST_NAME = 60


@dataclass(frozen=True)
class Picture:
    name: str
    pixels: bytes  # SIDE rows of SIDE bytes, ink 255 on paper 0

    def __post_init__(self) -> None:
        if len(self.pixels) != SIDE * SIDE:
            raise UserError(f"A picture must be {SIDE} x {SIDE} pixels.")

    @classmethod
    def of(cls, name: str, pixels: Tensor) -> "Picture":
        """From uint8 [1, 28, 28]."""
        return cls(shown(name), pixels.cpu().numpy().tobytes())

    @property
    def tensor(self) -> Tensor:
        """uint8 [1, 28, 28]."""
        return torch.frombuffer(bytearray(self.pixels), dtype=torch.uint8).view(1, SIDE, SIDE)


def shown(name: str) -> str:
    """A file's name as a sentence may show it: one printable line, its middle left out if long."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in name).strip() or "?"
    if len(clean) <= LONGEST_NAME:
        return clean
    half = LONGEST_NAME // 2 - 1
    return f"{clean[:half]}…{clean[-half:]}"
