"""How long it takes to read uploaded pictures: python -m benchmarks.uploads

Prints the milliseconds of one processor core per picture, by what kind of file it is, and the
seconds for an upload of 200 of them. The drawings are the test classes of glyphs.
"""

import time
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from benchmarks.report import circumstances, heading
from metacore.capacity import one_thread
from metacore.datasets.glyphs import Glyphs, GlyphsConfig
from metacore.trial.photographs import MOST_PICTURES, convert
from tests.trial.hands import file, photograph, scan

DRAWINGS = 20
TIMES = 3  # each picture is read; the quickest counts
CHANCE = np.random.default_rng(0)


def photographed(ink: Tensor, width: int = 0) -> Image.Image:
    taken = photograph(ink, CHANCE)
    return taken.resize((width, width * taken.height // taken.width)) if width else taken


KINDS: dict[str, Callable[[Tensor], bytes]] = {
    "PNG, scanned, 105 x 105": lambda ink: file(scan(ink, side=105)),
    "PNG, scanned, 448 x 448": lambda ink: file(scan(ink, side=448)),
    "PNG, scanned, 1024 x 1024": lambda ink: file(scan(ink, side=1024)),
    "JPEG, photographed, 0.2 megapixels": lambda ink: file(photographed(ink), "JPEG"),
    "JPEG, photographed, 3 megapixels": lambda ink: file(photographed(ink, 1500), "JPEG"),
    "JPEG, photographed, 13 megapixels": lambda ink: file(photographed(ink, 3000), "JPEG"),
    "WebP, photographed, 3 megapixels": lambda ink: file(photographed(ink, 1500), "WEBP"),
}


def drawings() -> Tensor:
    """Ink from 0 to 1: [DRAWINGS, h, w]."""
    config = GlyphsConfig(train_classes=20, test_classes=DRAWINGS, drawings=2, rotations=False)
    images = Glyphs(config, torch.device("cpu")).images["test"][:, 0].float() / 255
    return F.interpolate(images, scale_factor=6.0, mode="bicubic").clamp(0, 1)[:, 0]


def milliseconds(data: bytes) -> float:
    times = []
    for _ in range(TIMES):
        start = time.process_time()
        convert(data, "it")
        times.append(time.process_time() - start)
    return 1000 * min(times)


def main() -> None:
    one_thread()
    print(heading("Reading uploaded pictures", circumstances("cpu", threads=1)))
    print(f"| file | ms per picture | {MOST_PICTURES} pictures |\n|---|---:|---:|")
    inks = drawings()
    for name, filed in KINDS.items():
        each = float(np.mean([milliseconds(filed(ink)) for ink in inks]))
        print(f"| {name} | {each:.1f} | {each * MOST_PICTURES / 1000:.1f} s |", flush=True)


if __name__ == "__main__":
    main()
