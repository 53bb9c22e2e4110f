"""Pictures of one's own on the Train page: a zip is added, chosen and learned from."""

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from metacore import Store
from metacore.datasets import library
from metacore.datasets.folder import Folder, FolderConfig
from metacore.runs.classroom import VARIABLE, Classroom, Limits, digest
from pages.ui import visitor
from tests.datasets.pictures import draw_classes
from tests.pages.conftest import Visit, words

PAGE = "lab/train.py"


def pets() -> bytes:
    file, picture = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (20, 20), (200, 30, 90)).save(picture, "png")
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(30):
            for each in range(7):
                archive.writestr(f"pet {number:02d}/{each}.png", picture.getvalue())
        archive.writestr("pet 00/notes.txt", "x")
    return file.getvalue()


def picked(app: AppTest) -> str:
    (found,) = [each for each in app.selectbox if each.label == "Pictures"]
    return str(found.value)


def start_is_possible(app: AppTest) -> bool:
    return not app.button(key="start").disabled


def test_without_pictures_it_says_what_to_do(visit: Visit) -> None:
    app = visit(PAGE, dataset="folder")
    assert not app.exception
    assert "Name a folder of your own pictures" in words(app)
    assert not start_is_possible(app)


def test_a_zip_is_added_chosen_and_learned_from(visit: Visit) -> None:
    app = visit(PAGE, dataset="folder")
    upload = next(each for each in app.get("file_uploader") if each.label == "Zip of pictures")
    upload.set_value([("pets.zip", pets(), "application/zip")]).run()
    app.button(key="add own pictures").click().run()
    assert not app.exception
    assert Folder.kept_names() == ["pets"]
    assert "notes.txt" in words(app)
    assert picked(app) == "pets"
    assert start_is_possible(app), words(app)
    app.button(key="start").click().run()
    (run,) = Store().runs()
    assert isinstance(run.config.dataset, FolderConfig)
    assert run.config.dataset.path == "pets"


def test_what_cannot_be_used_is_a_sentence(visit: Visit) -> None:
    app = visit(PAGE, dataset="folder")
    upload = next(each for each in app.get("file_uploader") if each.label == "Zip of pictures")
    upload.set_value([("pets.zip", b"PK\x03\x04 broken", "application/zip")]).run()
    app.button(key="add own pictures").click().run()
    assert not app.exception
    assert "damaged zip" in words(app)
    assert Folder.kept_names() == []


def test_a_link_names_a_set_or_a_folder(visit: Visit, tmp_path: Path) -> None:
    folder = draw_classes(tmp_path / "pics", {f"c{n:02d}": 7 for n in range(30)})
    (folder / "c00" / "broken.png").write_bytes(b"x")
    app = visit(PAGE, dataset="folder", set=[f"data.dataset.path:{folder}"])
    assert start_is_possible(app), words(app)
    assert picked(app) == str(folder)
    assert "broken.png" in words(app)


def test_in_a_class_no_other_folder_is_read(
    visit: Visit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = draw_classes(tmp_path / "pics", {f"c{n:02d}": 7 for n in range(30)})
    library.add("folder", folder, called="for all")
    room = Classroom(Limits(), digest("teacher", "a-teachers-key"))
    monkeypatch.setenv(VARIABLE, room.to_json())
    monkeypatch.setattr(visitor, "_cookie", lambda: "a" * 43)
    for path in (str(folder), "/etc", "for all/.."):
        app = visit(PAGE, dataset="folder", set=[f"data.dataset.path:{path}"])
        assert not app.exception
        assert "on a server for a class" in words(app)
        assert not start_is_possible(app)
    app = visit(PAGE, dataset="folder", set=["data.dataset.path:for all"])
    assert start_is_possible(app), words(app)
