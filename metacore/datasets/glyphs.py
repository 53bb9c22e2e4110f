"""Glyphs: invented characters, drawn here instead of downloaded.

Splits are different random streams of one alphabet, so no class is in two of them, and class
number n of a split is the same however many classes are asked for. The pictures take a second or
two to draw and are kept in a file named after what they depend on.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from metacore import home, settings
from metacore.datasets.alphabet import draw, invent
from metacore.datasets.base import SPLITS, ImageDataset, rotations
from metacore.datasets.picture_file import prune, read_pictures, write_pictures
from metacore.datasets.strokes import SIDE, paint
from metacore.errors import UserError
from metacore.randomness import generator
from metacore.settings import Config, setting

_VERSION = 1  # raise it when the same config draws other pictures
_BATCH = 50  # classes drawn at once
MOST_DRAWINGS = 150_000  # 118 MB of pictures, and four times as much once they are turned
MOST_KEPT = 500_000_000  # bytes of files


@dataclass(frozen=True, kw_only=True)
class GlyphsConfig(Config):
    train_classes: int = setting(
        1000, "How many invented characters to learn from.", low=20, high=20_000, step=100
    )
    test_classes: int = setting(
        200, "How many others validate, and how many test.", low=20, high=5000, step=20
    )
    drawings: int = setting(20, "How often each character is drawn.", low=2, high=100, step=1)
    rotations: bool = setting(
        True, "Make four classes of each character by turning it a quarter at a time."
    )
    alphabet: int = setting(0, "Another number, another alphabet.", low=0, high=10**6, step=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        classes = sum(_counts(self).values())
        if classes * self.drawings > MOST_DRAWINGS:
            raise UserError(
                f"{self.train_classes:,} train_classes and twice {self.test_classes:,}"
                f" test_classes with {self.drawings} drawings each are"
                f" {classes * self.drawings:,} drawings, and at most {MOST_DRAWINGS:,} are made:"
                f" choose fewer classes, or at most {MOST_DRAWINGS // classes} drawings."
            )


class Glyphs(ImageDataset):
    name = "glyphs"
    title = "Glyphs"
    summary = "Invented characters in many hands, drawn on this computer: nothing to download."
    Config = GlyphsConfig
    config: GlyphsConfig

    def __init__(self, config: GlyphsConfig, device: torch.device) -> None:
        super().__init__(config, device)
        pictures = _load(config)
        counts = _counts(config)
        self.images = {}
        for split, images in zip(SPLITS, pictures.split(list(counts.values())), strict=True):
            self.images[split] = (rotations(images) if config.rotations else images).to(device)

    @classmethod
    def at_hand(cls, config: settings.Config) -> bool:
        return isinstance(config, GlyphsConfig) and _path(config).exists()

    @classmethod
    def shape(cls, config: settings.Config) -> tuple[int, ...]:
        return (1, SIDE, SIDE)

    def class_names(self, split: str) -> list[str]:
        count = _counts(self.config)[split]
        names = [f"{split} glyph {number}" for number in range(count)]
        if not self.config.rotations:
            return names
        return [f"{name} rot{angle}" for angle in (0, 90, 180, 270) for name in names]


def draw_classes(config: GlyphsConfig, split: str, count: int) -> Tensor:
    """The first classes of a split: uint8 [count, drawings, 1, 28, 28]."""
    batches = [_draw_batch(config, split, batch) for batch in range(-(-count // _BATCH))]
    return torch.cat(batches)[:count]


def _draw_batch(config: GlyphsConfig, split: str, batch: int) -> Tensor:
    chance = generator(config.alphabet, f"glyphs {split}", batch)
    pictures = paint(draw(invent(_BATCH, chance), config.drawings, chance))
    return pictures.view(_BATCH, config.drawings, *pictures.shape[1:])


def _counts(config: GlyphsConfig) -> dict[str, int]:
    return {"train": config.train_classes, "val": config.test_classes, "test": config.test_classes}


def _load(config: GlyphsConfig) -> Tensor:
    """Every split's pictures, one after the other: uint8 [classes, drawings, 1, 28, 28]."""
    counts = _counts(config)
    shape = (sum(counts.values()), config.drawings, 1, SIDE, SIDE)
    path = _path(config)
    pictures = read_pictures(path, shape)
    if pictures is None:
        pictures = torch.cat([draw_classes(config, *split) for split in counts.items()])
        write_pictures(pictures, path)
        prune(path.parent, MOST_KEPT, but=path)
    return pictures


def _path(config: GlyphsConfig) -> Path:
    """Turning classes is quick, so with and without it share a file."""
    depends = {**config.to_dict(), "rotations": None, "version": _VERSION}
    digest = hashlib.sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]
    return home.data_folder() / "glyphs" / f"{digest}.safetensors"
