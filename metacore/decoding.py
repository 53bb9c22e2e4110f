"""From the bytes somebody sends to grey values or colours, or a sentence that names the file.

Size and number of frames are read from the header, before anything is unpacked: a picture that
would fill the memory never gets there.
"""

import io
import struct
import zlib
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from metacore.errors import UserError
from metacore.filenames import shown

T = TypeVar("T")

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_BYTES = 10 * 2**20
MOST_PIXELS = 30_000_000
LONGEST = 1024  # the longer side of what is looked at; finer detail than that is paper
NARROWEST = 8
_FINE_ENOUGH = 768  # a photograph is unpacked at the smallest fraction of its size beyond this
_ORIENTATION = 0x0112  # the EXIF tag
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_BROKEN = (  # what Pillow's decoders are known to raise on damaged files
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    LookupError,
    ArithmeticError,
    struct.error,
    zlib.error,
)


def grey(data: bytes, name: str) -> Tensor:
    """Brightness from 0 to 1, upright: float32 [H, W], the longer side at most 1024."""
    return _unpacked(data, shown(name), _brightness)


def colour(
    data: bytes, name: str, width: int, height: int, *, whole: bool = False, paper: str = "white"
) -> Tensor:
    """Red, green and blue, upright, on paper where it is see-through: uint8 [3, H, W].

    Its middle; or the whole of it, with paper beside it where its proportions are others.
    """

    def fitted(image: Image.Image) -> Tensor:
        turn = _turn(image)
        if image.format in ("JPEG", "MPO"):
            enough = 2 * max(width, height) / min(image.size)
            image.draft("RGB", (round(image.width * enough), round(image.height * enough)))
        flat = _coloured(image, paper)
        upright = flat if turn is None else flat.transpose(turn)
        if whole:
            sized = ImageOps.pad(upright, (width, height), color=paper)
        else:
            sized = ImageOps.fit(upright, (width, height))
        return torch.from_numpy(np.array(sized)).permute(2, 0, 1).contiguous()

    return _unpacked(data, shown(name), fitted)


def square(data: bytes, name: str, side: int) -> Image.Image:
    """The middle of a picture in red, green and blue, upright: at most so many pixels a side."""

    def cut(image: Image.Image) -> Image.Image:
        turn = _turn(image)
        if image.format in ("JPEG", "MPO"):
            enough = 2 * side / min(image.size)
            image.draft("RGB", (round(image.width * enough), round(image.height * enough)))
        least = min(image.size)
        left, top = ((whole - least) // 2 for whole in image.size)
        middle = _coloured(image.crop((left, top, left + least, top + least)))
        small = min(side, least)
        fitted = middle.resize((small, small), Image.Resampling.BICUBIC, reducing_gap=3.0)
        return fitted if turn is None else fitted.transpose(turn)

    return _unpacked(data, shown(name), cut)


def _coloured(image: Image.Image, paper: str = "white") -> Image.Image:
    """Red, green and blue; see-through pictures lie on paper."""
    if image.mode.startswith(("I", "F")):
        return _flat(image).convert("RGB")
    if "A" not in image.getbands() and "transparency" not in image.info:
        return image.convert("RGB")
    clear = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", clear.size, paper), clear).convert("RGB")


def header(data: bytes, name: str) -> tuple[str, tuple[int, int]]:
    """The format and the size of a picture, by its header."""
    image = _open(data, shown(name))
    return image.format or "", image.size


def _unpacked(data: bytes, name: str, read: Callable[[Image.Image], T]) -> T:
    if len(data) > MOST_BYTES:
        raise UserError(f"{name} is larger than {MOST_BYTES // 2**20} MB.")
    image = _open(data, name)
    try:
        return read(image)
    except _BROKEN:
        raise UserError(f"{name} is damaged or cut short.") from None


def pixels_of(data: bytes, name: str) -> int:
    """How many pixels a picture unpacks to, by its header; refuses what `grey` would."""
    _, (width, height) = header(data, name)
    return width * height


def _open(data: bytes, name: str) -> Image.Image:
    """The picture with nothing but its header read."""
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        frames = int(getattr(image, "n_frames", 1))
    except Image.DecompressionBombError:
        raise UserError(_too_large(name)) from None
    except _BROKEN:
        raise UserError(f"{name} is not a PNG, JPEG or WebP picture.") from None
    if frames > 1 and image.format != "MPO":  # telephones put a preview behind the photograph
        raise UserError(f"{name} is animated: send a still picture.")
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise UserError(_too_large(name))
    if min(width, height) * min(1.0, LONGEST / max(width, height)) < NARROWEST:
        raise UserError(f"{name} is too small or too narrow: {width} x {height} pixels.")
    return image


def _too_large(name: str) -> str:
    return f"{name} has more than {MOST_PIXELS // 10**6} million pixels."


def _brightness(image: Image.Image) -> Tensor:
    turn = _turn(image)
    if image.format in ("JPEG", "MPO"):
        enough = _FINE_ENOUGH / max(image.size)
        image.draft("L", (round(image.width * enough), round(image.height * enough)))
    flat = _flat(image)
    flat.thumbnail((LONGEST, LONGEST))
    if turn is not None:
        flat = flat.transpose(turn)
    return torch.from_numpy(np.array(flat)).float().div_(255)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How the camera was held; a picture whose note on that cannot be read stays as it is."""
    try:
        return _TURNS.get(image.getexif().get(_ORIENTATION, 1))
    except _BROKEN:
        return None


def _flat(image: Image.Image) -> Image.Image:
    """One byte of brightness per pixel."""
    if image.mode.startswith(("I", "F")):  # 16 bits and more
        values = np.asarray(image, dtype=np.float32)
        top = max(float(values.max()), 1.0)
        return Image.fromarray((values.clip(0) * (255 / top)).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        return _on_paper(image.convert("LA"))
    return image.convert("L")


def _on_paper(image: Image.Image) -> Image.Image:
    """See-through pictures lie on the paper their ink stands out from."""
    light, opacity = image.split()
    seen = np.asarray(light)[np.asarray(opacity) > 127]
    through = np.asarray(opacity).min() < 128
    paper = 0 if through and len(seen) and seen.mean() > 127 else 255
    return Image.composite(light, Image.new("L", image.size, paper), opacity)
