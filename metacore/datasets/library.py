"""The data on this computer: what is there, and how more of it gets there."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from metacore.datasets import DATASETS
from metacore.datasets.arriving import in_sentences
from metacore.datasets.base import Dataset, Progress
from metacore.errors import UserError


@dataclass(frozen=True)
class Holding:
    """What this computer has of one dataset."""

    name: str
    title: str
    ready: bool
    where: Path | None  # None for a dataset that has no files
    bytes: int
    how: str  # how to get it, or that there is nothing to get


def ready(name: str) -> bool:
    """Whether a dataset can be used now; unlike `status` it looks at no sizes."""
    return DATASETS[name].ready()


def status() -> list[Holding]:
    return [_holding(kind) for kind in DATASETS.values()]


def get(
    name: str,
    progress: Progress | None = None,
    *,
    classes: Sequence[str] = (),
    pictures: int = 0,
) -> Path:
    """Downloads a dataset, or some classes of it and so many pictures of each."""
    with in_sentences():
        if classes or pictures:
            return _named(name).get_some(classes, pictures, progress)
        return _named(name).get(progress)


def add(name: str, folder: Path) -> Path:
    """Takes a dataset from archives or pictures in a folder and says where it is now."""
    with in_sentences():
        return _named(name).add(folder)


def _named(name: str) -> type[Dataset]:
    if name not in DATASETS:
        raise UserError(f"There is no dataset {name!r}: choose one of {', '.join(DATASETS)}.")
    return DATASETS[name]


def _holding(kind: type[Dataset]) -> Holding:
    ready, where = kind.ready(), kind.folder()
    size = _size(where)
    known = where if size or not ready else None
    return Holding(kind.name, kind.title, ready, known, size, kind.how_to_get())


def _size(folder: Path) -> int:
    files = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    return sum(file.lstat().st_size for file in files)
