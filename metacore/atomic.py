"""Files that are written wholly or not at all, so that nobody ever reads half of one.

A file is written under a temporary name, synced and renamed: a process killed at any moment leaves
what was there before it.
"""

import contextlib
import errno
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from metacore.errors import UserError

REPLACE_TRIES = 20
NO_SPACE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file wholly or not at all."""
    with replacing(path) as part:
        write(part, data)


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A temporary name that takes the target's place if the block succeeds, else disappears."""
    part = target.with_name(f"{target.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        yield part
        replace(part, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise UserError(why_not_written(target, error)) from error
    finally:
        with contextlib.suppress(OSError):  # where nothing could be written, nothing is removed
            part.unlink(missing_ok=True)


def replace(part: Path, target: Path) -> None:
    """On Windows a file cannot be replaced at the moment someone reads it: try again."""
    for _ in range(REPLACE_TRIES - 1):
        with contextlib.suppress(PermissionError):
            os.replace(part, target)
            return
        time.sleep(0.05)
    os.replace(part, target)


def write(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Makes the renaming itself durable, where folders can be synced (not on Windows)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def make_folder(folder: Path, *, exist_ok: bool = True) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=exist_ok)
    except OSError as error:
        raise UserError(why_not_written(folder, error)) from error


def why_not_written(path: Path, error: OSError) -> str:
    if error.errno in NO_SPACE:
        return f"The disk is full: {path} could not be written. Free some space and try again."
    return f"{path} could not be written: {error.strerror or error}."
