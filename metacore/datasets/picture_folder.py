"""Which pictures a folder holds, class by class, from their names alone: nothing is opened.

Four layouts are known: three lists of pictures (train.csv, val.csv and test.csv with the columns
filename and label, as miniImageNet's), beside the pictures or a folder `images` of them; the
folders train, val and test with a folder per class in each; and a folder per class, with or
without lists of classes (train.txt, val.txt and test.txt, a class per line).

A folder may be anything: no more than three floors of it are looked at, so that links that lead
in a circle end; what is no ordinary file is never opened.
"""

import csv
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from metacore.datasets.base import SPLITS
from metacore.errors import UserError
from metacore.filenames import shown

ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
MOST_FILES = 1_000_000
LONGEST_LIST = 64 * 2**20  # bytes of a list
OTHER_NAMES = {"valid": "val", "validation": "val"}
IMAGES = "images"


class File(NamedTuple):
    path: str
    bytes: int
    changed: int  # in nanoseconds


@dataclass(frozen=True)
class FoundClass:
    part: str  # train, val or test; "" where the folder does not say
    name: str
    files: tuple[File, ...]


@dataclass
class Listing:
    """What is there, and a sentence for each kind of thing that is left out."""

    asked: Path  # the folder that was named
    stamp: tuple[int, ...]  # of when it was looked at
    folder: Path  # where its classes are
    classes: list[FoundClass] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def pictures(self) -> int:
        return sum(len(found.files) for found in self.classes)

    @property
    def digest(self) -> str:
        """Changes with every picture that comes, goes or changes."""
        seen = hashlib.blake2b(os.fsencode(self.folder), digest_size=12)
        for each in self.classes:
            seen.update(f"\n{each.part}\n{each.name!r}\n{each.files!r}".encode())
        return seen.hexdigest()


def listed(folder: Path) -> Listing:
    """The classes of a folder, by name; raises UserError where there are none."""
    seen = stamp(folder)
    found = Listing(folder, seen, folder := _unwrapped(folder))
    if lists := _lists(folder, ".csv"):
        _from_lists(found, lists)
    elif parts := _parts(folder):
        for part, place in parts.items():
            _from_folders(found, place, {}, part)
    else:
        _from_folders(found, folder, named := _named_classes(folder))
        _leave_out_unnamed(found, named)
    found.classes.sort(key=lambda each: (each.part, each.name))
    if not found.classes:
        raise UserError(
            f"{shown(str(folder))} has no pictures in folders: it needs a folder per class with"
            " PNG, JPEG or WebP pictures in it, or train, val and test with such folders in them."
        )
    return found


def stamp(folder: Path) -> tuple[int, ...]:
    """Changes when a picture comes or goes: when each folder was last changed. A moment's look."""
    try:
        places = [folder, *_folders(folder)]
        places += [inner for place in places[1:] for inner in _folders(place)]
        return tuple(os.stat(place).st_mtime_ns for place in places)
    except (OSError, UserError):
        return ()


def _unwrapped(folder: Path) -> Path:
    """A folder with nothing in it but one folder of folders stands for that one."""
    inside = _folders(folder)
    if len(inside) == 1 and _folders(inside[0]) and not _parts(folder) and not _pictures(folder):
        return inside[0]
    return folder


# --- layouts -------------------------------------------------------------------------------------


def _parts(folder: Path) -> dict[str, Path]:
    """train, val and test, where they hold folders."""
    found: dict[str, Path] = {}
    for place in _folders(folder):
        part = OTHER_NAMES.get(place.name.lower(), place.name.lower())
        if part in SPLITS and _folders(place):
            found[part] = place
    return found if "train" in found or len(found) > 1 else {}


def _from_folders(found: Listing, folder: Path, named: dict[str, str], usual: str = "") -> None:
    """A class per folder; `named` says which split some are in."""
    loose = len(_pictures(folder))
    if loose:
        found.left_out.append(
            f"{loose} pictures lie directly in {shown(str(folder))}, in no class: they are left"
            " out."
        )
    for place in _folders(folder):
        try:
            files = _files(found, place)
        except UserError as error:
            found.left_out.append(str(error))
            continue
        _refuse_too_many(found, len(files))
        if files:
            name = _name(place)
            found.classes.append(FoundClass(named.get(name, usual), name, files))


def _files(found: Listing, place: Path) -> tuple[File, ...]:
    """The pictures of a class by name, as far as they are ordinary files."""
    files, others = [], []
    for entry in _entries(place):
        if not entry.name.lower().endswith(ENDINGS):
            others.append(entry.name)
            continue
        try:
            facts = entry.stat()
        except OSError as error:
            found.left_out.append(f"{_name(place)}/{shown(entry.name)}: {error.strerror}.")
            continue
        if not stat.S_ISREG(facts.st_mode):
            others.append(entry.name)
            continue
        files.append(File(entry.path, facts.st_size, facts.st_mtime_ns))
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        found.left_out.append(
            f"{_name(place)}: {shown(others[0])}{more} left out, by the name no PNG, JPEG or WebP"
            " picture."
        )
    return tuple(files)


def _refuse_too_many(found: Listing, more: int) -> None:
    if found.pictures + more > MOST_FILES:
        raise UserError(
            f"{shown(str(found.folder))} has more than {MOST_FILES:,} pictures: name a smaller"
            " folder."
        )


def _named_classes(folder: Path) -> dict[str, str]:
    """Which split a class is in, by the lists of classes beside the folders."""
    found: dict[str, str] = {}
    for part, path in _lists(folder, ".txt").items():
        for line in _text(path).splitlines():
            name = line.strip()
            if name and found.setdefault(name, part) != part:
                raise UserError(
                    f"The class {shown(name)} stands in {found[name]}.txt and in {part}.txt: a"
                    " class belongs to one of them."
                )
    return found


def _leave_out_unnamed(found: Listing, named: dict[str, str]) -> None:
    """Where lists say which split a class is in, those on none are in none."""
    others = [each.name for each in found.classes if named and not each.part]
    if others:
        found.classes = [each for each in found.classes if each.part]
        found.left_out.append(
            f"{len(others)} classes stand in no list, such as {shown(others[0])}: they are left"
            " out."
        )


def _from_lists(found: Listing, lists: dict[str, Path]) -> None:
    images = found.folder / IMAGES
    beside = images if images.is_dir() else found.folder
    there = {entry.name: entry for entry in _entries(beside)}
    for part, path in lists.items():
        classes: dict[str, list[File]] = {}
        missing = []
        for name, label in _rows(path):
            file = _listed_file(name, beside, there)
            if file is None:
                missing.append(name)
            else:
                classes.setdefault(label, []).append(file)
        if missing:
            found.left_out.append(
                f"{len(missing)} pictures of {path.name} are not there, such as"
                f" {shown(missing[0])}: they are left out."
            )
        for label, files in classes.items():
            _refuse_too_many(found, len(files))
            found.classes.append(FoundClass(part, label, tuple(files)))


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    table = csv.DictReader(_text(path).splitlines())
    if not {"filename", "label"} <= set(table.fieldnames or ()):
        raise UserError(
            f"{shown(str(path))} needs the columns filename and label in its first line, as the"
            " lists of miniImageNet have them."
        )
    try:
        for row in table:
            if row["filename"] and row["label"]:
                yield row["filename"].strip(), row["label"].strip()
    except csv.Error as error:
        raise UserError(f"{shown(str(path))} is not a table ({error}).") from None


def _listed_file(name: str, beside: Path, there: dict[str, "os.DirEntry[str]"]) -> File | None:
    """A picture that a list names; one outside the folder counts as missing."""
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or not name.lower().endswith(ENDINGS):
        return None
    try:
        entry = there.get(name)
        facts = os.stat(beside / parts) if entry is None else entry.stat()
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(facts.st_mode):
        return None
    return File(str(beside / parts), facts.st_size, facts.st_mtime_ns)


# --- looking -------------------------------------------------------------------------------------


def _entries(folder: Path) -> list["os.DirEntry[str]"]:
    """Everything in a folder but hidden files, by name."""
    try:
        with os.scandir(folder) as inside:
            seen = [entry for entry in inside if not entry.name.startswith(".")]
    except (OSError, ValueError) as error:  # a name with a zero byte is no name
        why = getattr(error, "strerror", None) or "it is no name of a folder"
        raise UserError(f"{shown(str(folder))} cannot be read as a folder: {why}.") from None
    return sorted(seen, key=lambda entry: entry.name)


def _folders(folder: Path) -> list[Path]:
    return [Path(entry.path) for entry in _entries(folder) if _is_folder(entry)]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _pictures(folder: Path) -> list[str]:
    """Those that lie directly in it."""
    return [entry.name for entry in _entries(folder) if entry.name.lower().endswith(ENDINGS)]


def _lists(folder: Path, ending: str) -> dict[str, Path]:
    paths = {part: folder / f"{part}{ending}" for part in SPLITS}
    return {part: path for part, path in paths.items() if path.is_file()}


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LONGEST_LIST:
            raise UserError(f"{shown(str(path))} is larger than {LONGEST_LIST // 2**20} MB.")
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise UserError(f"{shown(str(path))} cannot be read: {error.strerror}.") from None


def _name(place: Path) -> str:
    """Of a class, in letters that can be printed: a name need not be UTF-8."""
    clean = os.fsencode(place.name).decode("utf-8", errors="replace")
    return "".join(letter if letter.isprintable() else "?" for letter in clean)
