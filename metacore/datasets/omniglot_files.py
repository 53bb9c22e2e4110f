"""Omniglot's files: two archives of pictures, downloaded or taken from a folder a person has.

Pictures are picked out of the archives one by one by their expected names.
"""

import re
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

from metacore import home
from metacore.datasets import omniglot_pictures as omniglot
from metacore.datasets.arriving import download, made, put_in_place
from metacore.datasets.base import Progress
from metacore.errors import UserError
from metacore.vision import torchvision
from metacore.zips import DAMAGED, is_link, leads_outside

_PICTURE = re.compile(r"(images_\w+)/([^/\\]+/character\d\d)/([\w-]+\.png)")
_LARGEST_PICTURE = 100_000  # bytes; real ones have a few hundred
_MOST_MEMBERS = 100_000  # entries of an archive; real ones have about 20,000


def get(progress: Progress | None = None) -> Path:
    """Downloads the archives torchvision knows of."""
    source = torchvision().datasets.Omniglot
    again = f"If you have {_wanted()} in some folder, use `metacore data add omniglot FOLDER`."
    with tempfile.TemporaryDirectory(dir=made(home.data_folder())) as scratch:
        for part in omniglot.PARTS:
            address = f"{source.download_url_prefix}/{part}.zip"
            path = Path(scratch, f"{part}.zip")
            download(address, path, source.zips_md5[part], again, progress)
        return _install(Path(scratch))


def add(folder: Path) -> Path:
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder: name the one that holds {_wanted()}.")
    return _install(folder)


def _wanted() -> str:
    return " and ".join(f"{part}.zip (or {part})" for part in omniglot.PARTS)


def _install(source: Path) -> Path:
    target = omniglot.folder()
    with tempfile.TemporaryDirectory(dir=made(target.parent), prefix=".adding-") as scratch:
        fresh = Path(scratch, "fresh")
        for part in omniglot.PARTS:
            _gather(part, source, fresh)
        _must_be_complete(fresh)
        omniglot.load(fresh)  # decodes every picture, so a damaged one is found now
        put_in_place(target, fresh, aside=Path(scratch, "old"))
    return target


def _gather(part: str, source: Path, target: Path) -> None:
    """Copies one part's pictures from an archive or a folder, at the top or one level down."""
    for place in (source, *sorted(path for path in source.iterdir() if path.is_dir())):
        if (place / f"{part}.zip").is_file():
            return _unpack(place / f"{part}.zip", part, target)
        if (place / part).is_dir():
            return _collect(place / part, part, target)
    raise UserError(f"{source} has neither {part}.zip nor a folder {part}.")


def _collect(folder: Path, part: str, target: Path) -> None:
    for file in sorted(folder.glob("*/*/*.png")):
        found = _PICTURE.fullmatch(f"{part}/{file.relative_to(folder).as_posix()}")
        if found and file.is_file() and file.stat().st_size <= _LARGEST_PICTURE:
            _put(target / found[0], file.read_bytes())


def _unpack(path: Path, part: str, target: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _must_be_harmless(path, members)
            for member in members:
                found = _PICTURE.search(member.filename)
                if found and found[1] == part and found.end() == len(member.filename):
                    _put(target / found[0], archive.read(member))
    except DAMAGED as error:
        raise UserError(f"{path} cannot be unpacked ({error}).") from error


def _must_be_harmless(path: Path, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > _MOST_MEMBERS:
        raise UserError(f"{path} is not Omniglot: it has {len(members)} entries.")
    for member in members:
        if leads_outside(member) or is_link(member):
            raise UserError(f"{path} is not Omniglot: {member.filename!r} would lead outside it.")
        if member.file_size > _LARGEST_PICTURE:
            raise UserError(
                f"{path} is not Omniglot: {member.filename} has {member.file_size:,} bytes."
            )


def _put(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


def _must_be_complete(tree: Path) -> None:
    missing = [line for part in omniglot.PARTS for line in _missing(tree, part)]
    if missing:
        more = f"; and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise UserError(f"Omniglot is not complete: {'; '.join(missing[:5])}{more}.")


def _missing(tree: Path, part: str) -> list[str]:
    drawings = Counter(
        f"{file.parent.parent.name}/{file.parent.name}" for file in tree.glob(f"{part}/*/*/*.png")
    )
    wanted = omniglot.characters("parts", part)
    absent = [name for name in wanted if not drawings[name]]
    lines = [
        f"{part}/{name} has {drawings[name]} of {omniglot.DRAWINGS} drawings"
        for name in wanted
        if drawings[name] and drawings[name] != omniglot.DRAWINGS
    ]
    if absent:
        some = ", ".join(absent[:3]) + (" and others" if len(absent) > 3 else "")
        lines.insert(0, f"{part} lacks {len(absent)} of {len(wanted)} characters ({some})")
    return lines
