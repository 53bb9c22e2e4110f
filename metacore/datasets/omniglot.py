"""Omniglot: 1,623 handwritten characters of 50 alphabets, each drawn once by 20 people."""

from dataclasses import dataclass
from pathlib import Path

import torch

from metacore import settings
from metacore.datasets import omniglot_files
from metacore.datasets.base import SPLITS, ImageDataset, Progress, rotations
from metacore.datasets.omniglot_pictures import characters, everything, is_there, load
from metacore.datasets.omniglot_pictures import folder as pictures_folder
from metacore.datasets.strokes import SIDE
from metacore.settings import Config, setting


@dataclass(frozen=True, kw_only=True)
class OmniglotConfig(Config):
    split: str = setting(
        "vinyals",
        "Which characters train and which test: the list most papers use, or the authors' own,"
        " in which no alphabet is on both sides.",
        choices=("vinyals", "authors"),
    )
    rotations: bool = setting(
        True, "Make four classes of each character by turning it a quarter at a time."
    )


class Omniglot(ImageDataset):
    name = "omniglot"
    title = "Omniglot"
    summary = "Handwritten characters of 50 alphabets, 20 drawings of each (Lake et al. 2015)."
    Config = OmniglotConfig
    config: OmniglotConfig

    def __init__(self, config: OmniglotConfig, device: torch.device) -> None:
        super().__init__(config, device)
        pictures = load(self.folder())
        number = {name.partition("/")[2]: row for row, name in enumerate(everything())}
        self._names = {split: characters(config.split, split) for split in SPLITS}
        self.images = {}
        for split, names in self._names.items():
            images = pictures[torch.tensor([number[name] for name in names])]
            self.images[split] = (rotations(images) if config.rotations else images).to(device)

    @classmethod
    def folder(cls) -> Path:
        return pictures_folder()

    @classmethod
    def ready(cls) -> bool:
        """As far as one can see: somebody else's home may be closed."""
        return is_there(cls.folder())

    @classmethod
    def how_to_get(cls) -> str:
        return "metacore data get omniglot, or metacore data add omniglot FOLDER"

    @classmethod
    def get(cls, progress: Progress | None = None) -> Path:
        return omniglot_files.get(progress)

    @classmethod
    def add(cls, folder: Path) -> Path:
        return omniglot_files.add(folder)

    @classmethod
    def shape(cls, config: settings.Config) -> tuple[int, ...]:
        return (1, SIDE, SIDE)

    def class_names(self, split: str) -> list[str]:
        names = self._names[split]
        if not self.config.rotations:
            return list(names)
        return [f"{name} rot{angle}" for angle in (0, 90, 180, 270) for name in names]

    def short_names(self, split: str) -> list[str]:
        """Without the alphabet."""
        return [name.rpartition("/")[2] for name in self.class_names(split)]
