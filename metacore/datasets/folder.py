"""Your own pictures: a folder of this computer with a folder per class.

They are decoded once into a file of bytes that is mapped into memory (`packing`), so that a folder
may be larger than memory: only what an episode needs is read. Classes are told apart by their
names; where the folder does not say which train and which test, a seed and shares do, and a class
that is added later leaves most others where they were.
"""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from metacore import settings
from metacore.archives import Source
from metacore.datasets import own_folders
from metacore.datasets.augmentation import AugmentationConfig
from metacore.datasets.base import SPLITS, Progress
from metacore.datasets.packed_dataset import PackedDataset
from metacore.datasets.packing import FITS, KINDS, Form, PackedClass, is_packed, packed
from metacore.datasets.picture_folder import listed, stamp
from metacore.errors import UserError
from metacore.filenames import shown
from metacore.models.networks import Conv4, ModelConfig
from metacore.settings import Config, setting

NOT_NAMED = (
    "Name a folder of your own pictures in the setting path: it holds a folder per class, or train,"
    " val and test with such folders in them."
)


@dataclass(frozen=True, kw_only=True)
class PlaceConfig(Config):
    """Which folder; on a form it comes first."""

    path: str = setting(
        "",
        "The folder with your pictures, a folder per class in it; or the name of one that was"
        " added.",
        label="Folder",
        path=True,
    )
    size: int = setting(64, "Pixels along a picture, each way.", low=8, high=256, step=4)
    kind: str = setting(
        "colour",
        "What is kept of a picture: its colours; or one channel of ink (dark on light), or of chalk"
        " (light on dark).",
        choices=KINDS,
    )
    fit: str = setting(
        "crop", "Keep the middle of a picture, or pad all of it to a square.", choices=FITS
    )
    split: str = setting(
        "as found",
        "Which classes train and which test: as the folder says, where it has train, val and test"
        " or lists; else, or always, by shares.",
        choices=("as found", "shares"),
    )
    train_share: float = setting(
        0.6, "The share of the classes to learn from.", low=0, high=1, step=0.05
    )
    val_share: float = setting(
        0.2, "The share of the classes that validate; the rest tests.", low=0, high=1, step=0.05
    )
    split_seed: int = setting(
        0, "Another number, another division by shares.", low=0, high=10**6, step=1
    )


@dataclass(frozen=True, kw_only=True)
class FolderConfig(AugmentationConfig, PlaceConfig):
    def __post_init__(self) -> None:
        super().__post_init__()
        if self.train_share + self.val_share > 1 + 1e-9:
            raise UserError(
                f"train_share and val_share are {self.train_share + self.val_share:g} together, and"
                " at most 1: what is left of it tests."
            )


class Folder(PackedDataset):
    name = "folder"
    title = "Your own pictures"
    summary = "A folder of this computer with a folder of pictures per class."
    keeps_several = True
    Config = FolderConfig
    usual_model: ClassVar[ModelConfig] = Conv4(width=32)

    config: FolderConfig

    def __init__(self, config: FolderConfig, device: torch.device) -> None:
        if not config.path:
            raise UserError(NOT_NAMED)
        found = packed(listed(own_folders.place(config.path)), _form(config))
        super().__init__(config, device, found, divided(found.classes, config))

    @classmethod
    def shape(cls, config: settings.Config) -> tuple[int, ...]:
        assert isinstance(config, FolderConfig)
        return _form(config).shape

    @classmethod
    def called(cls, config: settings.Config) -> str:
        assert isinstance(config, FolderConfig)
        return f"{cls.title}: {shown(Path(config.path).name)}" if config.path else cls.title

    @classmethod
    def variants(cls) -> list[settings.Config]:
        """All of each that was added, where it does not say itself what tests."""
        names = own_folders.names()
        return [FolderConfig(path=name, train_share=0.0, val_share=0.0) for name in names]

    @classmethod
    def kept_names(cls) -> list[str]:
        return own_folders.names()

    @classmethod
    def upload(cls, source: Source, called: str) -> tuple[str, list[str]]:
        return own_folders.upload(source, called or own_folders.free_name(Path(source.name).stem))

    @classmethod
    def knows(cls, word: str) -> bool:
        return own_folders.is_kept(word)

    @classmethod
    def there(cls) -> str:
        return own_folders.there()

    @classmethod
    def stamp(cls, config: settings.Config) -> Hashable:
        assert isinstance(config, FolderConfig)
        return stamp(own_folders.place(config.path)) if config.path else ()

    @classmethod
    def at_hand(cls, config: settings.Config) -> bool:
        """A folder that cannot be used is refused in a moment, too."""
        assert isinstance(config, FolderConfig)
        try:
            place = own_folders.place(config.path)
        except UserError:
            return True
        return not config.path or is_packed(place, _form(config))

    # Those that were added

    @classmethod
    def ready(cls) -> bool:
        return bool(own_folders.names())

    @classmethod
    def folder(cls) -> Path:
        return own_folders.kept()

    @classmethod
    def how_to_get(cls) -> str:
        known = own_folders.names()
        how = "name any folder as --path, or metacore data add folder FOLDER [--name NAME]"
        return f"{how}; added: {', '.join(known)}" if known else how

    @classmethod
    def get(cls, progress: Progress | None = None) -> Path:
        raise UserError(
            "Your own pictures are on your computer already: name their folder as --path, or copy"
            " it to Metacore with metacore data add folder FOLDER."
        )

    @classmethod
    def add(cls, folder: Path) -> Path:
        return cls.add_named(folder, own_folders.free_name(folder.absolute().name))

    @classmethod
    def add_named(cls, folder: Path, called: str) -> Path:
        own_folders.refuse_bad_name(called)
        return own_folders.add(folder, called)


def _form(config: FolderConfig) -> Form:
    return Form(config.size, config.kind, config.fit)


def divided(
    classes: Sequence[PackedClass], config: FolderConfig
) -> dict[str, dict[str, list[PackedClass]]]:
    """The classes of each split by name; one may lie in several pieces."""
    by_part: dict[str, dict[str, list[PackedClass]]] = {}
    for each in classes:
        by_part.setdefault(each.part, {}).setdefault(each.name, []).append(each)
    if config.split == "as found" and "" not in by_part:
        _refuse_shared(by_part)
        return {split: by_part.get(split, {}) for split in SPLITS}
    together: dict[str, list[PackedClass]] = {}
    for each in classes:
        together.setdefault(each.name, []).append(each)
    names = sorted(together, key=lambda name: _chance(config.split_seed, name))
    first = round(config.train_share * len(names))
    second = round((config.train_share + config.val_share) * len(names))
    ends = {"train": (0, first), "val": (first, second), "test": (second, len(names))}
    return {
        split: {name: together[name] for name in sorted(names[start:end])}
        for split, (start, end) in ends.items()
    }


def _refuse_shared(by_part: dict[str, dict[str, list[PackedClass]]]) -> None:
    for first, second in (("train", "val"), ("train", "test"), ("val", "test")):
        both = sorted(by_part.get(first, {}).keys() & by_part.get(second, {}).keys())
        if both:
            raise UserError(
                f"{len(both)} classes lie in {first} and in {second}, such as {both[0]}: few-shot"
                " learning is tested on classes it has never seen. Choose split shares, which puts"
                " the pictures of a class together."
            )


def _chance(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed}/{name}".encode(errors="replace"), digest_size=8).digest()
