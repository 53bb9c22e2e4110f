"""The data on this computer, pretrained weights among them: what is there, and how more of it gets
there."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from metacore.datasets import DATASETS
from metacore.datasets.arriving import in_sentences
from metacore.datasets.base import Dataset, Progress
from metacore.errors import UserError
from metacore.models import weights_arriving
from metacore.models.weights import WEIGHTS, Weights


@dataclass(frozen=True)
class Holding:
    """What this computer has of one dataset, or of one network's weights."""

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
    """Of all datasets, then of the weights of pretrained networks."""
    weights = [_weights(each) for each in WEIGHTS.values()]
    return [*(_holding(kind) for kind in DATASETS.values()), *weights]


def get(
    name: str,
    progress: Progress | None = None,
    *,
    classes: Sequence[str] = (),
    pictures: int = 0,
) -> Path:
    """Downloads a dataset, or some classes of it and so many pictures of each; or the weights of a
    network."""
    with in_sentences():
        if name in WEIGHTS:
            return weights_arriving.get(name, shown=progress is not None)
        if classes or pictures:
            return _named(name).get_some(classes, pictures, progress)
        return _named(name).get(progress)


def add(name: str, folder: Path, *, called: str = "") -> Path:
    """Takes a dataset from archives or pictures in a folder and says where it is now; `weights`
    from a file of them. `called` is its name, where a dataset keeps several."""
    with in_sentences():
        if name == "weights":
            return weights_arriving.add(folder)
        return _named(name).add_named(folder, called) if called else _named(name).add(folder)


def _named(name: str) -> type[Dataset]:
    if name not in DATASETS:
        raise UserError(
            f"There is no dataset {name!r}: choose one of {', '.join([*DATASETS, *WEIGHTS])}."
        )
    return DATASETS[name]


def _holding(kind: type[Dataset]) -> Holding:
    ready, where = kind.ready(), kind.folder()
    size = _size(where)
    known = where if size or not ready else None
    return Holding(kind.name, kind.title, ready, known, size, kind.how_to_get())


def _weights(each: Weights) -> Holding:
    """Those that come in a package are no file of ours."""
    kept = each.kept.is_file()
    size = each.kept.stat().st_size if kept else 0
    where = each.kept if kept or not each.ready() else None
    title = f"Weights of {each.title}"
    return Holding(each.name, title, each.ready(), where, size, each.how_to_get())


def _size(folder: Path) -> int:
    files = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    return sum(file.lstat().st_size for file in files)
