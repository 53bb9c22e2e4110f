"""Datasets that somebody publishes as a few files with checksums: how they get here and are kept.

The files are downloaded, going on where a cut left off, or taken from a folder; only ones with the
published checksum are opened, and nothing in them is ever unpickled. Their pictures are kept in
one file, class by class, and the published files are then not needed any more. Which files, sums
and numbers of pictures those are is one value, `Published`: a test puts another in its place.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from metacore.datasets import resumable
from metacore.datasets.arriving import made
from metacore.datasets.base import Progress
from metacore.datasets.picture_file import read_pictures, write_pictures
from metacore.errors import UserError

_KEPT = "pictures.safetensors"
_DEEP = 3  # folders below the one that is named in which files are looked for
Paths = Mapping[str, Path]  # file name -> where it is
Labelled = tuple[Tensor, Tensor]  # pictures uint8 [n, C, H, W], their classes [n]


@dataclass(frozen=True)
class Published:
    """What is known of a dataset before it is here."""

    name: str
    title: str
    address: str  # of the folder its files are in
    sums: Mapping[str, str]  # file name -> MD5
    sizes: tuple[int, ...]  # pictures of each class
    shape: tuple[int, int, int]
    read: Callable[[Paths], Labelled]

    @property
    def again(self) -> str:
        files = " and ".join(self.sums)
        return f"If you have {files}, use `metacore data add {self.name} FOLDER`."


def is_there(folder: Path) -> bool:
    return (folder / _KEPT).is_file()


def load(published: Published, folder: Path) -> Tensor:
    """Every picture: uint8 [classes, most of one, C, H, W], the rows of smaller classes padded."""
    found = read_pictures(folder / _KEPT, _shape(published))
    if found is None:
        damaged = is_there(folder)
        state = f"{folder / _KEPT} is damaged" if damaged else "is not on this computer yet"
        said = state if damaged else f"{published.title} {state}"
        raise UserError(
            f"{said}. Download it with `metacore data get {published.name}`. {published.again}"
        )
    return found


def get(published: Published, folder: Path, progress: Progress | None) -> Path:
    """Downloads what is not here yet; what a try has brought is kept for the next."""
    arrived = made(folder / "arriving")
    for name, md5 in published.sums.items():
        path, address = arrived / name, published.address + name
        if not path.exists():
            resumable.fetch(address, path, what=name, again=published.again, progress=progress)
        if _md5(path) != md5:
            path.unlink()
            raise UserError(f"{address} is not what was published: try again. {published.again}")
    _keep(published, folder, {name: arrived / name for name in published.sums})
    for path in arrived.iterdir():
        path.unlink()
    arrived.rmdir()
    return folder


def add(published: Published, folder: Path, source: Path) -> Path:
    """Takes the published files from somewhere in a folder."""
    if not source.is_dir():
        raise UserError(f"{source} is not a folder: name the one that holds the files.")
    paths = {name: _looked_for(name, source) for name in published.sums}
    for name, path in paths.items():
        if _md5(path) != published.sums[name]:
            raise UserError(
                f"{path} is not the file that was published: its MD5 is {_md5(path)}, not"
                f" {published.sums[name]}."
            )
    _keep(published, made(folder), paths)
    return folder


def _looked_for(name: str, source: Path) -> Path:
    for depth in range(_DEEP):
        for path in sorted(source.glob("*/" * depth + name)):
            if path.is_file():
                return path
    raise UserError(f"{source} has no {name}, and neither has a folder in it.")


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _keep(published: Published, folder: Path, paths: Paths) -> None:
    pictures, labels = published.read(paths)
    sizes = labels.long().bincount(minlength=len(published.sizes)).tolist()
    if tuple(sizes) != published.sizes or pictures.shape[1:] != published.shape:
        raise UserError(f"{published.title} is not complete: it has {sum(sizes):,} pictures.")
    whole = torch.zeros(_shape(published), dtype=torch.uint8)
    for number, size in enumerate(sizes):
        whole[number, :size] = pictures[labels == number]
    if not write_pictures(whole, folder / _KEPT):
        raise UserError(f"{folder} cannot be written to, or its disk is full.")


def _shape(published: Published) -> tuple[int, ...]:
    return (len(published.sizes), max(published.sizes), *published.shape)
