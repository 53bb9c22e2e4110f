"""What people have uploaded lately, so that a reload of the page shows it again.

An upload is a folder. At first it holds the files as they came; once they are read, the trial they
became, which is small, and the files are gone. Every change makes another upload, so that Back
leads to what was there before. They go by themselves, as nobody has asked for them to be kept.
"""

import json
import re
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO

from metacore import home
from metacore.archives import Source
from metacore.atomic import write_whole
from metacore.errors import UserError
from metacore.trial.additions import EMPTY, with_examples, with_queries
from metacore.trial.document import from_json, to_json
from metacore.trial.photographs import Reader, Uploaded
from metacore.trial.task import Trial

MOST, MOST_DAYS = 500, 30
MOST_FILES = 1000
MOST_UNREAD = 2 * 10**9  # bytes of files that are not read yet
PATIENCE = 3600.0  # seconds after which unread files make room for others
_ID = re.compile(r"[0-9a-f]{16}")
_NOTE, _TRIAL, _FILES = "note.json", "trial.json", "files"


@dataclass(frozen=True, kw_only=True)
class Note:
    """What is known of an upload besides its pictures."""

    before: str = ""  # the upload this one was added to
    owner: str = ""  # whoever may remove it
    query: bool = False  # pictures to recognise, as opposed to examples
    loose: str = ""  # the class of examples that lie in no folder
    files: tuple[str, ...] = ()  # their names
    total: int = 0  # of pictures, or what might be one
    refused: tuple[str, ...] = ()  # a sentence for each that is none, once they are read


# --- from files to a trial -----------------------------------------------------------------------


def begin(note: Note, files: Sequence[tuple[str, bytes | memoryview]]) -> str:
    """Puts files down to be read; the id of the upload."""
    if len(files) > MOST_FILES:
        raise UserError(f"{len(files)} files are too many at once: {MOST_FILES} may be uploaded.")
    assert files, "an upload has files"
    _make_room(sum(len(data) for _, data in files))
    upload = secrets.token_hex(8)
    folder = _folder(upload) / _FILES
    try:
        folder.mkdir(parents=True)
        for number, (_, data) in enumerate(files):
            (folder / str(number)).write_bytes(data)
        note = replace(note, files=tuple(name for name, _ in files))
        total = len(Reader(sources(upload, note)).entries)
        _write(upload, replace(note, total=total))
    except OSError as error:
        shutil.rmtree(_folder(upload), ignore_errors=True)
        raise UserError(
            f"There is no room for this upload in {home.uploads_folder()}: {error.strerror}."
        ) from error
    return upload


def sources(upload: str, note: Note | None = None) -> list[Source]:
    """The files that are to be read."""
    files, names = _folder(upload) / _FILES, (note or note_of(upload)).files
    return [
        Source(name, partial(_opened, files / str(number))) for number, name in enumerate(names)
    ]


def complete(upload: str, read: Uploaded) -> Trial:
    """Adds what was read to the upload before; that one has to be complete."""
    note = note_of(upload)
    before = trial_of(note.before) if note.before else EMPTY
    if before is None:
        raise UserError("What these pictures were added to is not read yet.")
    trial, said = added(before, note, read)
    _finish(upload, trial, replace(note, refused=(*read.refused, *said)))
    return trial


def added(before: Trial, note: Note, read: Uploaded) -> tuple[Trial, list[str]]:
    """With what has been read so far; and a sentence for what is too much."""
    if note.query:
        return with_queries(before, read)
    return with_examples(before, read, note.loose)


def save(trial: Trial, note: Note) -> str:
    """A trial that needs no reading: something was taken away, or a file was opened."""
    _make_room(0)
    upload = secrets.token_hex(8)
    _finish(upload, trial, note)
    return upload


def _finish(upload: str, trial: Trial, note: Note) -> None:
    """The trial is there before the files are gone."""
    document = to_json(trial)
    try:
        _folder(upload).mkdir(parents=True, exist_ok=True)
        _write(upload, note)
        write_whole(_folder(upload) / _TRIAL, document)
    except OSError as error:
        raise UserError(f"{_folder(upload)} cannot be written: {error.strerror}.") from error
    shutil.rmtree(_folder(upload) / _FILES, ignore_errors=True)


# --- what is there -------------------------------------------------------------------------------


def known(upload: str) -> bool:
    return bool(_ID.fullmatch(upload)) and (_folder(upload) / _NOTE).is_file()


def note_of(upload: str) -> Note:
    if not known(upload):
        raise _gone()
    try:
        found = json.loads((_folder(upload) / _NOTE).read_text(encoding="utf-8"))
        lists = {name: tuple(found[name]) for name in ("files", "refused")}
        return Note(**{**found, **lists})
    except (OSError, ValueError, TypeError, KeyError):
        raise _gone() from None


def trial_of(upload: str) -> Trial | None:
    """What it became; None while it is being read."""
    note_of(upload)
    try:
        return from_json((_folder(upload) / _TRIAL).read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"The upload {upload} cannot be read: {error.strerror}.") from error


def remove(upload: str, owner: str) -> None:
    """And all that led to it, as far as it is theirs."""
    while upload and known(upload):
        note = note_of(upload)
        if note.owner != owner:
            return
        shutil.rmtree(_folder(upload), ignore_errors=True)
        upload = note.before


def _opened(file: Path) -> BinaryIO:
    return open(file, "rb")


def _write(upload: str, note: Note) -> None:
    write_whole(_folder(upload) / _NOTE, json.dumps(asdict(note)).encode())


def _folder(upload: str) -> Path:
    return home.uploads_folder() / upload


def _gone() -> UserError:
    return UserError(
        "This upload is no longer on this computer: uploads are kept for"
        f" {MOST_DAYS} days, and the last {MOST} of them. Upload the files again."
    )


# --- what goes -----------------------------------------------------------------------------------


def _make_room(needed: int) -> None:
    """For one more, of so many bytes."""
    now = time.time()
    oldest = sorted(_ages(now), reverse=True)
    for number, (age, folder) in enumerate(oldest):
        stale = (folder / _FILES).exists() and age > PATIENCE
        if age > MOST_DAYS * 86400 or len(oldest) - number >= MOST or stale:
            shutil.rmtree(folder, ignore_errors=True)
    waiting = home.uploads_folder().glob(f"*/{_FILES}/*")
    if sum(file.stat().st_size for file in waiting if file.exists()) + needed > MOST_UNREAD:
        raise UserError("Too many uploads are being read at the moment: try again in a minute.")


def _ages(now: float) -> Iterator[tuple[float, Path]]:
    for folder in home.uploads_folder().glob("*"):
        try:
            yield now - folder.stat().st_mtime, folder
        except OSError:  # somebody else has just removed it
            continue
