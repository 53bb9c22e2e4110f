"""Hands for tests: trace a drawing with a pen, put it into a file, photograph it."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from metacore.datasets import strokes
from metacore.trial.drawn import Drawing
from metacore.trial.thinning import thin

Pixel = tuple[int, int]


def trace(ink: Tensor, chance: np.random.Generator) -> Drawing:
    """A drawing's ink [H, W] as pen strokes, anywhere and of any size."""
    scale, shift = chance.uniform(0.2, 5), chance.uniform(-100, 100, 2)
    path = thin(torch.nn.functional.pad(ink > 0, (1, 1, 1, 1)))
    left = {(int(x), int(y)) for y, x in path.nonzero().tolist()}
    walks = list(_walks(left))
    return tuple(tuple(_moved(pixel, scale, shift) for pixel in walk) for walk in walks)


def _walks(path: set[Pixel]) -> Iterator[list[Pixel]]:
    """Goes along every line once; each walk begins where another one passed, if it can."""
    left = set(path)
    while left:
        walk = [min(left, key=lambda pixel: (len(_near(pixel, path)), pixel))]
        walk = [*(_near(walk[0], path - left)[:1]), *walk]
        while walk[-1] in left or len(walk) == 1:
            left.discard(walk[-1])
            ahead = _near(walk[-1], left)
            if not ahead:
                break
            walk.append(ahead[0])
        yield [*walk, *_near(walk[-1], path - set(walk))[:1]]


def _near(pixel: Pixel, among: set[Pixel]) -> list[Pixel]:
    """Straight neighbours before those at the corners."""
    x, y = pixel
    steps = sorted((abs(a) + abs(b), a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b)
    return [(x + a, y + b) for _, a, b in steps if (x + a, y + b) in among]


def _moved(pixel: Pixel, scale: float, shift: Any) -> tuple[float, float]:
    return float(pixel[0] * scale + shift[0]), float(pixel[1] * scale + shift[1])


def file(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def scan(ink: Tensor, *, side: int = 0, dark: bool = True) -> Image.Image:
    """Ink 0..1 [H, W] on even paper."""
    grey = ink.float().numpy()
    image = Image.fromarray(((1 - grey if dark else grey) * 255).astype(np.uint8))
    return image.resize((side, side), Image.Resampling.BICUBIC) if side else image


def photograph(ink: Tensor, chance: np.random.Generator) -> Image.Image:
    """A page in uneven light with a soft shadow across it, grey ink, a noisy camera."""
    page = np.asarray(scan(ink, side=400).resize((320, 320)), dtype=np.float64) / 255
    page = np.pad(page, ((60, 120), (100, 40)), constant_values=1.0)
    height, width = page.shape
    y, x = np.mgrid[0:height, 0:width] / height
    light = 0.5 + 0.4 * x - 0.2 * y
    shadow = 1 - 0.3 / (1 + np.exp(-(x + y - chance.uniform(0.6, 1.2)) * 30))
    seen = (0.4 + 0.5 * page) * light * shadow + chance.normal(0, 0.01, page.shape)
    return Image.fromarray((seen.clip(0, 1) * 255).astype(np.uint8))


def in_the_middle(canvas: Tensor) -> Tensor:
    """The same drawing [105, 105], moved and otherwise untouched."""
    rows, columns = canvas.any(1).nonzero(), canvas.any(0).nonzero()
    spare = [int(canvas.shape[0] - 1 - lines[0] - lines[-1]) // 2 for lines in (rows, columns)]
    return canvas.roll(spare, (0, 1))


def each(images: Tensor, see: Callable[[Tensor], Tensor]) -> Tensor:
    """[classes, drawings, H, W] -> uint8 [classes, drawings, 1, 28, 28]."""
    seen = [see(image) for image in images.flatten(0, 1)]
    return torch.stack(seen).unflatten(0, images.shape[:2])


def shrunk(canvases: Tensor) -> Tensor:
    return strokes.shrink(canvases.flatten(0, 1)).unflatten(0, canvases.shape[:2])
