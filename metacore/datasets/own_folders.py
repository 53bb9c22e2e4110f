"""Folders of pictures that were added: copied, so that the original may go, and known by a name."""

import os
import re
import shutil
import tempfile
from pathlib import Path

from metacore import home
from metacore.archives import Entry, Limits, Source
from metacore.archives import listed as listed_in_zip
from metacore.datasets.arriving import in_sentences, made
from metacore.datasets.base import SPLITS
from metacore.datasets.picture_folder import ENDINGS, OTHER_NAMES, Listing, listed
from metacore.decoding import pixels_of
from metacore.errors import UserError
from metacore.filenames import shown

UPLOAD = Limits(entries=20_000, packed=200 * 2**20, unpacked=500 * 2**20, longest_list=2**22)
MOST_SHARED, MOST_SHARED_BYTES = 30, 2 * 10**9  # of all uploads to a server for a class
NO_PICTURES = (
    "{name} has no pictures in folders: a class is a folder of PNG, JPEG or WebP pictures."
)
OTHERS = (*OTHER_NAMES,)
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


# --- from a zip that somebody sends --------------------------------------------------------------


def upload(source: Source, called: str) -> tuple[str, list[str]]:
    """The name it has now, and a sentence for each thing in the zip that was left out.

    Its folders are classes, in train, val and test or not. Nothing of it is written under a name
    of its own choosing but a class, and only what its first bytes call a picture.
    """
    refuse_bad_name(called)
    refuse_hoarding()
    with (
        in_sentences(),
        tempfile.TemporaryDirectory(dir=made(kept()), prefix=".adding-") as scratch,
    ):
        fresh = Path(scratch, "fresh")
        left_out: list[str] = []
        fresh.mkdir()
        for entry in listed_in_zip(source, UPLOAD):
            said = entry if isinstance(entry, str) else _unpack(entry, fresh)
            if said:
                left_out.append(said)
        if not any(fresh.iterdir()):
            raise UserError(" ".join([NO_PICTURES.format(name=shown(source.name)), *left_out[:3]]))
        listed(fresh)
        return put(fresh, called).name, left_out


def refuse_hoarding() -> None:
    """Strangers fill no more than a share of a server's disk."""
    if not home.shared():
        return
    size = sum(file.stat().st_size for file in kept().rglob("*") if file.is_file())
    if len(names()) >= MOST_SHARED or size > MOST_SHARED_BYTES:
        raise UserError(
            f"This server keeps at most {MOST_SHARED} sets of pictures and"
            f" {MOST_SHARED_BYTES / 1e9:g} GB of them, and it has {len(names())} with"
            f" {size / 1e9:.1f} GB: ask the teacher to remove some from {kept()}."
        )


def _unpack(entry: Entry, target: Path) -> str:
    """Puts a picture down; or why not."""
    if not entry.folders:
        return f"{shown(entry.where)} lies in no folder: it has no class."
    if not entry.name.lower().endswith(ENDINGS):
        return f"{shown(entry.where)} is by its name no PNG, JPEG or WebP picture."
    try:
        data = entry.read()
        pixels_of(data, entry.where)
    except UserError as error:
        return str(error)
    part = [name.lower() for name in entry.folders[-2:-1] if name.lower() in (*SPLITS, *OTHERS)]
    where = target.joinpath(*part, _harmless(entry.folders[-1]))
    where.mkdir(parents=True, exist_ok=True)
    _unused(where / safe(entry.name)).write_bytes(data)
    return ""


def _harmless(name: str) -> str:
    """A stranger's name of a class: letters, digits and little else."""
    return safe(re.sub(r"[^\w .,'+-]", "_", name))


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
