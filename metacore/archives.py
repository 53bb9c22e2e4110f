"""What lies in an uploaded file: a picture, or a zip with a folder per class.

A zip is read entry by entry without writing anything to the disk, and listing one unpacks nothing.
Only as many bytes are unpacked as a picture may have, whatever the zip says of itself.
"""

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO

from metacore.decoding import MOST_BYTES
from metacore.errors import UserError
from metacore.filenames import shown
from metacore.zips import DAMAGED, PLAIN, Sips, content, is_link, leads_outside

LOOSE = ""  # the class of pictures that lie in no folder
MOST_ENTRIES = 1000
MOST_PACKED = 64 * 2**20
MOST_UNPACKED = 200 * 2**20
LONGEST_LIST = 2**20  # bytes of the names and places of a zip's entries
_JUNK = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")  # what file managers leave behind
_SEVERED = (*DAMAGED, OSError)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


@dataclass(frozen=True)
class Source:
    """An uploaded file, by its name; `open` may be called again and again."""

    name: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True)
class Limits:
    """How much of a zip is read."""

    entries: int
    packed: int  # bytes
    unpacked: int  # bytes, all pictures together
    longest_list: int  # bytes of the names and places of its entries


@dataclass(frozen=True)
class Entry:
    """A file that may be a picture, and the folder it lies in, which names its class."""

    group: str
    name: str
    source: str  # the zip
    read: Callable[[], bytes] = field(repr=False)  # raises UserError
    folders: tuple[str, ...] = ()  # all that it lies in, the outermost first

    @property
    def where(self) -> str:
        """What a sentence calls it."""
        return "/".join(part for part in (self.source, self.group, self.name) if part)


def listed(source: Source, limits: Limits | None = None) -> Iterator[Entry | str]:
    """Every file that came with it, or a sentence about what is not looked at."""
    limits = limits or Limits(MOST_ENTRIES, MOST_PACKED, MOST_UNPACKED, LONGEST_LIST)
    try:
        with source.open() as file:
            zipped = file.read(4) in _ZIP
    except OSError as error:
        yield f"{shown(source.name)} cannot be read: {error.strerror}."
        return
    if zipped:
        yield from _unpacked(source, limits)
    else:
        yield Entry(LOOSE, source.name, "", partial(_whole, source))


def _whole(source: Source) -> bytes:
    """No more of it than is needed to see that it is too large."""
    try:
        with source.open() as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{shown(source.name)} cannot be read: {error.strerror}.") from None


def _unpacked(source: Source, limits: Limits) -> Iterator[Entry | str]:
    name, file = source.name, source.open()
    if file.seek(0, io.SEEK_END) > limits.packed:
        yield f"{shown(name)} is larger than {limits.packed // 2**20} MB."
        return
    try:
        archive = zipfile.ZipFile(Sips(file, limits.longest_list))
    except _SEVERED:
        yield f"{shown(name)} is a damaged zip."
        return
    entries = [entry for entry in archive.infolist() if not _ignored(entry)]
    if len(entries) > limits.entries:
        yield f"{shown(name)} has more than {limits.entries} files."
        return
    if not entries:
        yield f"{shown(name)} has no pictures in it."
    yield from _entries(archive, entries, name, limits.unpacked)


def _entries(
    archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], name: str, room: int
) -> Iterator[Entry | str]:
    most = room // 2**20
    for entry in entries:
        called = shown(f"{name}/{entry.filename}")
        why = _refusal(entry)
        if not why and entry.file_size > room:
            why = f"is left out: a zip has at most {most} MB unpacked"
        if why:
            yield f"{called} {why}."
            continue
        room -= entry.file_size  # of which no byte more is read
        path = PurePosixPath(entry.filename)
        read = partial(_content, archive, entry, called)
        yield Entry(path.parent.name, path.name, name, read, path.parent.parts)


def _ignored(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.endswith("/") or any(
        part in _JUNK for part in PurePosixPath(entry.filename).parts
    )


def _refusal(entry: zipfile.ZipInfo) -> str:
    """Why an entry is not even opened; empty if it may be."""
    if not PurePosixPath(entry.filename).name:
        return "has no name"
    if leads_outside(entry):
        return "climbs out of its folder"
    if is_link(entry):
        return "is a link, not a picture"
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.compress_type not in PLAIN:
        return "is packed in a way that is not read here"
    if entry.file_size > MOST_BYTES:
        return f"is larger than {MOST_BYTES // 2**20} MB"
    return ""


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, called: str) -> bytes:
    try:
        whole = content(archive, entry)
    except _SEVERED:
        raise UserError(f"{called} is damaged in the zip.") from None
    if whole[:4] in _ZIP:
        raise UserError(f"{called} is a zip within a zip.")
    return whole
