"""Zips that strangers send become sets of pictures, or a sentence."""

import io
import stat
import zipfile
from pathlib import Path

import pytest
import torch
from PIL import Image

from metacore import home as homes
from metacore.archives import Source
from metacore.datasets import load, own_folders
from metacore.datasets.base import ImageDataset
from metacore.datasets.folder import Folder, FolderConfig
from metacore.errors import UserError


def png(shade: int = 0) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (20, 20), (shade, 100, 200)).save(file, "png")
    return file.getvalue()


def zipped(contents: dict[str, bytes], name: str = "pets.zip") -> Source:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path, data in contents.items():
            archive.writestr(path, data)
    return Source(name, lambda: io.BytesIO(file.getvalue()))


def pets(before: str = "") -> dict[str, bytes]:
    return {f"{before}{name}/{n}.png": png(n) for name in ("cat", "dog", "owl") for n in range(3)}


def loaded(name: str) -> ImageDataset:
    config = FolderConfig(path=name, size=8, train_share=1.0, val_share=0.0)
    found = load(config, torch.device("cpu"))
    assert isinstance(found, ImageDataset)
    return found


@pytest.mark.parametrize("before", ["", "my pets/", "a/b/"])
def test_a_zip_becomes_a_set_known_by_its_name(before: str) -> None:
    name, left_out = Folder.upload(zipped(pets(before)), "")
    assert (name, left_out) == ("pets", [])
    assert Folder.kept_names() == ["pets"]
    assert loaded("pets").class_names("train") == ["cat", "dog", "owl"]
    assert loaded("pets").class_sizes("train").tolist() == [3, 3, 3]
    assert Folder.upload(zipped(pets()), "")[0] == "pets 2"


def test_train_val_and_test_in_a_zip_stay() -> None:
    Folder.upload(zipped({**pets("x/train/"), "x/test/ape/1.png": png()}), "mine")
    found = loaded("mine")
    assert found.class_names("train") == ["cat", "dog", "owl"]
    assert found.class_names("test") == ["ape"]


def test_what_is_no_picture_is_named_and_left_out() -> None:
    strange = {
        "cat/notes.txt": b"x",
        "cat/fake.png": b"no picture",
        "loose.png": png(),
        "../../up/1.png": png(),
        "/etc/x/1.png": png(),
        "__MACOSX/cat/1.png": png(),
    }
    name, left_out = Folder.upload(zipped({**pets(), **strange}), "")
    assert loaded(name).class_names("train") == ["cat", "dog", "owl"]
    for part in ("notes.txt", "fake.png", "loose.png", "up/1.png climbs", "etc/x/1.png climbs"):
        assert any(part in sentence for sentence in left_out), part
    assert len(left_out) == 5
    kept = own_folders.kept() / name
    assert sorted(path.name for path in kept.rglob("*.png")) == sorted(
        f"{n}.png" for n in 3 * "012"
    )
    assert sorted(path.name for path in homes.home().rglob("1.png")) == 3 * ["1.png"]


def test_links_and_bombs_are_left_out() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in pets().items():
            archive.writestr(path, data)
        link = zipfile.ZipInfo("cat/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("cat/zeros.png", bytes(20_000_000))
        huge = io.BytesIO()
        Image.new("1", (20_000, 20_000)).save(huge, "png")
        archive.writestr("cat/bomb.png", huge.getvalue())
    name, left_out = Folder.upload(Source("x.zip", lambda: io.BytesIO(file.getvalue())), "")
    assert loaded(name).class_sizes("train").tolist() == [3, 3, 3]
    said = " ".join(left_out)
    for part in ("link.png is a link", "zeros.png is larger", "bomb.png has more than 30 million"):
        assert part in said


def test_names_of_classes_hold_nothing_that_a_page_would_obey() -> None:
    contents = pets() | {"<img src=x onerror=alert(1)>/1.png": png(), "[a](http:b)/1.png": png()}
    name, _ = Folder.upload(zipped(contents), "")
    for label in loaded(name).class_names("train"):
        assert not set(label) & set("<>[]()`*|$&:\\")


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (zipped({}), "no pictures in"),
        (zipped({"cat/1.txt": b"x"}), "no pictures in folders"),
        (zipped({"1.png": png()}), "lies in no folder"),
        (Source("x.zip", lambda: io.BytesIO(b"PK\x03\x04 broken")), "damaged zip"),
        (Source("x.zip", lambda: io.BytesIO(png())), "no pictures in folders"),
    ],
)
def test_what_holds_no_classes_is_refused_and_nothing_is_kept(source: Source, why: str) -> None:
    with pytest.raises(UserError, match=why):
        Folder.upload(source, "")
    assert Folder.kept_names() == []
    assert not list(own_folders.kept().iterdir())


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "x" * 41, "a\nb", "ü", "<b>"])
def test_a_name_is_plain(name: str) -> None:
    with pytest.raises(UserError, match="does not fit"):
        Folder.upload(zipped(pets()), name)


def test_a_server_for_a_class_keeps_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(homes.CLASS_VARIABLE, "{}")
    monkeypatch.setattr(own_folders, "MOST_SHARED", 1)
    assert Folder.upload(zipped(pets()), "")[0] == "pets"
    assert loaded("pets").classes("train") == 3
    with pytest.raises(UserError, match="keeps at most 1 sets"):
        Folder.upload(zipped(pets()), "")
    assert sorted(path.name for path in Path(own_folders.kept()).iterdir()) == ["pets"]
