"""Omniglot: its split lists, and the real pictures where they are at hand."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from metacore.datasets import library, picture_file
from metacore.datasets import omniglot_pictures as omniglot
from metacore.datasets.base import SPLITS
from metacore.datasets.omniglot import Omniglot, OmniglotConfig
from metacore.datasets.omniglot_pictures import characters
from metacore.errors import UserError
from metacore.vision import torchvision

CPU = torch.device("cpu")
HERE = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "omniglot"
real = pytest.mark.skipif(not HERE.is_dir(), reason="Omniglot's archives are not here")


def alphabets(how: str, which: str) -> set[str]:
    return {name.partition("/")[0] for name in characters(how, which)}


# The lists


@pytest.mark.parametrize(
    ("how", "counts"), [("vinyals", (1028, 172, 423)), ("authors", (792, 172, 659))]
)
def test_splits_are_disjoint_and_complete(how: str, counts: tuple[int, int, int]) -> None:
    names = [characters(how, split) for split in SPLITS]
    assert tuple(len(split) for split in names) == counts
    together = [name for split in names for name in split]
    assert len(set(together)) == 1623
    assert set(together) == {name.partition("/")[2] for name in omniglot.everything()}


def test_the_authors_split_shares_no_alphabet() -> None:
    train, val, test = (alphabets("authors", split) for split in SPLITS)
    assert not train & val
    assert not train & test
    assert not val & test
    assert train | val == alphabets("parts", "images_background")
    assert test == alphabets("parts", "images_evaluation")


def test_the_parts_have_the_published_sizes() -> None:
    counts = {part: len(characters("parts", part)) for part in omniglot.PARTS}
    assert counts == {"images_background": 964, "images_evaluation": 659}


@real
@pytest.mark.parametrize("split", SPLITS)
def test_the_lists_are_the_papers(split: str) -> None:
    lines = (HERE / f"vinyals_{split}.txt").read_text().split()
    assert sorted(lines) == sorted(characters("vinyals", split))


def test_without_data_both_commands_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METACORE_HOME", str(tmp_path))
    with pytest.raises(UserError) as refusal:
        Omniglot(OmniglotConfig(), CPU)
    assert "`metacore data get omniglot`" in str(refusal.value)
    assert "`metacore data add omniglot FOLDER`" in str(refusal.value)


def test_damaged_pictures_without_the_images_say_how_to_add_them_again(home: Path) -> None:
    (omniglot.folder()).mkdir()
    shape = (len(omniglot.everything()), omniglot.DRAWINGS, 1, 28, 28)
    path = omniglot.folder() / "pictures28.safetensors"
    assert picture_file.write_pictures(torch.full(shape, 255, dtype=torch.uint8), path)
    assert omniglot.load(omniglot.folder()).shape == shape
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    with pytest.raises(UserError, match=r"is damaged.*metacore data add omniglot"):
        omniglot.load(omniglot.folder())


def test_an_unknown_split_is_refused() -> None:
    with pytest.raises(UserError, match="split must be one of vinyals, authors"):
        OmniglotConfig(split="mine")


# The pictures


@pytest.fixture(scope="module")
def added(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the real Omniglot in it, shared by this file's tests."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METACORE_HOME", str(home))
        library.add("omniglot", HERE)
    return home


@pytest.fixture
def data(added: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("METACORE_HOME", str(added))
    return omniglot.folder()


@real
def test_every_class_has_its_name(data: Path) -> None:
    dataset = Omniglot(OmniglotConfig(), CPU)
    assert data.is_dir()
    assert dataset.images["train"].shape == (4112, 20, 1, 28, 28)
    names = dataset.class_names("train")
    assert len(set(names)) == 4112
    assert all(re.fullmatch(r".+/character\d\d rot(0|90|180|270)", name) for name in names)
    turned = names.index("Greek/character03 rot90")
    upright = names.index("Greek/character03 rot0")
    images = dataset.images["train"]
    assert images[turned].equal(images[upright].rot90(1, (-2, -1)))


@real
def test_a_picture_is_the_usual_one(data: Path) -> None:
    """Within one grey level of Pillow's antialiased resize, which most pipelines use."""
    dataset = Omniglot(OmniglotConfig(rotations=False), CPU)
    row = dataset.class_names("train").index("Greek/character03")
    files = sorted((data / "images_background/Greek/character03").iterdir())
    resize = torchvision().transforms.Resize((28, 28))
    for picture, file in zip(dataset.images["train"][row], files, strict=True):
        usual = 255 - np.asarray(resize(Image.open(file).convert("L"))).astype(int)
        assert np.abs(picture[0].numpy().astype(int) - usual).max() <= 1


@real
def test_it_is_decoded_once(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(_tree: Path) -> None:
        pytest.fail("decoded again")

    monkeypatch.setattr(omniglot, "_decode", decoded)
    assert omniglot.load(data).shape == (1623, 20, 1, 28, 28)


@real
def test_no_drawing_is_in_two_splits(data: Path) -> None:
    assert data.is_dir()
    dataset = Omniglot(OmniglotConfig(split="authors", rotations=False), CPU)
    seen = [
        {picture.numpy().tobytes() for picture in dataset.images[split].flatten(0, 1)}
        for split in SPLITS
    ]
    shared = (seen[0] & seen[1]) | (seen[0] & seen[2]) | (seen[1] & seen[2])
    assert len(shared) <= 20  # a few dots and bars of different people look alike


@real
def test_an_incomplete_copy_is_told_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METACORE_HOME", str(tmp_path / "home"))
    with zipfile.ZipFile(HERE / "images_evaluation.zip") as archive:
        few = [name for name in archive.namelist() if "/Tibetan/" in name]
        archive.extractall(tmp_path / "data", few)
    (tmp_path / "data" / "images_background.zip").symlink_to(HERE / "images_background.zip")
    with pytest.raises(UserError, match="images_evaluation lacks 617 of 659 characters"):
        library.add("omniglot", tmp_path / "data")
