"""How data get onto this computer: downloaded whole, put in place in one step.

What arrives is gathered in a temporary folder, checked there, and moved into place only when
complete.
"""

import errno
import hashlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from metacore import home
from metacore.datasets.base import Progress
from metacore.errors import UserError

_BLOCK = 1 << 16


@contextmanager
def in_sentences() -> Iterator[None]:
    """Turns what a disk refuses into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"The disk that holds {home.data_folder()} is full: free some space, or set"
                " METACORE_HOME to a folder on another disk."
            ) from error
        raise UserError(f"{error.filename or home.data_folder()}: {error.strerror}.") from error


def made(folder: Path) -> Path:
    """The folder, which is there now."""
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def download(address: str, path: Path, md5: str, again: str, progress: Progress | None) -> None:
    """`again` is a sentence: what to do where the address cannot be reached."""
    try:
        with urllib.request.urlopen(address, timeout=30) as answer, path.open("wb") as file:
            length = answer.headers.get("Content-Length")
            total = int(length) if length else None
            digest = _copy(answer.read, file.write, path.stem, total, progress)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        raise UserError(f"{address} cannot be reached ({reason}). {again}") from error
    if digest != md5:
        raise UserError(f"{address} did not arrive whole: try again.")


def _copy(
    read: Callable[[int], bytes],
    write: Callable[[bytes], object],
    what: str,
    total: int | None,
    progress: Progress | None,
) -> str:
    """Copies to the end, tells how far it is, and returns the checksum."""
    digest, done = hashlib.md5(usedforsecurity=False), 0
    while block := read(_BLOCK):
        write(block)
        digest.update(block)
        done += len(block)
        if progress is not None:
            progress(what, done, total)
    return digest.hexdigest()


def put_in_place(target: Path, fresh: Path, aside: Path) -> None:
    """Moves a folder into place; if that fails, what was there before stays."""
    if target.exists():
        target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise
