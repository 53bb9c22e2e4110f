"""Pictures that come with Metacore: many small ones on one large sheet, lossless.

A sheet is a picture anybody can look at, smaller than the pictures apart and quicker to read.
Ink lies on it black on white. Beside each lies a text that says whose work it is and under which
licence, and a list of what is on it.
"""

import json
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

SHIPPED = resources.files("metacore.datasets") / "shipped"


def read_sheet(name: str, side: int) -> Tensor:
    """The pictures of a sheet, row by row: uint8 [n, C, side, side], one channel being ink."""
    with (SHIPPED / name).open("rb") as file, Image.open(file) as sheet:
        values = np.asarray(sheet)
    if values.ndim == 2:
        values = 255 - values[..., None]
    height, width, channels = values.shape
    apart = values.reshape(height // side, side, width // side, side, channels)
    moved = np.ascontiguousarray(apart.transpose(0, 2, 4, 1, 3))
    return torch.from_numpy(moved).view(-1, channels, side, side)


@cache
def read_list(name: str) -> Any:
    """A list that comes with Metacore; shared, so not to be changed."""
    return json.loads((SHIPPED / name).read_text("utf-8"))
