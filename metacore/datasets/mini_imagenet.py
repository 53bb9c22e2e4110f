"""miniImageNet: 100 classes of ImageNet with 600 pictures of each, at 84 x 84 pixels.

Which classes train, validate and test is Ravi and Larochelle's list (64 / 16 / 20). ImageNet's
terms let nobody pass its pictures on, so they are taken from a folder: with the three lists
train.csv, val.csv and test.csv beside `images`, or with a folder per class, named after its WordNet
id (ImageNet's own training folder will do: of each class the first 600 are taken, which are not
those of the lists).
"""

import json
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import ClassVar

import torch

from metacore import home, settings
from metacore.datasets.arriving import made
from metacore.datasets.augmentation import AugmentationConfig
from metacore.datasets.base import SPLITS, Progress
from metacore.datasets.packed_dataset import PackedDataset
from metacore.datasets.packing import Form, opened, pack
from metacore.datasets.picture_folder import IMAGES, Listing, listed
from metacore.errors import UserError
from metacore.models.networks import Conv4, Conv4Pool, ModelConfig

FORM = Form(size=84, kind="colour", fit="crop")
PICTURES = 600  # of each class
FILES = "pictures84"
HOW = (
    "ImageNet's terms do not let its pictures be passed on: ask image-net.org for them, then"
    " metacore data add mini-imagenet FOLDER, with images and Ravi and Larochelle's train.csv,"
    " val.csv and test.csv in it, or a folder per WordNet id"
)


@dataclass(frozen=True, kw_only=True)
class MiniImagenetConfig(AugmentationConfig):
    pass


class MiniImagenet(PackedDataset):
    name = "mini-imagenet"
    title = "miniImageNet"
    summary = "Photographs of 100 kinds of things, 84 x 84 (Vinyals et al. 2016)."
    Config = MiniImagenetConfig
    usual_model: ClassVar[ModelConfig] = Conv4Pool(width=32)
    quick_model: ClassVar[ModelConfig | None] = Conv4(width=32)

    def __init__(self, config: MiniImagenetConfig, device: torch.device) -> None:
        found = opened(_files(), FORM)
        if found is None:
            raise UserError(f"miniImageNet is not on this computer yet. {HOW}.")
        there = {each.name: each for each in found.classes}
        lost = [wnid for split in classes().values() for wnid in split if wnid not in there]
        if lost:
            raise UserError(
                f"No picture of {', '.join(lost[:5])} could be read when miniImageNet was added:"
                " add it again from a whole copy."
            )
        divided = {
            split: {title: [there[wnid]] for wnid, title in classes().get(split, {}).items()}
            for split in SPLITS
        }
        super().__init__(config, device, found, divided)

    @classmethod
    def shape(cls, config: settings.Config) -> tuple[int, ...]:
        return FORM.shape

    @classmethod
    def ready(cls) -> bool:
        return (_files() / "classes.json").is_file()

    @classmethod
    def how_to_get(cls) -> str:
        return HOW

    @classmethod
    def get(cls, progress: Progress | None = None) -> Path:
        raise UserError(f"{HOW}.")

    @classmethod
    def add(cls, folder: Path) -> Path:
        """Packs the pictures at 84 x 84: the folder is not needed afterwards."""
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder.")
        pack(_complete(folder), FORM, made(cls.folder()) / FILES)
        return cls.folder()


@cache
def classes() -> dict[str, dict[str, str]]:
    """Split -> WordNet id -> what it is."""
    place = resources.files("metacore.datasets").joinpath("mini_imagenet_classes.json")
    found: dict[str, dict[str, str]] = json.loads(place.read_text("utf-8"))
    return found


def _files() -> Path:
    return home.data_folder() / MiniImagenet.name / FILES


def _complete(folder: Path) -> Listing:
    """Its classes, from the first layout in which all are there."""
    wanted = {wnid for split in classes().values() for wnid in split}
    missing = wanted
    for place in (folder, folder / IMAGES):
        if place.is_dir() and (found := _chosen(place, wanted)) is not None:
            absent = wanted - {each.name for each in found.classes}
            if not absent:
                return found
            missing = min(missing, absent, key=len)
    some = ", ".join(sorted(missing)[:3])
    raise UserError(
        f"{folder} is not miniImageNet: {len(missing)} of its {len(wanted)} classes are missing"
        f" ({some} …). It holds images, train.csv, val.csv and test.csv, or a folder per WordNet"
        " id."
    )


def _chosen(place: Path, wanted: set[str]) -> Listing | None:
    """What is there of these classes, no more of each than there should be."""
    try:
        found = listed(place)
    except UserError:
        return None
    found.classes = [
        replace(each, files=each.files[:PICTURES]) for each in found.classes if each.name in wanted
    ]
    return found
