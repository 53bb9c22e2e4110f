"""Pictures kept in a file so that they need not be made again.

A kept file is a convenience: one that is missing, damaged or of another shape is made again, and
a disk that is full or read-only only means that nothing is kept. A digest tells whether the bytes
are those that were written: a picture with a hole in it would only make numbers a little wrong.
"""

import contextlib
import hashlib
import os
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, uint8

from metacore.atomic import replacing
from metacore.errors import UserError


def read_pictures(path: Path, shape: tuple[int, ...]) -> Tensor | None:
    """The pictures in a file, or None where they have to be made."""
    try:
        with safe_open(path, "pt") as file:
            pictures = file.get_tensor("pictures")
            digest = (file.metadata() or {}).get("digest")
    except (OSError, SafetensorError, UnicodeDecodeError):
        return None
    if pictures.shape != shape or pictures.dtype != uint8 or digest != _digest(pictures):
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # what is used stays longest
    return pictures


def prune(folder: Path, most: int, *, but: Path) -> None:
    """Removes the files that were used least lately beyond so many bytes, but never this one."""
    with contextlib.suppress(OSError):
        found = [(file.stat(), file) for file in folder.glob("*.safetensors") if file != but]
        room = most - (but.stat().st_size if but.exists() else 0)
        for facts, file in sorted(found, key=lambda one: -one[0].st_mtime):
            room -= facts.st_size
            if room < 0:
                file.unlink(missing_ok=True)


def write_pictures(pictures: Tensor, path: Path) -> bool:
    """Writes pictures to a file in one step, and says whether the disk took them."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            save_file({"pictures": pictures.contiguous()}, part, {"digest": _digest(pictures)})
    except (OSError, SafetensorError, UserError):
        return False
    return True


def _digest(pictures: Tensor) -> str:
    """About 25 ms for the usual 25 MB, once per process that loads them."""
    return hashlib.sha256(pictures.contiguous().numpy().data).hexdigest()
