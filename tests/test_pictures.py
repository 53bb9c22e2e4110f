"""Pictures of one kind as another."""

import pytest
import torch

from metacore.pictures import converted, cropped, recoloured, resized


def test_ink_is_black_on_white_paper() -> None:
    ink = torch.tensor([0, 255, 100], dtype=torch.uint8).view(1, 1, 1, 3)
    assert recoloured(ink, 3)[0, :, 0].tolist() == [[255, 0, 155]] * 3
    assert torch.equal(recoloured(recoloured(ink, 3), 1), ink)


def test_green_is_lighter_than_blue() -> None:
    colours = torch.eye(3)[:, :, None, None]  # red, green, blue
    red, green, blue = recoloured(colours, 1).flatten().tolist()
    assert green < red < blue


@pytest.mark.parametrize("kind", [torch.uint8, torch.float32])
def test_the_kind_of_numbers_stays(kind: torch.dtype) -> None:
    plain = torch.full((2, 3, 5, 7), 1, dtype=kind)
    found = converted(plain, (1, 4, 4))
    assert found.dtype == kind
    assert found.shape == (2, 1, 4, 4)


def test_bytes_and_numbers_agree() -> None:
    pictures = torch.randint(0, 256, (3, 3, 40, 40), dtype=torch.uint8)
    bytes_ = converted(pictures, (1, 28, 28)).float()
    numbers = converted(pictures.float() / 255, (1, 28, 28)) * 255
    assert (bytes_ - numbers).abs().max() <= 1.01  # rounded twice


def test_a_flat_picture_stays_flat_at_any_size() -> None:
    flat = torch.full((1, 3, 32, 32), 77, dtype=torch.uint8)
    for side in (5, 28, 84, 224):
        assert resized(flat, side, side).unique().tolist() == [77]


def test_the_middle_is_kept() -> None:
    wide = torch.arange(10).byte().view(1, 1, 1, 10).expand(1, 1, 4, 10)
    assert cropped(wide, 8, 8)[0, 0, 0].tolist() == [3, 4, 5, 6]
    tall = wide.mT
    assert cropped(tall, 8, 8)[0, 0, :, 0].tolist() == [3, 4, 5, 6]


def test_what_fits_is_not_touched() -> None:
    picture = torch.rand(2, 1, 28, 28)
    assert converted(picture, (1, 28, 28)) is picture
