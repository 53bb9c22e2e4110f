"""Folders of pictures that were added: copied, so that the original may go, and known by a name."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from metacore import home
from metacore.datasets.arriving import made
from metacore.datasets.picture_folder import Listing, listed
from metacore.errors import UserError
from metacore.filenames import shown

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _-]{0,39}")


def kept() -> Path:
    return home.data_folder() / "folders"


def names() -> list[str]:
    """Of all that were added."""
    try:
        return sorted(each.name for each in kept().iterdir() if is_kept(each.name))
    except OSError:
        return []


def is_kept(word: str) -> bool:
    """Whether this is the name of a folder that was added."""
    return bool(NAME.fullmatch(word)) and (kept() / word).is_dir()


def place(path: str) -> Path:
    """What a setting means: a folder that was added, or, at one's own computer, any."""
    if is_kept(path):
        return kept() / path
    if home.shared():
        raise UserError(f"On a server for a class, {shown(path)!r} is no folder. {there()}")
    return Path(path).expanduser().absolute()


def there() -> str:
    """Which were added, in a sentence."""
    known = names()
    if not known:
        return "Nothing was added yet: upload a zip of pictures, or ask whoever keeps the server."
    return f"There is {' and '.join(filter(None, [', '.join(known[:-1]), known[-1]]))}."


def add(folder: Path, name: str) -> Path:
    """Copies what it holds of pictures and lists, and says where they are now."""
    if not folder.is_dir():
        raise UserError(f"{shown(str(folder))} is not a folder.")
    with tempfile.TemporaryDirectory(dir=made(kept()), prefix=".adding-") as scratch:
        fresh = Path(scratch, "fresh")
        fresh.mkdir()
        _copy(listed(folder), fresh)
        return put(fresh, name)


def put(fresh: Path, name: str) -> Path:
    """Moves a folder to where it is known by this name."""
    refuse_bad_name(name)
    target = kept() / name
    if target.exists():
        raise UserError(
            f"There is a folder called {name} already: choose another name, or remove {target}."
        )
    fresh.rename(target)
    return target


def refuse_bad_name(name: str) -> None:
    if not NAME.fullmatch(name):
        raise UserError(
            "The name of a folder has up to 40 letters from a to z, digits, spaces, - and _, and"
            f" begins with a letter or a digit: {shown(name)!r} does not fit."
        )


def free_name(wanted: str) -> str:
    """The name, made of what it may have and with a number where it is taken."""
    clean = re.sub(r"[^A-Za-z0-9 _-]+", "-", wanted).strip("-_ ")[:32].strip() or "pictures"
    taken, number, found = set(names()), 2, clean
    while found in taken:
        found, number = f"{clean} {number}", number + 1
    return found


def _copy(found: Listing, target: Path) -> None:
    """A folder per class, in its part; pictures of lists keep their class."""
    for each in found.classes:
        where = _unused(target / each.part / safe(each.name))
        where.mkdir(parents=True)
        for file in each.files:
            shutil.copyfile(file.path, _unused(where / safe(os.path.basename(file.path))))


def _unused(path: Path) -> Path:
    """The path, or one with a number where two names became one."""
    number, found = 2, path
    while found.exists():
        found, number = path.with_name(f"{path.stem} {number}{path.suffix}"), number + 1
    return found


def safe(name: str) -> str:
    """Of a class or a picture, as a name on any computer; its ending stays."""
    clean = os.fsencode(name).decode("utf-8", errors="replace")
    clean = re.sub(r'[<>:"/\\|?*\x00-\x1f\ufffd]', "_", clean).strip(" .")
    stem, ending = os.path.splitext(clean)
    return f"{stem[:80]}{ending[:10]}" or "_"
