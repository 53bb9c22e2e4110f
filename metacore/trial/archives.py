"""A zip with a folder per class, read entry by entry without writing anything to the disk.

Each entry is either a file to be looked at or a sentence saying why it is not. Only as many bytes
are unpacked as a picture may have, whatever the zip says of itself.
"""

import io
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from metacore.trial.decoding import MOST_BYTES
from metacore.trial.picture import shown

MOST_ENTRIES = 1000
MOST_PACKED = 64 * 2**20
MOST_UNPACKED = 200 * 2**20
_JUNK = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")  # what file managers leave behind
_SEVERED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)


@dataclass(frozen=True)
class Member:
    """A file and the folder it lies in, which names its class."""

    group: str
    name: str
    data: bytes
    source: str = ""

    @property
    def where(self) -> str:
        """What a sentence calls it."""
        parts = [part for part in (self.source, self.group, self.name) if part]
        return "/".join(parts)


def is_archive(data: bytes) -> bool:
    return data[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")


def unpack(name: str, data: bytes) -> Iterator[Member | str]:
    """Every picture in the zip, or a sentence about what is not one."""
    if len(data) > MOST_PACKED:
        yield f"{shown(name)} is larger than {MOST_PACKED // 2**20} MB."
        return
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (*_SEVERED, NotImplementedError, LookupError):
        yield f"{shown(name)} is a damaged zip."
        return
    entries = [entry for entry in archive.infolist() if not _ignored(entry)]
    if len(entries) > MOST_ENTRIES:
        yield f"{shown(name)} has more than {MOST_ENTRIES} files."
        return
    if not entries:
        yield f"{shown(name)} has no pictures in it."
    yield from _members(archive, entries, name)


def _members(
    archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], name: str
) -> Iterator[Member | str]:
    room = MOST_UNPACKED
    for entry in entries:
        called = shown(f"{name}/{entry.filename}")
        why = _refusal(entry)
        content = b"" if why else _read(archive, entry)
        if content is None:
            why = "is damaged in the zip"
        elif len(content) > MOST_BYTES:
            why = f"is larger than {MOST_BYTES // 2**20} MB"
        elif is_archive(content):
            why = "is a zip within a zip"
        elif len(content) > room:
            why = f"is left out: a zip has at most {MOST_UNPACKED // 2**20} MB unpacked"
        if why or content is None:
            yield f"{called} {why}."
            continue
        room -= len(content)
        path = PurePosixPath(entry.filename)
        yield Member(path.parent.name, path.name, content, name)


def _ignored(entry: zipfile.ZipInfo) -> bool:
    return entry.filename.endswith("/") or any(
        part in _JUNK for part in PurePosixPath(entry.filename).parts
    )


def _refusal(entry: zipfile.ZipInfo) -> str:
    """Why an entry is not even opened; empty if it may be."""
    if not PurePosixPath(entry.filename).name:
        return "has no name"
    if _climbs(entry.filename) or _climbs(entry.orig_filename):
        return "climbs out of its folder"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link, not a picture"
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is packed in a way that is not read here"
    return ""


def _climbs(filename: str) -> bool:
    path = PurePosixPath(filename.replace("\\", "/"))
    drive = bool(re.fullmatch("[A-Za-z]:", (path.parts or ("",))[0]))
    return path.is_absolute() or ".." in path.parts or drive


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes | None:
    """At most one byte more than a picture may have; None if it cannot be read."""
    try:
        with archive.open(entry) as stream:
            return stream.read(MOST_BYTES + 1)
    except (*_SEVERED, NotImplementedError, LookupError):
        return None
