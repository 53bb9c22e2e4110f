"""Zips that anybody may have made: their lists and contents are read, and no more than is allowed.

A zip's list of parts is read whole and before anything else: a forged one has a million.
"""

import io
import re
import stat
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import BinaryIO

DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, LookupError)
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # ways of packing that are read
PIECE = 2**18  # bytes unpacked at once


def leads_outside(entry: zipfile.ZipInfo) -> bool:
    """Whether it would be unpacked to somewhere else than the folder it is unpacked in."""
    return _climbs(entry.filename) or _climbs(entry.orig_filename)


def _climbs(filename: str) -> bool:
    path = PurePosixPath(filename.replace("\\", "/"))
    drive = bool(re.fullmatch("[A-Za-z]:", (path.parts or ("",))[0]))
    return path.is_absolute() or ".." in path.parts or drive


def is_link(entry: zipfile.ZipInfo) -> bool:
    return stat.S_ISLNK(entry.external_attr >> 16)


def content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """At most as many bytes as the list says, whatever is really packed there."""
    whole = bytearray()
    with archive.open(entry) as stream:
        while piece := stream.read(PIECE):
            whole += piece
    return bytes(whole)


class Sips(io.RawIOBase):
    """A file that is never read far at once: for `zipfile`, one with too long a list is no zip."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file, self._most = file, most

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._most + 1 if size < 0 else min(size, self._most + 1))
        if len(data) > self._most:
            raise zipfile.BadZipFile("too much at once")
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True
