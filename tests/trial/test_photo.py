"""Photographs as trials keep them, and how they are told from drawings."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from metacore.errors import UserError
from metacore.pictures import converted
from metacore.trial import photo
from metacore.trial.document import from_json, to_json
from metacore.trial.guess import looks_drawn
from metacore.trial.photo import Photo
from metacore.trial.photographs import seen
from metacore.trial.picture import Picture
from metacore.trial.task import Trial, pixels
from tests.trial.hands import file, photograph, scan
from tests.trial.test_photographs import ink


def scene(width: int = 640, height: int = 480, seed: int = 0) -> Image.Image:
    """Colours that run into each other, with something round on them, as cameras see it."""
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / max(width, height)
    colours = chance.uniform(40, 200, (4, 3))
    picture = colours[0] + x[..., None] * colours[1] * 0.5 + y[..., None] * colours[2] * 0.3
    round_ = np.hypot(x - x.max() / 2, y - y.max() / 2) < 0.25
    picture[round_] = colours[3]
    noisy = picture + chance.normal(0, 8, picture.shape)
    return Image.fromarray(noisy.clip(0, 255).astype(np.uint8))


def test_the_middle_is_kept_upright_and_small() -> None:
    found = Photo.of(file(scene(1200, 900), "JPEG"), "a.jpg")
    assert found.tensor.shape == (3, photo.SIDE, photo.SIDE)
    assert len(found.file) < photo.LARGEST
    middle = scene(1200, 900).crop((150, 0, 1050, 900)).resize((photo.SIDE, photo.SIDE))
    far = (found.tensor.permute(1, 2, 0).numpy() - np.array(middle).astype(float)).__abs__().mean()
    assert far < 6


def test_the_camera_was_held_sideways() -> None:
    data, turned = io.BytesIO(), Image.Exif()
    turned[0x0112] = 6
    half = Image.new("RGB", (200, 200), "red")
    half.paste("blue", (0, 0, 200, 100))  # above, as the camera saw it
    half.save(data, "JPEG", exif=turned, quality=95)
    red, _, blue = Photo.of(data.getvalue(), "a.jpg").tensor.float()
    assert blue[:, 150:].mean() > 200 > 100 > red[:, 150:].mean()


def test_see_through_pictures_lie_on_white() -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (16, 16, 48, 48))
    found = Photo.of(file(clear), "a.png").tensor
    assert found[:, 0, 0].tolist() == [255, 255, 255]
    assert found[:, 32, 32].tolist() == [255, 0, 0]


def test_small_pictures_keep_every_pixel() -> None:
    pixels_ = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    found = Photo.of(file(Image.fromarray(pixels_)), "a.png")
    assert np.array_equal(found.tensor.permute(1, 2, 0).numpy(), pixels_)


def test_what_is_no_picture_is_a_sentence() -> None:
    with pytest.raises(UserError, match="is not a PNG, JPEG or WebP picture"):
        Photo.of(b"no picture", "a.png")


def test_a_saved_trial_has_the_same_photographs() -> None:
    one, two = (Photo.of(file(scene(seed=n), "JPEG"), f"{n}.jpg") for n in (1, 2))
    trial = Trial(classes=("a", "b"), support=((one,), (two,)), query=(one,))
    again = from_json(to_json(trial))
    assert again == trial
    assert again.photographs
    assert torch.equal(pixels(again.query), one.tensor[None])


@pytest.mark.parametrize(
    "forged",
    [
        file(scene(64, 64), "PNG"),
        file(scene(64, 32), "WEBP"),
        file(scene(512, 512), "WEBP"),
        b"RIFF and nothing else",
    ],
)
def test_a_trial_from_a_stranger_has_photographs_as_they_are_kept(forged: bytes) -> None:
    with pytest.raises(UserError, match="is not a"):
        Photo.kept("a", forged)


def test_every_network_sees_them_in_its_own_size() -> None:
    data = file(scene(), "JPEG")
    one = Photo.of(data, "a.jpg")
    for shape in ((3, 32, 32), (3, 84, 84), (3, 128, 128), (1, 28, 28)):
        found = pixels((one, one), shape)
        assert found.shape == (2, *shape)
        assert torch.equal(found[0], converted(one.tensor, shape))
    assert torch.equal(pixels((one,), (3, 32, 32))[0], seen(data, "a", (3, 32, 32)))


def test_drawings_and_photographs_can_be_shown_to_one_network() -> None:
    drawn = Picture.of("b", torch.zeros(1, 28, 28, dtype=torch.uint8))
    both = pixels((drawn, Photo.of(file(scene()), "a")), (3, 32, 32))
    assert both[0].unique().tolist() == [255], "ink that is not there is white paper"


def test_drawings_on_paper_are_told_from_photographs() -> None:
    chance = np.random.default_rng(0)
    drawn = [scan(ink(width=width)) for width in (2, 5)]
    drawn += [photograph(ink(width=width), chance) for width in (3, 6)]
    warm = np.asarray(photograph(ink(), chance).convert("RGB")) * np.array([1, 0.85, 0.65])
    drawn.append(Image.fromarray(warm.astype(np.uint8)))
    assert all(looks_drawn(file(image), "a.png") for image in drawn)
    flat = Image.new("RGB", (300, 300), "white")
    flat.paste("tomato", (80, 80, 220, 220))  # a thing on an even ground
    assert not any(looks_drawn(file(scene(seed=n), "JPEG"), "a.jpg") for n in range(5))
    assert not looks_drawn(file(flat), "a.png")
    assert not looks_drawn(b"no picture", "a.png")
