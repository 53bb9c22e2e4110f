"""Quick, Draw!'s official bitmaps: a file per class of which only the beginning is fetched.

A file holds all drawings of its class, about 120,000, as numpy wrote them: a header and 784 bytes
for each. Any beginning of it is as good as the whole, so a kept file is such a beginning, the
header still telling how many there are in all. It is read through a memory map: of a file, no
more than the drawings a task asks for. No checksums are published for these files; what can be
checked is the header and that the drawings it promises have arrived.
"""

import shutil
import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from metacore import home
from metacore.datasets import resumable
from metacore.datasets.arriving import made
from metacore.datasets.base import Progress
from metacore.datasets.strokes import SIDE
from metacore.errors import UserError

ADDRESS = "https://storage.googleapis.com/quickdraw_dataset/full/numpy_bitmap"
USUAL = 1000  # drawings kept of a class
_BYTES = SIDE * SIDE  # of a drawing
_HEADER = 128  # bytes that every header fits into
_PREFIX = "full_numpy_bitmap_"  # what some collections put before the name
_AGAIN = "If you have the .npy files, use `metacore data add quickdraw FOLDER`."


def folder() -> Path:
    return home.data_folder() / "quickdraw"


def path_of(name: str) -> Path:
    return folder() / f"{name}.npy"


@dataclass(frozen=True)
class Beginning:
    """What is known of a class's file without reading a drawing."""

    path: Path
    offset: int  # of the first drawing
    here: int  # whole drawings in this file
    total: int  # in the file it is the beginning of

    @classmethod
    def of(cls, path: Path) -> Self:
        try:
            with path.open("rb") as file:
                major, _ = np.lib.format.read_magic(file)
                read = np.lib.format
                header = read.read_array_header_1_0 if major == 1 else read.read_array_header_2_0
                shape, fortran, kind = header(file)
                offset = file.tell()
        except (OSError, ValueError) as error:
            raise UserError(f"{path} is no file of Quick, Draw! bitmaps ({error}).") from error
        if len(shape) != 2 or shape[1] != _BYTES or fortran or kind != np.uint8:
            raise UserError(
                f"{path} is no file of Quick, Draw! bitmaps: it holds {kind} of shape {shape}, not"
                f" bytes in rows of {_BYTES}."
            )
        here = min(shape[0], (path.stat().st_size - offset) // _BYTES)
        return cls(path, offset, here, shape[0])

    def drawings(self, most: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Mapped, not read: [n, 1, 28, 28]."""
        count = min(self.here, most or self.here)
        if not count:
            return np.zeros((0, 1, SIDE, SIDE), np.uint8)
        return np.memmap(self.path, np.uint8, "r", self.offset, (count, 1, SIDE, SIDE))


def get(names: Sequence[str], keep: int, progress: Progress | None) -> Path:
    """Downloads so many drawings of each of these classes, but not those that are here."""
    made(folder())
    for name in names:
        if not _enough(path_of(name), keep):
            _get_one(name, keep, progress)
    return folder()


def _get_one(name: str, keep: int, progress: Progress | None) -> None:
    target = path_of(name)
    part = target.with_name(f"{target.name}.part")
    if target.exists() and not part.exists():
        shutil.copyfile(target, part)  # more of a class that is here goes on from what is here
    address = f"{ADDRESS}/{urllib.parse.quote(name)}.npy"
    resumable.fetch(
        address, target, what=name, first=_HEADER + keep * _BYTES, again=_AGAIN, progress=progress
    )
    try:
        if not _enough(target, keep):
            raise UserError(f"{address} ends before the drawings it promises: try again later.")
    except UserError:
        target.unlink()
        raise


def _enough(path: Path, keep: int) -> bool:
    if not path.exists():
        return False
    found = Beginning.of(path)
    return found.here >= min(keep, found.total)


def add(source: Path, known: Sequence[str]) -> Path:
    """Takes the files of a folder that are named after classes."""
    if not source.is_dir():
        raise UserError(f"{source} is not a folder: name the one that holds files such as cat.npy.")
    files = {path.stem.removeprefix(_PREFIX): path for path in sorted(source.glob("*.npy"))}
    taken = {name: path for name, path in files.items() if name in known}
    if not taken:
        raise UserError(f"{source} has no file named after a class, such as cat.npy.")
    for path in taken.values():
        found = Beginning.of(path)
        if not found.here:
            raise UserError(f"{path} has no drawings in it.")
    made(folder())
    for name, path in taken.items():
        part = path_of(name).with_suffix(".adding")
        shutil.copyfile(path, part)
        part.replace(path_of(name))
    return folder()
