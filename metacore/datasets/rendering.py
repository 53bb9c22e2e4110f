"""Pictures for looking at: ink of any colour on nothing, photographs as they are."""

import io
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

Bytes = np.ndarray[Any, np.dtype[np.uint8]]


def rgba(pictures: Tensor, ink: str | None) -> Bytes:
    """Pictures [n, C, H, W], bytes or from 0 to 1, as [n, H, W, 4].

    With `ink`, a colour, their one channel is how much of it there is; else they are opaque.
    """
    plain = pictures.detach().cpu()
    if plain.is_floating_point():
        plain = (plain.clamp(0, 1) * 255).round()
    channels = plain.numpy().astype(np.uint8).transpose(0, 2, 3, 1)
    made = np.full((*channels.shape[:3], 4), 255, np.uint8)
    if ink is None:
        made[..., :3] = channels
    else:
        made[..., :3] = [int(ink[i : i + 2], 16) for i in (1, 3, 5)]
        made[..., 3] = channels[..., 0]
    return made


def webp(picture: Bytes) -> bytes:
    """One photograph [H, W, 4] as a file a tenth as large as a PNG."""
    data = io.BytesIO()
    Image.fromarray(picture[..., :3]).save(data, "WEBP", quality=88, method=2)
    return data.getvalue()


def png(picture: Bytes) -> bytes:
    """One picture [H, W, 4] as a file."""
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG", compress_level=6)
    return data.getvalue()
