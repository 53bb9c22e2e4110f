"""Whatever is uploaded, a picture or a sentence that names the file comes out."""

import io
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from metacore.errors import UserError
from metacore.trial.photographs import convert
from tests.trial.hands import file, scan
from tests.trial.reading import read_zip
from tests.trial.test_photographs import ink
from tests.trial.test_uploads import names, packed

GOOD = file(scan(ink()))
MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
}
PATTERNS = ("empty", "full", "pixel", "dots", "noise", "checks", "half", "ramp", "lines", "frame")
SIZES = st.sampled_from([1, 2, 7, 8, 9, 31, 64, 129, 257, 300])


def pattern(
    name: str, height: int, width: int, step: int
) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """Brightness [height, width] in 0..255."""
    y, x = np.mgrid[:height, :width]
    found = {
        "empty": np.zeros((height, width)),
        "full": np.ones((height, width)),
        "pixel": (y == height // 2) & (x == width // 3),
        "dots": (y % step == 0) & (x % step == 0),
        "noise": np.random.default_rng(step).random((height, width)),
        "checks": (y // step + x // step) % 2,
        "half": x < width // 2,
        "ramp": x / width,
        "lines": y % (2 * step) < step,
        "frame": (y == 0) | (x == 0) | (y == height - 1) | (x == width - 1),
    }[name]
    return (np.asarray(found, float) * 255).astype(np.uint8)


@st.composite
def images(draw: st.DrawFn) -> bytes:
    kind = draw(st.sampled_from([*MODES]))
    mode = draw(st.sampled_from(MODES[kind]))
    shape = draw(SIZES), draw(SIZES)
    step = draw(st.integers(1, 9))
    values = pattern(draw(st.sampled_from(PATTERNS)), *shape, step)
    if draw(st.booleans()):
        values = 255 - values
    if mode == "I;16":
        image = Image.fromarray(values.astype(np.uint16) * draw(st.sampled_from([0, 1, 257])))
    else:
        image = Image.fromarray(values).convert(mode)
        if "A" in mode:
            image.putalpha(Image.fromarray(pattern(draw(st.sampled_from(PATTERNS)), *shape, step)))
    options = {"transparency": 0} if mode == "P" and draw(st.booleans()) else {}
    return file(image, kind, **options)


def read(data: bytes, name: str) -> Tensor | str:
    try:
        return convert(data, name)
    except UserError as refusal:
        return str(refusal)


@given(images())
@settings(max_examples=150)
def test_any_image_becomes_a_picture_or_a_sentence(data: bytes) -> None:
    found = read(data, "it.png")
    if isinstance(found, str):
        assert found.startswith("it.png")
    else:
        assert found.shape == (1, 28, 28)
        assert found.dtype == torch.uint8
        assert int(found.max()) > 100, "a picture shows something"


@pytest.mark.parametrize("step", [3, 4, 8])
def test_a_grid_of_isolated_dots(step: int) -> None:
    found = read(file(Image.fromarray(255 - pattern("dots", 1024, 1024, step))), "dots.png")
    assert "dots.png shows no drawing" in found if isinstance(found, str) else found.any()


def test_a_strip_of_one_pixel_is_named() -> None:
    with pytest.raises(UserError, match=r"strip\.png is too small or too narrow: 4096 x 1 pixels"):
        convert(file(Image.new("L", (4096, 1))), "strip.png")


parts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


@given(st.lists(parts, min_size=1, max_size=4).map("/".join))
@settings(max_examples=150)
def test_any_name_in_a_zip(name: str) -> None:
    found = read_zip("a.zip", packed({name: GOOD}))
    assert found.count + len(found.refused) == 1
    assert all(sentence.startswith("a.zip") for sentence in found.refused)
    assert all(sentence.isprintable() for sentence in found.refused)


@pytest.mark.parametrize("name", ["\0hidden.png", "a/\0", "\0", ".", "a/.."])
def test_a_file_without_a_name_in_a_zip(name: str) -> None:
    """A name ends at its first NUL, so these are named by hand: `zipfile` would not write them."""
    plain = "x" * len(name.encode())
    data = packed({plain: GOOD}).replace(plain.encode(), name.encode())
    found = read_zip("a.zip", data)
    assert found.count == 0
    assert len(found.refused) == 1
    assert found.refused[0].startswith("a.zip")


@pytest.mark.parametrize("name", ["Greek: alpha", "10:30", "::", "a:b:c"])
def test_class_names_may_have_colons(name: str) -> None:
    assert names(read_zip("a.zip", packed({f"{name}/1.png": GOOD}))) == {name: ["1.png"]}


def test_a_zip_that_names_the_same_file_twice_has_it_twice() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("a/1.png", GOOD)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a/1.png", GOOD)
    assert names(read_zip("a.zip", data.getvalue())) == {"a": ["1.png", "1.png"]}
