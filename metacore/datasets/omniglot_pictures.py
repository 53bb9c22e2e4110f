"""Omniglot's 1,623 characters of 50 alphabets: which they are, and their drawings from files.

Two ways to split it. "vinyals" is the list most papers use (1028 / 172 / 423 characters); some
alphabets have characters on both sides of it. "authors" keeps to the authors' background and
evaluation alphabets, so no alphabet is shared: five background alphabets, the 172 characters that
validate in the other split too, are kept for validation (792 / 172 / 659).

The pictures are decoded once into a single file beside the images.
"""

import json
import os
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from metacore import home
from metacore.datasets.picture_file import read_pictures, write_pictures
from metacore.datasets.strokes import CANVAS, SIDE, shrink
from metacore.errors import UserError

FOLDER = "omniglot-py"  # where torchvision looks for it, too
PARTS = ("images_background", "images_evaluation")
DRAWINGS = 20
_DECODED = "pictures28.safetensors"
_AGAIN = "Add Omniglot again with `metacore data add omniglot FOLDER`."


def folder() -> Path:
    return home.data_folder() / FOLDER


def is_there(tree: Path) -> bool:
    """Whether pictures are there, as images or decoded; looks at no more than their names."""
    images = all(os.path.isdir(tree / part) for part in PARTS)
    return images or os.path.isfile(tree / _DECODED)


@cache
def _lists() -> dict[str, dict[str, dict[str, list[int]]]]:
    text = resources.files("metacore.datasets").joinpath("omniglot_splits.json").read_text("utf-8")
    lists: dict[str, dict[str, dict[str, list[int]]]] = json.loads(text)
    return lists


def characters(how: str, which: str) -> list[str]:
    """Names such as "Greek/character03".

    Of one split ("vinyals" or "authors"; "train", "val" or "test"), or of one of the two image
    folders ("parts"; "images_background" or "images_evaluation").
    """
    return [
        f"{alphabet}/character{number:02d}"
        for alphabet, (first, last) in _lists()[how][which].items()
        for number in range(first, last + 1)
    ]


def everything() -> list[str]:
    """All 1,623 characters as folders, in the order they are decoded."""
    return [f"{part}/{name}" for part in PARTS for name in characters("parts", part)]


def load(tree: Path) -> Tensor:
    """Every picture, from the decoded file if it is whole: uint8 [1623, 20, 1, 28, 28]."""
    shape = (len(everything()), DRAWINGS, 1, SIDE, SIDE)
    pictures = read_pictures(tree / _DECODED, shape)
    if pictures is None:
        pictures = _decode(tree)
        write_pictures(pictures, tree / _DECODED)
    return pictures


def _decode(tree: Path) -> Tensor:
    if not all(os.path.isdir(tree / part) for part in PARTS):
        if os.path.exists(tree / _DECODED):
            raise UserError(f"{tree / _DECODED} is damaged, or was kept without a digest. {_AGAIN}")
        raise UserError(
            "Omniglot is not on this computer yet. Download it with `metacore data get omniglot`,"
            " or, if you have its two archives or their folders, point to them with"
            " `metacore data add omniglot FOLDER`."
        )
    return torch.stack([shrink(_canvases(tree / name)) for name in everything()])


def _canvases(character: Path) -> Tensor:
    """One character's drawings with ink 1 on paper 0: uint8 [20, 105, 105]."""
    files = sorted(character.glob("*.png"))
    if len(files) != DRAWINGS:
        raise UserError(f"{character} has {len(files)} drawings instead of {DRAWINGS}. {_AGAIN}")
    return torch.stack([_ink(file) for file in files])


def _ink(file: Path) -> Tensor:
    try:
        with Image.open(file, formats=["png"]) as image:
            if image.size != (CANVAS, CANVAS):
                raise UserError(f"{file} is not {CANVAS} x {CANVAS} pixels. {_AGAIN}")
            ink = np.asarray(image.convert("L")) < 128
    except (OSError, SyntaxError, ValueError) as error:
        raise UserError(f"{file} cannot be read as a picture ({error}). {_AGAIN}") from error
    return torch.from_numpy(ink.astype(np.uint8))
