"""Pictures kept in a file so that they need not be made again.

A kept file is a convenience: one that is missing, damaged or of another shape is made again, and
a disk that is full or read-only only means that nothing is kept.
"""

import contextlib
import os
import tempfile
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, uint8


def kept(path: Path, shape: tuple[int, ...]) -> Tensor | None:
    """The pictures in a file, or None where they have to be made."""
    try:
        pictures = load_file(path).get("pictures")
    except (OSError, SafetensorError):
        return None
    if pictures is None or pictures.shape != shape or pictures.dtype != uint8:
        return None
    return pictures


def keep(pictures: Tensor, path: Path) -> bool:
    """Writes pictures to a file in one step, and says whether the disk took them."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=path.parent)
    except OSError:
        return False
    os.close(number)
    try:
        save_file({"pictures": pictures.contiguous()}, name)
        os.replace(name, path)
    except (OSError, SafetensorError):
        with contextlib.suppress(OSError):
            os.unlink(name)
        return False
    return True
