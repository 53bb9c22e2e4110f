"""Folders of pictures, made for a test: every class is one colour, every picture a shade of it."""

import colorsys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def color(number: int, of: int, shade: float = 1.0) -> tuple[int, ...]:
    rgb = colorsys.hsv_to_rgb(number / of, 1, 0.5 + shade / 2)
    return tuple(round(255 * part) for part in rgb)


def draw(path: Path, rgb: tuple[int, ...], size: tuple[int, int] = (24, 20)) -> None:
    """A picture of one colour, in the format its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((size[1], size[0], 3), rgb, np.uint8)
    Image.fromarray(pixels).save(path, quality=95)


def draw_classes(folder: Path, sizes: Mapping[str, int], ending: str = ".png") -> Path:
    """A folder per class; a name may have a part before it, as in `train/cat`."""
    for number, (name, count) in enumerate(sizes.items()):
        for picture in range(count):
            shade = picture / max(1, count - 1)
            draw(folder / name / f"{picture:03d}{ending}", color(number, len(sizes), shade))
    return folder
