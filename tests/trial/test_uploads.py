"""Zips and many files: what can be used is kept, what cannot is named."""

import io
import stat
import zipfile
from collections.abc import Callable

import pytest
import torch
from PIL import Image

from metacore import archives
from metacore.trial import photographs
from metacore.trial.photographs import Uploaded
from tests.trial.hands import file, scan
from tests.trial.reading import read_uploads, read_zip
from tests.trial.test_photographs import ink

GOOD = file(scan(ink()))


def packed(
    parts: dict[str, bytes], change: Callable[[zipfile.ZipInfo], None] | None = None
) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = zipfile.ZIP_DEFLATED
            if change:
                change(entry)
            archive.writestr(entry, content)
    return data.getvalue()


def names(found: Uploaded) -> dict[str, list[str]]:
    return {group: [each.name for each in pictures] for group, pictures in found.classes.items()}


def test_several_files() -> None:
    found = read_uploads([("a.png", GOOD), ("text.png", b"text"), ("b.png", GOOD)])
    assert names(found) == {"": ["a.png", "b.png"]}
    assert found.refused == ["text.png is not a PNG, JPEG or WebP picture."]
    assert torch.equal(found.classes[""][0].tensor, found.classes[""][1].tensor)
    assert int(found.classes[""][0].tensor.max()) > 200


def test_a_zip_has_a_folder_per_class() -> None:
    parts = {"alef/1.png": GOOD, "alef/2.png": GOOD, "all/bet/1.png": GOOD, "loose.png": GOOD}
    junk = {"__MACOSX/alef/._1.png": b"x", "alef/.DS_Store": b"x", "empty/": b""}
    found = read_zip("letters.zip", packed({**parts, **junk}))
    assert names(found) == {"alef": ["1.png", "2.png"], "bet": ["1.png"], "": ["loose.png"]}
    assert found.refused == []


@pytest.mark.parametrize(
    ("name", "content", "change", "sentence"),
    [
        ("../evil.png", GOOD, None, "climbs out of its folder."),
        ("a/../../evil.png", GOOD, None, "climbs out of its folder."),
        ("/evil.png", GOOD, None, "climbs out of its folder."),
        ("C:/evil.png", GOOD, None, "climbs out of its folder."),
        ("..\\evil.png", GOOD, None, "climbs out of its folder."),
        ("a/inner.zip", packed({"a.png": GOOD}), None, "is a zip within a zip."),
        ("a/inner.png", packed({"a.png": GOOD}), None, "is a zip within a zip."),
        ("a/text.png", b"text", None, "is not a PNG, JPEG or WebP picture."),
        ("a/cut.png", GOOD[:200], None, "is damaged or cut short."),
        ("a/white.png", file(Image.new("L", (50, 50), 255)), None, "shows no drawing"),
        ("a/huge.png", bytes(11 * 2**20), None, "is larger than 10 MB."),
        (
            "a/link.png",
            b"/etc/passwd",
            lambda entry: setattr(entry, "external_attr", (stat.S_IFLNK | 0o777) << 16),
            "is a link, not a picture.",
        ),
        (
            "a/packed.png",
            GOOD,
            lambda entry: setattr(entry, "compress_type", zipfile.ZIP_BZIP2),
            "is packed in a way that is not read here.",
        ),
    ],
)
def test_one_bad_file_does_not_spoil_the_rest(
    name: str, content: bytes, change: Callable[[zipfile.ZipInfo], None] | None, sentence: str
) -> None:
    bad, good = packed({name: content}, change), {"a/good.png": GOOD}
    found = read_uploads([("bad.zip", bad), ("good.zip", packed(good))])
    assert names(found) == {"a": ["good.png"]}
    (refused,) = found.refused
    assert name.rpartition("/")[2].rpartition("\\")[2] in refused
    assert sentence in refused


def test_an_encrypted_entry() -> None:
    data = bytearray(packed({"a/secret.png": GOOD}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + place] |= 1
    found = read_zip("a.zip", bytes(data))
    assert found.refused == ["a.zip/a/secret.png is encrypted."]


def test_a_wrong_checksum() -> None:
    data = bytearray(packed({"a/1.png": GOOD, "a/2.png": GOOD}))
    data[60] ^= 255
    found = read_zip("a.zip", bytes(data))
    assert names(found) == {"a": ["2.png"]}
    assert found.refused == ["a.zip/a/1.png is damaged in the zip."]


def test_no_zip_at_all() -> None:
    assert read_zip("a.zip", b"PK\x03\x04 and then nothing").refused == ["a.zip is a damaged zip."]
    assert read_zip("a.zip", packed({})).refused == ["a.zip has no pictures in it."]


def test_there_is_an_end_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photographs, "MOST_PICTURES", 2)
    found = read_uploads([(f"{n}.png", GOOD) for n in range(3)])
    assert found.refused == ["2.png is left out: an upload has at most 2 pictures."]
    monkeypatch.setattr(photographs, "MOST_PICTURES", 200)
    monkeypatch.setattr(photographs, "MOST_PIXELS_TOGETHER", 2 * 105 * 105)
    found = read_uploads([(f"{n}.png", GOOD) for n in range(3)])
    assert found.count == 2
    assert "2.png is left out" in found.refused[0]
    monkeypatch.setattr(archives, "MOST_ENTRIES", 2)
    many = packed({f"a/{n}.png": GOOD for n in range(3)})
    assert read_zip("a.zip", many).refused == ["a.zip has more than 2 files."]
    monkeypatch.setattr(archives, "MOST_UNPACKED", len(GOOD) + 1)
    two = packed({f"a/{n}.png": GOOD for n in range(2)})
    assert "a.zip/a/1.png is left out" in read_zip("a.zip", two).refused[0]
    monkeypatch.setattr(archives, "MOST_PACKED", 10)
    assert "a.zip is larger than" in read_zip("a.zip", two).refused[0]
