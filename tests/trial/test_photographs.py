"""Files of all kinds become what the network sees, or a sentence that names the file."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from metacore import decoding
from metacore.errors import UserError
from metacore.trial.drawn import picture
from metacore.trial.photographs import convert
from metacore.trial.thinning import thin
from tests.trial.hands import file, photograph, scan

LETTER = [[(20.0, 80.0), (50.0, 20.0), (80.0, 80.0)], [(35.0, 55.0), (65.0, 55.0)]]


def ink(width: int = 5, side: int = 105) -> Tensor:
    """The letter A."""
    canvas = Image.new("L", (side, side))
    for stroke in LETTER:
        points = [(x * side / 105, y * side / 105) for x, y in stroke]
        draw = ImageDraw.Draw(canvas)
        draw.line(points, fill=255, width=width)
        for x, y in points:  # pens are round
            draw.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=255)
    return torch.from_numpy(np.array(canvas)).float() / 255


def alike(one: Tensor, other: Tensor) -> float:
    """Correlation of two pictures."""
    a, b = (t.float().flatten() - t.float().mean() for t in (one, other))
    return float(a @ b / (a.norm() * b.norm()))


DRAWN = picture([tuple(tuple(stroke) for stroke in LETTER)])[0]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("dark", [True, False], ids=["dark ink", "light ink"])
@pytest.mark.parametrize("width", [2, 5, 12], ids=["ballpoint", "pen", "marker"])
def test_a_file_shows_what_the_strokes_do(kind: str, dark: bool, width: int) -> None:
    seen = convert(file(scan(ink(width), dark=dark), kind), "a")
    assert seen.shape == (1, 28, 28)
    assert seen.dtype == torch.uint8
    assert alike(seen, DRAWN) > 0.9


@pytest.mark.parametrize("number", range(5))
def test_a_photograph_in_bad_light(number: int) -> None:
    page = photograph(ink(), np.random.default_rng(number))
    assert alike(convert(file(page, "JPEG", quality=80), "a.jpg"), DRAWN) > 0.85


def test_a_large_photograph_of_a_small_drawing() -> None:
    page = Image.new("L", (3000, 4000), 210)
    page.paste(scan(ink(), side=600).point(lambda v: min(v, 210)), (1800, 2500))
    assert alike(convert(file(page, "JPEG"), "a.jpg"), DRAWN) > 0.9


def test_dirt_is_left_out() -> None:
    page = torch.zeros(400, 400)
    page[100:310, 100:310] = ink(side=210, width=10)
    page[20:22, 380:382] = 1
    assert alike(convert(file(scan(page)), "a.png"), DRAWN) > 0.9


def test_the_camera_was_held_sideways() -> None:
    turned = scan(ink()).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert alike(convert(file(turned, "JPEG", exif=exif), "a.jpg"), DRAWN) > 0.9


def test_see_through_paper() -> None:
    for colour in (0, 255):
        alpha = Image.fromarray((ink() * 255).byte().numpy())
        light = Image.new("L", alpha.size, colour)
        image = Image.merge("LA", (light, alpha))
        assert alike(convert(file(image), "a.png"), DRAWN) > 0.9


@pytest.mark.parametrize("mode", ["1", "P", "RGB", "RGBA", "I;16", "LA"])
def test_every_kind_of_pixel(mode: str) -> None:
    page = scan(ink())
    if mode == "I;16":
        image = Image.fromarray(np.asarray(page).astype(np.uint16) * 200)
    else:
        image = page.convert(mode)
    assert alike(convert(file(image), "a.png"), DRAWN) > 0.9


def test_cmyk() -> None:
    assert alike(convert(file(scan(ink()).convert("CMYK"), "JPEG"), "a.jpg"), DRAWN) > 0.9


def test_a_filled_shape_stays_filled() -> None:
    disc = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(disc).ellipse((60, 60, 140, 140), fill=0)
    seen = convert(file(disc), "disc.png")
    assert int(seen[0, 14, 14]) == 255
    assert int((seen > 127).sum()) > 200


def animated(kind: str) -> bytes:
    frames = [scan(ink()), scan(ink(9))]
    return file(frames[0], kind, save_all=True, append_images=frames[1:])


def bomb() -> bytes:
    """A PNG of 50,000 x 50,000 white pixels in a few bytes, by its header."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        packed = kind + data
        return struct.pack(">I", len(data)) + packed + struct.pack(">I", zlib.crc32(packed))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(b"\0" * 100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b"")


def noise() -> bytes:
    values = np.random.default_rng(0).normal(230, 4, (300, 300)).clip(0, 255)
    return file(Image.fromarray(values.astype(np.uint8)))


def shaded() -> bytes:
    y, x = np.mgrid[0:300, 0:300] / 300
    return file(Image.fromarray((120 + 100 * x - 40 * y).astype(np.uint8)), "JPEG")


REFUSED = {
    "text.png": (b"Dear reader, this is no picture.", "is not a PNG, JPEG or WebP picture."),
    "nothing.png": (b"", "is not a PNG, JPEG or WebP picture."),
    "drawing.gif": (file(scan(ink()), "GIF"), "is not a PNG, JPEG or WebP picture."),
    "drawing.bmp": (file(scan(ink()), "BMP"), "is not a PNG, JPEG or WebP picture."),
    "cut.png": (file(scan(ink(), side=300))[:-400], "is damaged or cut short."),
    "cut.jpg": (file(scan(ink(), side=300), "JPEG")[:-2000], "is damaged or cut short."),
    "cut.webp": (file(scan(ink(), side=300), "WEBP")[:-900], "."),
    "head.png": (file(scan(ink()))[:20], "is not a PNG, JPEG or WebP picture."),
    "moving.png": (animated("PNG"), "is animated: send a still picture."),
    "moving.webp": (animated("WEBP"), "is animated: send a still picture."),
    "bomb.png": (bomb(), "has more than 30 million pixels."),
    "line.png": (file(Image.new("L", (2000, 3))), "is too small or too narrow: 2000 x 3 pixels."),
    "ribbon.png": (file(Image.new("L", (9000, 10))), "is too small or too narrow"),
    "white.png": (file(Image.new("L", (99, 99), 255)), "shows no drawing"),
    "black.png": (file(Image.new("L", (99, 99), 0)), "shows no drawing"),
    "grain.png": (noise(), "shows no drawing"),
    "shade.jpg": (shaded(), "shows no drawing"),
    "huge.png": (b"x" * (decoding.MOST_BYTES + 1), "is larger than 10 MB."),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_by_name(name: str) -> None:
    data, sentence = REFUSED[name]
    with pytest.raises(UserError) as refused:
        convert(data, name)
    assert str(refused.value).startswith(name)
    assert sentence in str(refused.value)


def test_a_name_cannot_break_the_sentence() -> None:
    with pytest.raises(UserError) as refused:
        convert(b"", "a\nb\x1b[31m" + "c" * 500 + ".png")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 120


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_damaged_files_never_raise_anything_else(kind: str) -> None:
    whole, chance = file(scan(ink(), side=60), kind), np.random.default_rng(0)
    for _ in range(150):
        broken = bytearray(whole)
        for place in chance.integers(0, len(broken), chance.integers(1, 8)):
            broken[place] = int(chance.integers(256))
        try:
            seen = convert(bytes(broken[: chance.integers(1, len(broken) + 1)]), "a")
        except UserError:
            continue
        assert seen.shape == (1, 28, 28)


def test_a_photographs_size_costs_little_memory() -> None:
    """A photograph of 24 million pixels is unpacked at a fraction of its size."""
    opened = Image.open(io.BytesIO(file(Image.new("L", (6000, 4000), 200), "JPEG")))
    decoding._brightness(opened)
    assert max(opened.size) <= 3 * decoding.LONGEST


def test_thinning_keeps_every_dot() -> None:
    for side in range(1, 8):
        for other in range(1, 8):
            dot = torch.zeros(12, 12, dtype=torch.bool)
            dot[2 : 2 + side, 2 : 2 + other] = True
            assert thin(dot).any(), (side, other)
            assert not (thin(dot) & ~dot).any()
