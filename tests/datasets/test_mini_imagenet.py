"""miniImageNet from a folder, in the layouts it is passed around in; as small as can be."""

from pathlib import Path

import pytest
import torch

from metacore.datasets import library, mini_imagenet
from metacore.datasets.mini_imagenet import MiniImagenet, MiniImagenetConfig
from metacore.errors import UserError
from tests.datasets.pictures import color, draw

TINY = {
    "train": {"n01": "robin", "n02": "goose", "n03": "lion"},
    "val": {"n04": "ant", "n05": "yawl"},
    "test": {"n06": "wok", "n07": "vase"},
}
WNIDS = [wnid for split in TINY.values() for wnid in split]


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mini_imagenet, "classes", lambda: TINY)


def with_lists(folder: Path, pictures: int = 3) -> Path:
    """As Ravi and Larochelle's: n0100000001.jpg is in n01, and the lists say so."""
    for split, classes in TINY.items():
        rows = ["filename,label"]
        for wnid in classes:
            for number in range(pictures):
                name = f"{wnid}{number:08d}.jpg"
                draw(folder / "images" / name, color(WNIDS.index(wnid), 7), (84, 84))
                rows.append(f"{name},{wnid}")
        (folder / f"{split}.csv").write_text("\n".join(rows))
    return folder


def with_folders(folder: Path, pictures: int = 3) -> Path:
    for wnid in WNIDS:
        for number in range(pictures):
            path = folder / wnid / f"{wnid}_{number}.JPEG"
            draw(path, color(WNIDS.index(wnid), 7), (100, 90))
    draw(folder / "n99" / "n99_1.JPEG", (1, 2, 3))
    return folder


def loaded() -> MiniImagenet:
    return MiniImagenet(MiniImagenetConfig(), torch.device("cpu"))


def test_the_lists_are_disjoint_and_as_large_as_published() -> None:
    found = mini_imagenet.classes()
    assert {split: len(classes) for split, classes in found.items()} == {
        "train": 64,
        "val": 16,
        "test": 20,
    }
    assert len({wnid for classes in found.values() for wnid in classes}) == 100
    assert len({name for classes in found.values() for name in classes.values()}) == 100
    assert found["test"]["n02129165"] == "lion"
    assert found["val"]["n01855672"] == "goose"


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("made", [with_lists, with_folders])
@pytest.mark.parametrize("inside", [".", "images"])
def test_it_is_added_from_either_layout(made: object, inside: str, tmp_path: Path) -> None:
    if made is with_lists:
        with_lists(tmp_path / "mini")
    else:
        with_folders(tmp_path / "mini" / inside)
    assert not MiniImagenet.ready()
    library.add("mini-imagenet", tmp_path / "mini")
    assert MiniImagenet.ready()
    (tmp_path / "mini").rename(tmp_path / "away")  # it is not needed any more
    found = loaded()
    for split, classes in TINY.items():
        assert found.class_names(split) == list(classes.values())
        assert found.class_sizes(split).tolist() == [3] * len(classes)
        for number, wnid in enumerate(classes):
            (picture,) = found.pictures(split, [number], 2)
            assert picture.shape == (3, 84, 84)
            expected = color(WNIDS.index(wnid), 7)
            assert picture[:, 40, 40].tolist() == pytest.approx(expected, abs=12)


@pytest.mark.usefixtures("tiny")
def test_no_more_pictures_of_a_class_are_taken_than_there_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mini_imagenet, "PICTURES", 2)
    library.add("mini-imagenet", with_folders(tmp_path / "all"))
    assert loaded().class_sizes("train").tolist() == [2, 2, 2]


@pytest.mark.usefixtures("tiny")
def test_what_is_missing_is_named_and_nothing_is_kept(tmp_path: Path) -> None:
    folder = with_folders(tmp_path / "part")
    for file in (folder / "n06").iterdir():
        file.unlink()
    with pytest.raises(UserError, match=r"1 of its 7 classes are missing \(n06"):
        library.add("mini-imagenet", folder)
    assert not MiniImagenet.ready()


def test_without_it_the_sentence_says_how_to_add_it() -> None:
    with pytest.raises(UserError, match=r"not on this computer yet.*add mini-imagenet"):
        loaded()
    with pytest.raises(UserError, match="ImageNet's terms"):
        library.get("mini-imagenet")
