"""MNIST's digits and Fashion-MNIST's clothes: ten classes of ink, 28 x 28.

Ten classes are too few to learn to learn from. Usually they are a test for what was learned
elsewhere: all ten are in the test split then, and the others are empty. Split 6/2/2 in the order
of their labels they can be trained on, in tasks of two ways.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch

from metacore import settings
from metacore.datasets import published_files
from metacore.datasets.augmentation import AugmentationConfig, AugmentedDataset
from metacore.datasets.base import SPLITS, Progress, Sizes
from metacore.datasets.idx_files import read_idx
from metacore.datasets.published_files import Labelled, Paths, Published
from metacore.datasets.strokes import SIDE
from metacore.errors import UserError
from metacore.settings import setting

_PARTS = ("train", "t10k")
_SHARES = {  # which classes train, validate and test: first and after the last
    "whole": ((0, 0), (0, 0), (0, 10)),
    "6/2/2": ((0, 6), (6, 8), (8, 10)),
}


def _read(paths: Paths) -> Labelled:
    pictures = [read_idx(paths[f"{part}-images-idx3-ubyte.gz"], 3) for part in _PARTS]
    labels = [read_idx(paths[f"{part}-labels-idx1-ubyte.gz"], 1) for part in _PARTS]
    if any(each.shape[1:] != (SIDE, SIDE) for each in pictures):
        raise UserError(f"The pictures are not of {SIDE} x {SIDE} pixels.")
    if [len(each) for each in pictures] != [len(each) for each in labels]:
        raise UserError("There are not as many labels as pictures.")
    return torch.cat(pictures)[:, None], torch.cat(labels)


def _sums(*sums: str) -> dict[str, str]:
    """Torchvision's, of the pictures and the labels of both parts."""
    kinds = ("images-idx3", "labels-idx1")
    names = [f"{part}-{kind}-ubyte.gz" for part in _PARTS for kind in kinds]
    return dict(zip(names, sums, strict=True))


@dataclass(frozen=True, kw_only=True)
class MnistConfig(AugmentationConfig):
    split: str = setting(
        "whole",
        "Which classes are for what: all ten test what was learned elsewhere, or six train, two"
        " validate and two test.",
        choices=tuple(_SHARES),
    )


class Mnist(AugmentedDataset):
    name = "mnist"
    title = "MNIST"
    summary = "Handwritten digits, to test on what was learned elsewhere (LeCun et al. 1998)."
    item = "digit"
    named = True
    names: ClassVar[str] = "zero, one, two, three, four, five, six, seven, eight, nine"
    published: ClassVar[Published] = Published(
        name="mnist",
        title="MNIST",
        address="https://ossci-datasets.s3.amazonaws.com/mnist/",
        sums=_sums(
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            "d53e105ee54ea40749a09fcbcd1e9432",
            "9fb629c4189551a2d022fa330f9573f3",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
        sizes=(6903, 7877, 6990, 7141, 6824, 6313, 6876, 7293, 6825, 6958),
        shape=(1, SIDE, SIDE),
        read=_read,
    )
    Config = MnistConfig
    config: MnistConfig

    def __init__(self, config: MnistConfig, device: torch.device) -> None:
        super().__init__(config, device)
        pictures = published_files.load(self.published, self.folder())
        sizes, names = torch.tensor(self.published.sizes), self.names.split(", ")
        self.images, self.sizes, self._names = {}, {}, {}
        for split, (first, last) in zip(SPLITS, _SHARES[config.split], strict=True):
            self.images[split] = pictures[first:last].to(device)
            self.sizes[split] = sizes[first:last]
            self._names[split] = names[first:last]

    def check(self, split: str, *, ways: int, shots: int, queries: int) -> Sizes:
        if self.config.split == "whole" and split in ("train", "val"):
            raise UserError(
                f"All ten classes of {self.title} are for the test: train on another dataset and"
                f" test here (metacore evaluate RUN --dataset {self.name}), or choose the split"
                " 6/2/2 and tasks of 2 ways."
            )
        return super().check(split, ways=ways, shots=shots, queries=queries)

    def class_names(self, split: str) -> list[str]:
        return list(self._names[split])

    @classmethod
    def shape(cls, config: settings.Config) -> tuple[int, ...]:
        return cls.published.shape

    @classmethod
    def ready(cls) -> bool:
        return published_files.is_there(cls.folder())

    @classmethod
    def how_to_get(cls) -> str:
        return f"metacore data get {cls.name}, or metacore data add {cls.name} FOLDER"

    @classmethod
    def get(cls, progress: Progress | None = None) -> Path:
        return published_files.get(cls.published, cls.folder(), progress)

    @classmethod
    def add(cls, folder: Path) -> Path:
        return published_files.add(cls.published, cls.folder(), folder)


@dataclass(frozen=True, kw_only=True)
class FashionConfig(MnistConfig):
    pass


class Fashion(Mnist):
    name = "fashion"
    title = "Fashion-MNIST"
    summary = "Clothes and shoes in grey, to test on what was learned elsewhere (Xiao et al. 2017)."
    item = "picture"
    names: ClassVar[str] = (
        "T-shirt, trousers, pullover, dress, coat, sandal, shirt, sneaker, bag, ankle boot"
    )
    published: ClassVar[Published] = Published(
        name="fashion",
        title="Fashion-MNIST",
        address="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        sums=_sums(
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            "25c81989df183df01b3e8a0aad5dffbe",
            "bef4ecab320f06d8554ea6380940ec79",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
        sizes=(7000,) * 10,
        shape=(1, SIDE, SIDE),
        read=_read,
    )
    Config = FashionConfig
