"""Trials that somebody chose to keep on this computer: JSON documents named after their contents.

What is in a document is the business of `metacore.trial`; here it is bytes. The same trial kept
twice is one file, and there is an end to how many there are, for anyone may press the button.
"""

import hashlib
import re
from pathlib import Path
from threading import Lock

from metacore import home
from metacore.atomic import write_whole
from metacore.errors import UserError
from metacore.trial.document import LARGEST

MOST = 1000
_NAME = re.compile(r"[0-9a-f]{16}")
_KEEPING = Lock()  # two people of one server may keep the same trial at once


def save(document: bytes) -> str:
    """The id under which the trial can be opened from now on."""
    if len(document) > LARGEST:
        raise UserError(
            f"A kept trial may have up to {LARGEST // 1_000_000} MB, and this one has more: save"
            " it as a file of your own instead."
        )
    name = hashlib.sha256(document).hexdigest()[:16]
    path = _path(name)
    with _KEEPING:
        if not path.exists():
            _make_room(path.parent)
            write_whole(path, document)
    return name


def load(name: str) -> bytes:
    """The document kept under this id."""
    try:
        if _NAME.fullmatch(name):
            return _path(name).read_bytes()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise UserError(f"The kept trial {name} cannot be read: {error.strerror}.") from error
    raise UserError(
        "There is no such trial on this computer (any more): ask whoever sent the link for the"
        " trial's file, and load that."
    )


def _make_room(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be written to: {error.strerror}.") from error
    if sum(1 for _ in folder.glob("*.json")) >= MOST:
        raise UserError(
            f"{MOST} trials are kept here already. Save this one as a file, or remove some from"
            f" {folder}."
        )


def _path(name: str) -> Path:
    return home.trials_folder() / f"{name}.json"
