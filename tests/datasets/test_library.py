"""Adding data from archives and folders: complete or refused, and never outside its folder."""

import errno
import hashlib
import io
import os
import stat
import urllib.error
import urllib.request
import zipfile
from email.message import Message
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from metacore.datasets import DATASETS, library, omniglot_files
from metacore.datasets import omniglot_pictures as omniglot
from metacore.datasets.omniglot import Omniglot
from metacore.errors import UserError
from metacore.models.weights import WEIGHTS

TINY = {
    "parts": {
        "images_background": {"Greek": [1, 2]},
        "images_evaluation": {"Tibetan": [1, 1], "Old_(Odd)": [1, 1]},
    }
}


@pytest.fixture(autouse=True)
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An Omniglot of four characters, and a home of its own."""
    monkeypatch.setenv("METACORE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(omniglot, "_lists", lambda: TINY)


def png(number: int) -> bytes:
    ink = np.full((105, 105), 255, np.uint8)
    ink[20:80, number : number + 5] = 0
    file = io.BytesIO()
    Image.fromarray(ink).convert("1").save(file, "png")
    return file.getvalue()


PICTURES = [png(10 + 2 * number) for number in range(20)]


def members(part: str) -> dict[str, bytes]:
    return {
        f"{part}/{name}/{row:04d}_{number + 1:02d}.png": picture
        for row, name in enumerate(omniglot.characters("parts", part))
        for number, picture in enumerate(PICTURES)
    }


def archive(path: Path, contents: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in contents.items():
            file.writestr(name, content)


def archives(folder: Path) -> Path:
    for part in omniglot.PARTS:
        archive(folder / f"{part}.zip", members(part))
    return folder


def tree(folder: Path) -> Path:
    for part in omniglot.PARTS:
        for name, content in members(part).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    return folder


def added() -> list[str]:
    where = omniglot.folder()
    return sorted(file.relative_to(where).as_posix() for file in where.glob("images_*/*/*/*.png"))


def everything() -> list[str]:
    return sorted(name for part in omniglot.PARTS for name in members(part))


def test_archives_are_added(tmp_path: Path) -> None:
    library.add("omniglot", archives(tmp_path / "data"))
    assert added() == everything()
    assert omniglot.load(omniglot.folder()).shape == (4, 20, 1, 28, 28)


def test_a_folder_of_pictures_is_added(tmp_path: Path) -> None:
    library.add("omniglot", tree(tmp_path / "data"))
    assert added() == everything()


def test_what_lies_one_folder_deeper_is_found(tmp_path: Path) -> None:
    archives(tmp_path / "data" / "python")
    library.add("omniglot", tmp_path / "data")
    assert added() == everything()


def test_what_an_archive_packs_one_folder_deeper_is_found(tmp_path: Path) -> None:
    for part in omniglot.PARTS:
        nested = {f"omniglot/{name}": content for name, content in members(part).items()}
        archive(tmp_path / f"{part}.zip", {**nested, "__MACOSX/._x": b"junk"})
    library.add("omniglot", tmp_path)
    assert added() == everything()


def test_adding_again_replaces_what_was_there(tmp_path: Path) -> None:
    source = archives(tmp_path / "data")
    library.add("omniglot", source)
    (omniglot.folder() / "images_background" / "stale").mkdir()
    library.add("omniglot", source)
    assert not (omniglot.folder() / "images_background" / "stale").exists()
    assert added() == everything()


def test_a_missing_character_is_named(tmp_path: Path) -> None:
    archives(tmp_path)
    kept = {n: c for n, c in members("images_background").items() if "character02" not in n}
    archive(tmp_path / "images_background.zip", kept)
    with pytest.raises(UserError, match=r"lacks 1 of 2 characters \(Greek/character02\)"):
        library.add("omniglot", tmp_path)
    assert not Omniglot.ready()


def test_a_missing_drawing_is_named(tmp_path: Path) -> None:
    tree(tmp_path)
    next((tmp_path / "images_evaluation/Tibetan/character01").iterdir()).unlink()
    with pytest.raises(UserError, match="Tibetan/character01 has 19 of 20 drawings"):
        library.add("omniglot", tmp_path)


def test_a_missing_archive_is_named(tmp_path: Path) -> None:
    archives(tmp_path)
    (tmp_path / "images_evaluation.zip").unlink()
    with pytest.raises(UserError, match=r"neither images_evaluation\.zip nor a folder"):
        library.add("omniglot", tmp_path)


def test_a_refused_folder_leaves_what_was_there(tmp_path: Path) -> None:
    library.add("omniglot", archives(tmp_path / "good"))
    (tmp_path / "bad").mkdir()
    with pytest.raises(UserError):
        library.add("omniglot", tmp_path / "bad")
    assert added() == everything()


@pytest.mark.parametrize(
    "name",
    ["../images_background/Greek/character03/x.png", "/etc/x.png", "a/../../x.png", "C:\\x.png"],
)
def test_an_archive_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    source = archives(tmp_path / "data")
    archive(source / "images_background.zip", {**members("images_background"), name: b"x"})
    with pytest.raises(UserError, match="would lead outside"):
        library.add("omniglot", source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "home"]


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    source = archives(tmp_path / "data")
    link = zipfile.ZipInfo("images_background/Greek/character01/0001_01.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(source / "images_background.zip", "a") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(UserError, match="would lead outside"):
        library.add("omniglot", source)


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    source = archives(tmp_path)
    bomb = {"images_background/Greek/character01/0001_01.png": bytes(50_000_000)}
    archive(source / "images_background.zip", bomb)
    with pytest.raises(UserError, match="50,000,000 bytes"):
        library.add("omniglot", source)


def test_a_broken_archive_is_a_sentence(tmp_path: Path) -> None:
    archives(tmp_path)
    whole = (tmp_path / "images_background.zip").read_bytes()
    (tmp_path / "images_background.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="cannot be unpacked"):
        library.add("omniglot", tmp_path)


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    tree(tmp_path / "data")
    file = next((tmp_path / "data/images_evaluation/Tibetan/character01").iterdir())
    file.write_bytes(b"not a picture")
    with pytest.raises(UserError, match=f"{file.name} cannot be read as a picture"):
        library.add("omniglot", tmp_path / "data")


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_file: Path, _content: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(omniglot_files, "_put", full)
    with pytest.raises(UserError, match=r"disk that holds .* is full"):
        library.add("omniglot", archives(tmp_path / "data"))
    assert not Omniglot.ready()


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    (tmp_path / "x.zip").touch()
    with pytest.raises(UserError, match="is not a folder"):
        library.add("omniglot", tmp_path / "x.zip")


def test_only_what_needs_files_can_be_added(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="glyphs needs no files"):
        library.add("glyphs", tmp_path)
    with pytest.raises(UserError, match="no dataset 'imagenet'"):
        library.get("imagenet")


class Answer(io.BytesIO):
    """What a server sends."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.headers = Message()
        self.headers["Content-Length"] = str(len(content))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The archives at torchvision's addresses; change an entry to change what is sent."""
    source = archives(tmp_path / "server")
    sent = {part: (source / f"{part}.zip").read_bytes() for part in omniglot.PARTS}
    sums = {part: hashlib.md5(content).hexdigest() for part, content in sent.items()}
    monkeypatch.setattr(omniglot_files.torchvision().datasets.Omniglot, "zips_md5", sums)
    monkeypatch.setattr(urllib.request, "urlopen", lambda url, **_: Answer(sent[Path(url).stem]))
    return sent


def test_a_download_is_added_and_tells_how_far_it_is(server: dict[str, bytes]) -> None:
    seen: list[tuple[str, int, int | None]] = []
    library.get("omniglot", progress=lambda *state: seen.append(state))
    assert added() == everything()
    for part in omniglot.PARTS:
        assert [state for state in seen if state[0] == part][-1][1:] == (len(server[part]),) * 2


def test_a_download_that_is_not_whole_is_refused(server: dict[str, bytes]) -> None:
    server["images_evaluation"] = server["images_evaluation"][:-9]
    with pytest.raises(UserError, match="did not arrive whole"):
        library.get("omniglot")
    assert not Omniglot.ready()


def test_without_a_network_the_other_way_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(_url: str, timeout: float) -> None:
        raise urllib.error.URLError(f"no route to host in {timeout} s")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    with pytest.raises(UserError, match=r"no route to host.*metacore data add omniglot FOLDER"):
        library.get("omniglot")


def test_status_tells_what_is_here(tmp_path: Path) -> None:
    before = {holding.name: holding for holding in library.status()}
    assert list(before) == [*DATASETS, *WEIGHTS]
    assert not before["omniglot"].ready
    assert before["omniglot"].bytes == 0
    assert "metacore data get omniglot" in before["omniglot"].how
    assert before["glyphs"].ready
    library.add("omniglot", archives(tmp_path / "data"))
    after = {holding.name: holding for holding in library.status()}
    assert after["omniglot"].ready
    assert after["omniglot"].where == omniglot.folder()
    assert after["omniglot"].bytes > 80 * 60
