"""A file that is never read far at once.

A zip's list of parts is read whole and before anything else: a forged one has a million.
"""

import io
import zipfile
from typing import BinaryIO


class Sips(io.RawIOBase):
    """For `zipfile.ZipFile`, which then says that a file is no zip where its list is too long."""

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
