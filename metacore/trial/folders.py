"""Pictures in folders on this computer, a folder per class.

Unlike an upload, a folder was put together by whoever names it: the first file that cannot be used
ends the reading with its sentence, so that nothing is left out unnoticed.
"""

from collections.abc import Iterator
from pathlib import Path

from metacore.archives import LOOSE
from metacore.decoding import MOST_BYTES
from metacore.errors import UserError
from metacore.trial.photographs import MOST_PICTURES, seen
from metacore.trial.picture import DRAWN, Picture


def read_classes(folder: Path, shape: tuple[int, ...] = DRAWN) -> dict[str, list[Picture]]:
    """The pictures of every class folder, by its name, as a network sees them."""
    found = read_folder(folder, shape)
    if LOOSE in found:
        raise UserError(
            f"{found[LOOSE][0].name} lies directly in {folder}: put each picture into a folder"
            " named after its class."
        )
    return found


def read_folder(folder: Path, shape: tuple[int, ...] = DRAWN) -> dict[str, list[Picture]]:
    """The pictures of every class folder; under "" those that lie in none."""
    files = [(LOOSE, file) for file in _entries(folder) if not file.is_dir()]
    for each in _entries(folder):
        if each.is_dir():
            files += [(each.name, file) for file in _entries(each)]
    if not files:
        raise UserError(f"{folder} has no pictures in it.")
    if len(files) > MOST_PICTURES:
        raise UserError(f"{folder} has more than {MOST_PICTURES} files.")
    found: dict[str, list[Picture]] = {}
    for group, file in files:
        found.setdefault(group, []).append(_picture(file, folder, shape))
    return found


def _entries(folder: Path) -> Iterator[Path]:
    """Everything in a folder but hidden files, by name."""
    try:
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise UserError(f"{folder} cannot be read as a folder: {error.strerror}.") from None
    return (path for path in inside if not path.name.startswith("."))


def _picture(file: Path, folder: Path, shape: tuple[int, ...]) -> Picture:
    name = str(file.relative_to(folder))
    try:
        with file.open("rb") as stream:
            data = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise UserError(f"{name} cannot be read: {error.strerror}.") from None
    return Picture.of(name, seen(data, name, shape))
