"""The data on this computer: what is there, and how more of it gets there.

`get` downloads the archives torchvision knows of; `add` takes a folder a person already has. Both
end in the same place: pictures are picked out of the archives one by one by their expected names,
gathered in a temporary folder, checked, and moved into place only when complete.
"""

import errno
import hashlib
import http.client
import os
import re
import stat
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from metacore import home
from metacore.datasets import DATASETS, omniglot
from metacore.errors import UserError
from metacore.vision import torchvision

Progress = Callable[[str, int, int | None], None]  # what, bytes so far, bytes in all if known

_PICTURE = re.compile(r"(images_\w+)/([^/\\]+/character\d\d)/([\w-]+\.png)")
_LARGEST_PICTURE = 100_000  # bytes; real ones have a few hundred
_MOST_MEMBERS = 100_000  # entries of an archive; real ones have about 20,000
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Holding:
    """What this computer has of one dataset."""

    name: str
    title: str
    ready: bool
    where: Path | None  # None for a dataset that needs no files
    bytes: int
    how: str  # how to get it, or that there is nothing to get


def ready(name: str) -> bool:
    """Whether a dataset can be used now; unlike `status` it looks at no sizes."""
    return name != omniglot.Omniglot.name or omniglot.ready()


def status() -> list[Holding]:
    return [_holding(name) for name in DATASETS]


def get(name: str, progress: Progress | None = None) -> Path:
    """Downloads a dataset and says where it is."""
    _must_need_files(name)
    with _in_sentences(), tempfile.TemporaryDirectory(dir=_made(home.data_folder())) as scratch:
        for part in omniglot.PARTS:
            _download(part, Path(scratch), progress)
        return _install(Path(scratch))


def add(name: str, folder: Path) -> Path:
    """Takes a dataset from archives or pictures in a folder and says where it is now."""
    _must_need_files(name)
    with _in_sentences():
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder: name the one that holds {_wanted()}.")
        return _install(folder)


def _holding(name: str) -> Holding:
    title = DATASETS[name].title
    if name == omniglot.Omniglot.name:
        where = omniglot.folder()
        how = "metacore data get omniglot, or metacore data add omniglot FOLDER"
        return Holding(name, title, ready(name), where, _size(where), how)
    where = home.data_folder() / name
    size = _size(where)
    return Holding(name, title, True, where if size else None, size, "nothing to get: made here")


def _size(folder: Path) -> int:
    files = (Path(place) / name for place, _, names in os.walk(folder) for name in names)
    return sum(file.lstat().st_size for file in files)


def _must_need_files(name: str) -> None:
    if name not in DATASETS:
        raise UserError(f"There is no dataset {name!r}: choose one of {', '.join(DATASETS)}.")
    if name != omniglot.Omniglot.name:
        raise UserError(f"{name} needs no files: it is made on this computer.")


def _wanted() -> str:
    return " and ".join(f"{part}.zip (or {part})" for part in omniglot.PARTS)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def _in_sentences() -> Iterator[None]:
    """Turns what a disk refuses into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise UserError(
                f"The disk that holds {home.data_folder()} is full: free some space, or set"
                " METACORE_HOME to a folder on another disk."
            ) from error
        raise UserError(f"{error.filename or home.data_folder()}: {error.strerror}.") from error


# Downloading


def _download(part: str, folder: Path, progress: Progress | None) -> None:
    source = torchvision().datasets.Omniglot
    address = f"{source.download_url_prefix}/{part}.zip"
    path = folder / f"{part}.zip"
    try:
        with urllib.request.urlopen(address, timeout=30) as answer, path.open("wb") as file:
            length = answer.headers.get("Content-Length")
            total = int(length) if length else None
            digest = _copy(answer.read, file.write, part, total, progress)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
        raise UserError(
            f"{address} cannot be reached ({getattr(error, 'reason', error)}). If you have"
            f" {_wanted()} in some folder, use `metacore data add omniglot FOLDER`."
        ) from error
    if digest != source.zips_md5[part]:
        raise UserError(f"{address} did not arrive whole: try `metacore data get omniglot` again.")


def _copy(
    read: Callable[[int], bytes],
    write: Callable[[bytes], object],
    what: str,
    total: int | None,
    progress: Progress | None,
) -> str:
    """Copies to the end, tells how far it is, and returns the checksum."""
    digest, done = hashlib.md5(usedforsecurity=False), 0
    while block := read(_BLOCK):
        write(block)
        digest.update(block)
        done += len(block)
        if progress is not None:
            progress(what, done, total)
    return digest.hexdigest()


# Gathering, checking, moving into place


def _install(source: Path) -> Path:
    target = omniglot.folder()
    with tempfile.TemporaryDirectory(dir=_made(target.parent), prefix=".adding-") as scratch:
        fresh = Path(scratch, "fresh")
        for part in omniglot.PARTS:
            _gather(part, source, fresh)
        _must_be_complete(fresh)
        omniglot.load(fresh)  # decodes every picture, so a damaged one is found now
        _replace(target, fresh, aside=Path(scratch, "old"))
    return target


def _replace(target: Path, fresh: Path, aside: Path) -> None:
    """Moves a folder into place; if that fails, what was there before stays."""
    if target.exists():
        target.rename(aside)
    try:
        fresh.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise


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
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise UserError(f"{path} cannot be unpacked ({error}).") from error


def _must_be_harmless(path: Path, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > _MOST_MEMBERS:
        raise UserError(f"{path} is not Omniglot: it has {len(members)} entries.")
    for member in members:
        steps = member.filename.replace("\\", "/").split("/")
        outside = member.filename.startswith(("/", "\\")) or ".." in steps or ":" in steps[0]
        if outside or stat.S_ISLNK(member.external_attr >> 16):
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
