"""CIFAR-FS: CIFAR-100's 60,000 small photographs, split as Bertinetto et al. 2019 did.

64 of its 100 classes train, 16 validate and 20 test, with 600 photographs of each. The lists are
Bertinetto's. The photographs are read from CIFAR-100's binary version, whose records are two bytes
of labels and 3072 of colours: the version usually taken is pickled, and nothing is unpickled here.
Augmentation is off unless asked for: what it is worth here was not measured.
"""

import json
import tarfile
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch

from metacore import settings
from metacore.datasets import published_files
from metacore.datasets.augmentation import AugmentationConfig, AugmentedDataset
from metacore.datasets.base import SPLITS, Progress
from metacore.datasets.published_files import Labelled, Paths, Published
from metacore.errors import UserError
from metacore.models.networks import Conv4Pool, ModelConfig
from metacore.zips import DAMAGED

SIDE = 32
_ARCHIVE = "cifar-100-binary.tar.gz"
_MEMBERS = ("cifar-100-binary/train.bin", "cifar-100-binary/test.bin")
_RECORD = 2 + 3 * SIDE * SIDE  # bytes: a coarse label, a fine one, a picture
_LARGEST = 50_000 * _RECORD  # bytes of a member


@cache
def split_lists() -> dict[str, list[str]]:
    text = resources.files("metacore.datasets").joinpath("cifar_fs_splits.json").read_text("utf-8")
    lists: dict[str, list[str]] = json.loads(text)
    return lists


def everything() -> list[str]:
    """All classes in the order of CIFAR-100's fine labels, which is that of the alphabet."""
    return sorted(name for names in split_lists().values() for name in names)


def _read(paths: Paths) -> Labelled:
    path, parts = paths[_ARCHIVE], []
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                if member.name in _MEMBERS and member.isreg():
                    parts.append(_records(path, archive, member))
    except (*DAMAGED, tarfile.TarError) as error:
        raise UserError(f"{path} cannot be unpacked ({error}).") from error
    if len(parts) != len(_MEMBERS):
        raise UserError(f"{path} does not hold {' and '.join(_MEMBERS)}.")
    records = torch.from_numpy(np.concatenate(parts))
    return records[:, 2:].reshape(-1, 3, SIDE, SIDE), records[:, 1]


def _records(path: Path, archive: tarfile.TarFile, member: tarfile.TarInfo) -> np.ndarray:
    """Read in place: nothing of the archive is written to the disk."""
    content = archive.extractfile(member)
    if content is None or member.size % _RECORD or member.size > _LARGEST:
        raise UserError(f"{path} is not CIFAR-100: {member.name} has {member.size:,} bytes.")
    return np.frombuffer(content.read(), np.uint8).reshape(-1, _RECORD)


@dataclass(frozen=True, kw_only=True)
class CifarFsConfig(AugmentationConfig):
    pass


class CifarFs(AugmentedDataset):
    name = "cifar-fs"
    title = "CIFAR-FS"
    summary = "Small photographs of 100 kinds of things (CIFAR-100, Krizhevsky 2009)."
    item = "photograph"
    named = True
    usual_model: ClassVar[ModelConfig] = Conv4Pool()
    published: ClassVar[Published] = Published(
        name="cifar-fs",
        title="CIFAR-FS",
        address="https://www.cs.toronto.edu/~kriz/",
        sums={_ARCHIVE: "03b5dce01913d631647c71ecec9e9cb8"},
        sizes=(600,) * 100,
        shape=(3, SIDE, SIDE),
        read=_read,
    )
    Config = CifarFsConfig

    def __init__(self, config: CifarFsConfig, device: torch.device) -> None:
        super().__init__(config, device)
        pictures = published_files.load(self.published, self.folder())
        number = {name: row for row, name in enumerate(everything())}
        self.images = {
            split: pictures[[number[name] for name in split_lists()[split]]].to(device)
            for split in SPLITS
        }

    def class_names(self, split: str) -> list[str]:
        return [name.replace("_", " ") for name in split_lists()[split]]

    @classmethod
    def shape(cls, config: settings.Config) -> tuple[int, ...]:
        return (3, SIDE, SIDE)

    @classmethod
    def ready(cls) -> bool:
        return published_files.is_there(cls.folder())

    @classmethod
    def how_to_get(cls) -> str:
        return "metacore data get cifar-fs, or metacore data add cifar-fs FOLDER"

    @classmethod
    def get(cls, progress: Progress | None = None) -> Path:
        return published_files.get(cls.published, cls.folder(), progress)

    @classmethod
    def add(cls, folder: Path) -> Path:
        return published_files.add(cls.published, cls.folder(), folder)
