"""Files in the IDX format of MNIST: a header of big-endian numbers, then bytes."""

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from metacore.errors import UserError

_BYTES = 8  # the format's code for them
_LARGEST = 200_000_000  # bytes of pictures; MNIST's have 47 million


def read_idx(path: Path, dimensions: int) -> Tensor:
    """What a compressed file of bytes holds: uint8 with so many dimensions."""
    try:
        with gzip.open(path) as file:
            zeros, kind, found = struct.unpack(">HBB", file.read(4))
            shape = struct.unpack(f">{found}I", file.read(4 * found))
            if (zeros, kind, found) != (0, _BYTES, dimensions) or math.prod(shape) > _LARGEST:
                raise UserError(f"{path} holds no bytes with {dimensions} dimensions.")
            content = file.read(math.prod(shape) + 1)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise UserError(f"{path} cannot be unpacked ({error}).") from error
    if len(content) != math.prod(shape):
        raise UserError(f"{path} does not hold the {shape[0]:,} entries it promises.")
    return torch.from_numpy(np.frombuffer(content, np.uint8).reshape(shape).copy())
