"""Pictures of a folder, decoded once into one file of bytes that is mapped into memory.

A packed folder may be larger than memory: what an episode needs is read, and nothing else stays.
The file's name says what it was made of, so that a folder that has changed is packed anew. It is
written under another name and renamed; of two processes that want the same, one packs and the
other waits.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metacore import home, pictures
from metacore.atomic import write_whole
from metacore.datasets.arriving import in_sentences, made
from metacore.datasets.base import Progress
from metacore.datasets.picture_folder import File, Listing, stamp
from metacore.decoding import MOST_BYTES, colour
from metacore.errors import UserError
from metacore.filenames import shown

KINDS = ("colour", "ink", "chalk")
FITS = ("crop", "pad")
AT_ONCE = 64  # pictures decoded before they are written
MOST_THREADS = 8
MOST_KEPT = 20 * 10**9  # bytes of packed folders; what was used least lately goes first
MOST_SENTENCES = 50  # about pictures that are left out
ABANDONED = 120.0  # seconds after which a process that packs has died
_PICTURES, _CLASSES = "pictures.u8", "classes.json"


@dataclass(frozen=True)
class Form:
    """What every picture is made into."""

    size: int
    kind: str  # colour; or one channel: ink is dark on light, chalk light on dark
    fit: str  # crop or pad

    @property
    def shape(self) -> tuple[int, int, int]:
        return (pictures.COLOUR if self.kind == "colour" else pictures.INK, self.size, self.size)

    def __str__(self) -> str:
        return f"{self.size}-{self.kind}-{self.fit}"


@dataclass(frozen=True)
class PackedClass:
    part: str  # train, val, test, or "" where the folder does not say
    name: str
    first: int  # row of its first picture
    count: int


@dataclass(frozen=True)
class Packed:
    rows: np.ndarray[Any, np.dtype[np.uint8]]  # [pictures, C * H * W], mapped
    shape: tuple[int, int, int]
    classes: tuple[PackedClass, ...]
    left_out: tuple[str, ...]

    def read(self, rows: Tensor) -> Tensor:
        """These pictures: uint8 [..., C, H, W]."""
        taken = torch.from_numpy(self.rows[rows.flatten().numpy()])
        return taken.view(*rows.shape, *self.shape)


def packed_folder() -> Path:
    return home.data_folder() / "packed"


def packed(listing: Listing, form: Form, progress: Progress | None = None) -> Packed:
    """The packed file of a folder as it is now; made if it is not there."""
    with in_sentences():
        where = made(packed_folder()) / f"{listing.digest}-{form}"
        while (found := opened(where, form)) is None:
            with _turn(where) as mine:
                if mine and opened(where, form) is None:
                    pack(listing, form, where, progress)
        _note_down(listing, form, where)
        _prune(where)
    return found


def _note_down(listing: Listing, form: Form, where: Path) -> None:
    """Where the packed file of a folder is; one of what it was before is not needed any more."""
    note, seen = _note(listing.asked, form), {"where": where.name, "stamp": list(listing.stamp)}
    try:
        before = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = None
    if before == seen:
        return
    write_whole(note, json.dumps(seen).encode())
    old = before.get("where") if isinstance(before, dict) else None
    if isinstance(old, str) and old != where.name and re.fullmatch(r"[\w-]+", old):
        shutil.rmtree(packed_folder() / old, ignore_errors=True)


def is_packed(folder: Path, form: Form) -> bool:
    """Whether this was packed and, as far as a moment's look tells, has not changed since."""
    try:
        noted = json.loads(_note(folder, form).read_text(encoding="utf-8"))
        there = (packed_folder() / str(noted["where"]) / _CLASSES).exists()
        return bool(there and noted["stamp"] == list(stamp(folder)))
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _note(folder: Path, form: Form) -> Path:
    name = hashlib.blake2b(os.fsencode(folder), digest_size=12).hexdigest()
    return packed_folder() / f"{name}-{form}.json"


def opened(where: Path, form: Form) -> Packed | None:
    """The packed file in this folder; None where there is none, or it is not whole."""
    try:
        found = json.loads((where / _CLASSES).read_text(encoding="utf-8"))
        classes = tuple(PackedClass(**each) for each in found["classes"])
        left_out = tuple(map(str, found["left_out"]))
        count = sum(each.count for each in classes)
        width = int(np.prod(form.shape))
        if not count or os.path.getsize(where / _PICTURES) != count * width:
            return None
        rows = np.memmap(where / _PICTURES, np.uint8, "r", shape=(count, width))
        os.utime(where)  # what is used stays longest
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
    return Packed(np.asarray(rows), form.shape, classes, left_out)


# --- packing -------------------------------------------------------------------------------------


def pack(listing: Listing, form: Form, where: Path, progress: Progress | None = None) -> None:
    """Makes a packed file, in one step."""
    _refuse_too_large(listing, form, where)
    scratch = where.with_name(f".{where.name}.{os.getpid()}-{threading.get_ident()}")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        classes, left_out = _written(listing, form, scratch / _PICTURES, _told(where, progress))
        if not classes:
            raise UserError(
                f"No picture in {shown(str(listing.folder))} could be read: {left_out[0]}"
            )
        found = {"classes": [asdict(each) for each in classes], "left_out": left_out}
        (scratch / _CLASSES).write_text(json.dumps(found), encoding="utf-8")
        shutil.rmtree(where, ignore_errors=True)  # one that is not whole
        scratch.rename(where)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _refuse_too_large(listing: Listing, form: Form, where: Path) -> None:
    needed = listing.pictures * int(np.prod(form.shape))
    free = shutil.disk_usage(where.parent).free
    if needed > free:
        raise UserError(
            f"{listing.pictures:,} pictures of {form.size} x {form.size} need"
            f" {needed / 1e9:.1f} GB in {where.parent}, and {free / 1e9:.1f} GB are free there:"
            " make room, choose smaller pictures, or set METACORE_HOME to a folder on another disk."
        )


def _told(where: Path, progress: Progress | None) -> Callable[[int, int], None]:
    """Hears how many pictures are done; whoever waits sees that somebody is at work."""

    def told(done: int, total: int) -> None:
        with contextlib.suppress(OSError):
            os.utime(_lock(where))
        if progress is not None:
            progress("packing pictures", done, total)

    return told


def _written(
    listing: Listing, form: Form, path: Path, told: Callable[[int, int], None]
) -> tuple[list[PackedClass], list[str]]:
    """Class by class, in pieces, so that few pictures are in memory at once."""
    classes: list[PackedClass] = []
    problems, done, written = _Problems([*listing.left_out]), 0, 0
    with (
        open(path, "wb") as file,
        ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as threads,
    ):
        for each in listing.classes:
            first = written
            for start in range(0, len(each.files), AT_ONCE):
                piece = each.files[start : start + AT_ONCE]
                for found in threads.map(lambda one: _decoded(one, form), piece):
                    if isinstance(found, str):
                        problems.add(found)
                    else:
                        file.write(found.numpy().data)
                        written += 1
                done += len(piece)
                told(done, listing.pictures)
            if written > first:
                classes.append(PackedClass(each.part, each.name, first, written - first))
            else:
                problems.add(f"The class {shown(each.name)} has no picture that can be read.")
        file.flush()
        os.fsync(file.fileno())
    return classes, problems.sentences


class _Problems:
    """Sentences about what is left out: the first few, then a count."""

    def __init__(self, sentences: list[str]) -> None:
        self._first, self._more = sentences[:MOST_SENTENCES], len(sentences[MOST_SENTENCES:])

    def add(self, sentence: str) -> None:
        if len(self._first) < MOST_SENTENCES:
            self._first.append(sentence)
        else:
            self._more += 1

    @property
    def sentences(self) -> list[str]:
        more = [f"And {self._more:,} more are left out."] if self._more else []
        return [*self._first, *more]


def _decoded(file: File, form: Form) -> Tensor | str:
    """A picture [C, H, W], or why it is left out."""
    name = "/".join(Path(file.path).parts[-2:])
    try:
        with open(file.path, "rb") as stream:
            data = stream.read(MOST_BYTES + 1)
        paper = "black" if form.kind == "chalk" else "white"
        side = form.size
        found = colour(data, name, side, side, whole=form.fit == "pad", paper=paper)
    except UserError as error:
        return str(error)
    except OSError as error:
        return f"{shown(name)} cannot be read: {error.strerror}."
    except MemoryError:
        return f"{shown(name)} needs more memory than there is."
    if form.kind == "colour":
        return found
    ink = pictures.recoloured(found, pictures.INK).contiguous()
    return 255 - ink if form.kind == "chalk" else ink


# --- one at a time, and not too many -------------------------------------------------------------


def _lock(where: Path) -> Path:
    return where.with_name(f"{where.name}.lock")


@contextlib.contextmanager
def _turn(where: Path) -> Iterator[bool]:
    """Whether this process is the one that packs; else it has waited for a moment."""
    lock = _lock(where)
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        with contextlib.suppress(OSError):
            if time.time() - lock.stat().st_mtime > ABANDONED:
                lock.unlink()
        time.sleep(0.1)
        yield False
        return
    try:
        yield True
    finally:
        lock.unlink(missing_ok=True)


def _prune(but: Path) -> None:
    """Removes what was used least lately beyond so many bytes, and what the dead have left."""
    with contextlib.suppress(OSError):
        room = MOST_KEPT
        places = [place for place in packed_folder().iterdir() if place.is_dir()]
        for used, place in sorted(((_used(each), each) for each in places), reverse=True):
            half_made = place.name.startswith(".")
            room -= 0 if half_made else (place / _PICTURES).stat().st_size
            stale = time.time() - used > 3600 if half_made else room < 0 and place != but
            if stale:
                shutil.rmtree(place, ignore_errors=True)


def _used(place: Path) -> float:
    return place.stat().st_mtime
