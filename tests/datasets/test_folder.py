"""One's own pictures: found in every layout, packed once, read as episodes ask for them."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import metacore as mc
from metacore import home as homes
from metacore.datasets import library, load, own_folders, packing
from metacore.datasets.base import SPLITS, ImageDataset
from metacore.datasets.folder import Folder, FolderConfig
from metacore.datasets.picture_folder import listed
from metacore.errors import UserError
from metacore.models.networks import Conv4
from metacore.training.trainer import Trainer
from tests.datasets.pictures import color, draw, draw_classes

CPU = torch.device("cpu")
TEN = {f"class {number}": 4 + number for number in range(10)}


@pytest.fixture
def ten(tmp_path: Path) -> Path:
    return draw_classes(tmp_path / "ten", TEN)


def of(folder: Path, **settings: Any) -> ImageDataset:
    found = load(FolderConfig(path=str(folder), size=8, **settings), CPU)
    assert isinstance(found, ImageDataset)
    return found


def everywhere(dataset: ImageDataset) -> dict[str, list[str]]:
    return {split: dataset.class_names(split) for split in SPLITS}


def together(dataset: ImageDataset) -> list[str]:
    """The names of all classes."""
    return [name for names in everywhere(dataset).values() for name in names]


def middle(dataset: ImageDataset, split: str, name: str, number: int = 0) -> list[int]:
    """The colour of a picture's middle."""
    found = dataset.pictures(split, [dataset.class_names(split).index(name)], number)
    return [int(value) for value in found[0, :, 4, 4]]


# --- layouts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [".png", ".JPG", ".jpeg", ".webp"])
def test_a_folder_per_class_is_divided_by_shares(tmp_path: Path, ending: str) -> None:
    found = of(draw_classes(tmp_path / "ten", TEN, ending))
    names = everywhere(found)
    assert sorted(together(found)) == sorted(TEN)
    assert [len(names[split]) for split in SPLITS] == [6, 2, 2]
    for split in SPLITS:
        assert found.class_sizes(split).tolist() == [TEN[name] for name in names[split]]
        for name in names[split]:
            seen = middle(found, split, name, TEN[name] - 1)
            assert seen == pytest.approx(color([*TEN].index(name), 10), abs=12)


def test_train_val_and_test_folders_stay_what_they_are(tmp_path: Path) -> None:
    inside = {"train/cat": 3, "train/dog": 4, "valid/lion": 5, "test/owl": 6, "test/ape": 2}
    found = of(draw_classes(tmp_path / "parts", inside))
    assert everywhere(found) == {"train": ["cat", "dog"], "val": ["lion"], "test": ["ape", "owl"]}
    shared = of(tmp_path / "parts", split="shares", train_share=0.0, val_share=0.0)
    assert shared.class_names("test") == ["ape", "cat", "dog", "lion", "owl"]


def test_lists_of_pictures_as_miniimagenets(tmp_path: Path) -> None:
    for number in range(6):
        draw(tmp_path / "images" / f"n{number:02d}.jpg", color(number, 6))
    lists = {"train": "n00.jpg,x\nn01.jpg,x\nn02.jpg,y", "val": "n03.jpg,z", "test": "n04.jpg,w"}
    for split, rows in lists.items():
        (tmp_path / f"{split}.csv").write_text(f"filename,label\n{rows}\nnot there.jpg,x\n")
    found = of(tmp_path)
    assert everywhere(found) == {"train": ["x", "y"], "val": ["z"], "test": ["w"]}
    assert found.class_sizes("train").tolist() == [2, 1]
    assert middle(found, "test", "w") == pytest.approx(color(4, 6), abs=12)
    assert sum("not there" in note for note in found.notes()) == 3


def test_a_list_cannot_lead_out_of_its_folder(tmp_path: Path) -> None:
    draw(tmp_path / "secret.png", (1, 2, 3))
    draw(tmp_path / "inside" / "a.png", (4, 5, 6))
    rows = f"filename,label\na.png,x\n../secret.png,x\n{tmp_path}/secret.png,x\n"
    (tmp_path / "inside" / "train.csv").write_text(rows)
    found = listed(tmp_path / "inside")
    assert [Path(file.path).name for each in found.classes for file in each.files] == ["a.png"]


def test_lists_of_classes_beside_their_folders(ten: Path) -> None:
    (ten / "train.txt").write_text("class 0\nclass 1\n")
    (ten / "test.txt").write_text("class 5\n")
    found = of(ten)
    assert everywhere(found) == {"train": ["class 0", "class 1"], "val": [], "test": ["class 5"]}
    assert any("7 classes stand in no list" in note for note in found.notes())


def test_a_folder_in_a_folder_is_unwrapped(tmp_path: Path) -> None:
    draw_classes(tmp_path / "outer" / "inner", TEN)
    assert sorted(together(of(tmp_path / "outer"))) == sorted(TEN)


def test_pictures_of_a_class_in_two_parts_come_together_by_shares(tmp_path: Path) -> None:
    draw_classes(tmp_path / "both", {"train/cat": 2, "test/cat": 3, "train/dog": 2, "test/dog": 1})
    with pytest.raises(UserError, match="2 classes lie in train and in test, such as cat"):
        of(tmp_path / "both")
    found = of(tmp_path / "both", split="shares", train_share=1.0, val_share=0.0)
    assert found.class_names("train") == ["cat", "dog"]
    assert found.class_sizes("train").tolist() == [5, 3]


def test_another_seed_divides_otherwise_and_a_new_class_moves_few(ten: Path) -> None:
    first = everywhere(of(ten))
    assert everywhere(of(ten, split_seed=1)) != first
    draw_classes(ten, {"another": 5})
    moved = [
        name
        for split, names in everywhere(of(ten)).items()
        for name in names
        if name != "another" and name not in first[split]
    ]
    assert len(moved) <= 2


# --- what a picture becomes ----------------------------------------------------------------------


def striped(path: Path) -> None:
    """40 x 20: its middle half is green, its ends are red; all of it is light."""
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[..., 0], pixels[:, 10:30] = 255, (0, 255, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def test_cropped_or_padded(tmp_path: Path) -> None:
    for name in "abcd":
        striped(tmp_path / name / "1.png")
    share = {"train_share": 1.0, "val_share": 0.0}
    cropped = of(tmp_path, **share).pictures("train", [0])[0]
    assert cropped[0].max() < 60
    assert cropped[1].min() > 195
    whole = of(tmp_path, fit="pad", **share).pictures("train", [0])[0]
    assert whole[:, 0].min() == 255  # paper above it
    assert whole[0, 4, 0] == 255
    assert whole[1, 4, 0] < 60


def test_ink_is_dark_on_light_and_chalk_light_on_dark(tmp_path: Path) -> None:
    for name in "abcd":
        draw(tmp_path / name / "1.png", (255, 255, 255))
        draw(tmp_path / name / "2.png", (0, 0, 0))
    for kind, expected in (("ink", [0, 255]), ("chalk", [255, 0])):
        found = of(tmp_path, kind=kind, train_share=1.0, val_share=0.0)
        assert found.input_shape == (1, 8, 8)
        assert [int(found.pictures("train", [0], n).float().mean()) for n in (0, 1)] == expected


# --- what is broken, and what is missing ---------------------------------------------------------


def test_broken_files_are_named_and_left_out(ten: Path) -> None:
    (ten / "class 3" / "broken.png").write_bytes(b"\x89PNG nothing")
    whole = (ten / "class 4" / "001.png").read_bytes()
    (ten / "class 4" / "001.png").write_bytes(whole[:40])
    (ten / "class 5" / "notes.txt").write_text("what these are")
    (ten / "empty").mkdir()
    (ten / "loose.png").write_bytes(whole)
    found = of(ten, split="shares", train_share=1.0, val_share=0.0)
    assert dict(
        zip(found.class_names("train"), found.class_sizes("train").tolist(), strict=True)
    ) == {
        **TEN,
        "class 4": TEN["class 4"] - 1,
    }
    said = " ".join(found.notes())
    for part in ("class 3/broken.png", "class 4/001.png", "notes.txt", "1 pictures lie directly"):
        assert part in said


@pytest.mark.skipif(sys.platform == "win32", reason="has neither links nor pipes like these")
def test_links_in_circles_pipes_and_odd_names_do_no_harm(ten: Path) -> None:
    (ten / "class 0" / "around").symlink_to(ten)
    (ten / "class 1" / "around").symlink_to(ten / "class 1")
    (ten / "nowhere").symlink_to(ten / "not there")
    os.mkfifo(ten / "class 2" / "pipe.png")
    odd = os.fsencode(ten) + b"/caf\xe9"
    os.mkdir(odd)
    with open(odd + b"/\xff.png", "wb") as file:
        file.write((ten / "class 0" / "000.png").read_bytes())
    found = of(ten, split="shares", train_share=1.0, val_share=0.0)
    assert "caf\ufffd" in found.class_names("train")
    assert len(found.class_names("train")) == 11
    assert "pipe.png" in " ".join(found.notes())


def test_a_picture_that_would_fill_the_memory_is_left_out(ten: Path) -> None:
    Image.new("1", (20_000, 20_000)).save(ten / "class 0" / "bomb.png")
    found = of(ten)
    assert any("bomb.png has more than 30 million pixels" in note for note in found.notes())


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "Name a folder"),
        ("/not/there", "cannot be read as a folder: No such file"),
        ("a\0b", "no name of a folder"),
    ],
)
def test_what_is_no_folder_is_a_sentence(path: str, why: str) -> None:
    with pytest.raises(UserError, match=why):
        load(FolderConfig(path=path), CPU)


def test_a_folder_without_pictures_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="needs a folder per class"):
        of(tmp_path)


def test_too_small_a_task_is_a_sentence_with_the_numbers(ten: Path) -> None:
    chance = torch.Generator().manual_seed(0)
    ask = {"tasks": 1, "ways": 5, "shots": 1, "queries": 5, "generator": chance}
    with pytest.raises(UserError, match="between 2 and 2 for folder: its test split has 2 classes"):
        of(ten).sample("test", **ask)
    whole = of(ten, train_share=1.0, val_share=0.0)
    with pytest.raises(UserError, match="folder's test split has no class"):
        whole.sample("test", **ask)
    with pytest.raises(UserError, match="only 3 of the 10 classes of folder's train split have"):
        whole.sample("train", **{**ask, "shots": 6})


def test_shares_are_at_most_all() -> None:
    with pytest.raises(UserError, match=r"1\.2 together"):
        FolderConfig(path="x", train_share=0.7, val_share=0.5)


# --- packed once ---------------------------------------------------------------------------------


def packs() -> list[str]:
    folder = packing.packed_folder()
    return sorted(each.name for each in folder.iterdir() if each.is_dir())


def test_it_is_packed_once_and_anew_when_it_changes(
    ten: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = FolderConfig(path=str(ten), size=8)
    assert not Folder.at_hand(config)
    of(ten)
    assert Folder.at_hand(config)
    (before,) = packs()
    with monkeypatch.context() as patch:
        patch.setattr(packing, "colour", None)  # nothing is decoded again
        Folder(replace(config, split_seed=3), CPU)
    draw(ten / "class 0" / "000.png", (9, 9, 9))
    os.utime(ten / "class 0" / "000.png", ns=(1, 1))
    Folder(config, CPU)
    (after,) = packs()
    assert after != before


def test_what_is_loaded_notices_a_new_picture(ten: Path) -> None:
    assert of(ten) is of(ten)
    sizes = of(ten, train_share=1.0, val_share=0.0).class_sizes("train").sum()
    draw(ten / "class 0" / "new.png", (1, 2, 3))
    assert of(ten, train_share=1.0, val_share=0.0).class_sizes("train").sum() == sizes + 1


def test_a_damaged_packed_file_is_made_again(ten: Path) -> None:
    found = of(ten)
    expected = found.pictures("train", [0])
    (name,) = packs()
    file = packing.packed_folder() / name / "pictures.u8"
    file.unlink()
    file.write_bytes(b"short")
    assert torch.equal(
        Folder(FolderConfig(path=str(ten), size=8), CPU).pictures("train", [0]), expected
    )


def test_two_processes_that_pack_at_once_agree(ten: Path) -> None:
    program = (
        "import sys, torch\n"
        "from metacore.datasets.folder import Folder, FolderConfig\n"
        "found = Folder(FolderConfig(path=sys.argv[1], size=8), torch.device('cpu'))\n"
        "print(int(found.class_sizes('train').sum()), int(found.pictures('train', [0]).sum()))\n"
    )
    command = [sys.executable, "-c", program, str(ten)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(2)]
    said = {process.communicate(timeout=60)[0] for process in both}
    assert len(said) == 1
    assert next(iter(said)).strip()
    assert len(packs()) == 1
    assert not list(packing.packed_folder().glob("*.lock"))


def test_an_episode_is_read_and_nothing_else(ten: Path) -> None:
    found = of(ten)
    assert isinstance(found, Folder)
    assert isinstance(found.packed.rows.base, np.memmap) or isinstance(found.packed.rows, np.memmap)
    episode = found.episodes("train", ways=3, shots=2, queries=2, seed=1, numbers=range(2))
    assert episode.support_x.shape == (2, 6, 3, 8, 8)
    assert episode.classes is not None
    for task in range(2):
        for way in range(3):
            name = found.class_names("train")[int(episode.classes[task, way])]
            hue = np.array(color([*TEN].index(name), 10)) / 255
            for picture in episode.support_x[task, 2 * way : 2 * way + 2]:
                seen = picture.mean((1, 2)).numpy()
                np.testing.assert_allclose(seen / seen.max(), hue / hue.max(), atol=0.02)


def test_it_trains_and_is_evaluated(ten: Path) -> None:
    config = mc.preset("protonet", "folder", "demo", ways=2)
    training = replace(config.training, iterations=2, tasks=2, train_ways=3, validate_every=0)
    task = replace(config.task, queries=2)
    dataset = FolderConfig(path=str(ten), size=16, flip=True)
    config = config.replace(training=training, task=task, dataset=dataset, model=Conv4(width=4))
    trainer = Trainer(config)
    assert trainer.run() == "finished"
    assert mc.evaluate(trainer.learner, episodes=4, ways=2, queries=2).mean >= 0


# --- those that are added ------------------------------------------------------------------------


def test_an_added_folder_is_copied_and_known_by_its_name(ten: Path) -> None:
    assert not Folder.ready()
    where = library.add("folder", ten)
    assert where == homes.data_folder() / "folders" / "ten"
    names = everywhere(of(ten))
    for file in sorted(ten.rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    assert Folder.ready()
    assert everywhere(of(Path("ten"))) == names
    assert "added: ten" in Folder.how_to_get()


def test_a_second_one_has_a_name_of_its_own(ten: Path) -> None:
    library.add("folder", ten)
    assert library.add("folder", ten).name == "ten 2"
    with pytest.raises(UserError, match="called ten already"):
        library.add("folder", ten, called="ten")
    with pytest.raises(UserError, match="does not fit"):
        library.add("folder", ten, called="../ten")
    with pytest.raises(UserError, match="leave out --name"):
        library.add("omniglot", ten, called="mine")


def test_parts_and_lists_survive_being_added(tmp_path: Path) -> None:
    inside = {"train/cat": 3, "val/lion": 5, "test/owl": 6}
    draw_classes(tmp_path / "parts", inside)
    library.add("folder", tmp_path / "parts", called="mine")
    assert everywhere(of(Path("mine"))) == {"train": ["cat"], "val": ["lion"], "test": ["owl"]}


# --- where strangers choose ----------------------------------------------------------------------


def test_on_a_server_for_a_class_only_what_was_added_is_read(
    ten: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of(ten)  # packed and loaded before
    library.add("folder", ten, called="for all")
    monkeypatch.setenv(homes.CLASS_VARIABLE, "{}")
    for path in (str(ten), "~", "/etc", "..", "for all/../../..", "./for all", "other"):
        config = FolderConfig(path=path, size=8)
        with pytest.raises(UserError, match=r"on a server for a class.*There is for all"):
            load(config, CPU)
        with pytest.raises(UserError, match="On a server for a class"):
            own_folders.place(path)
        assert Folder.at_hand(config)  # is refused in a moment
    assert of(Path("for all")).classes("train") == 6
