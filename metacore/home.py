"""Where Metacore keeps what it makes: $METACORE_HOME, or ~/.metacore. And who else lives there."""

import os
from pathlib import Path

CLASS_VARIABLE = "METACORE_CLASS"  # how `metacore serve --class` tells the server its rules


def home() -> Path:
    return Path(os.environ.get("METACORE_HOME") or Path.home() / ".metacore").expanduser()


def data_folder() -> Path:
    return home() / "data"


def weights_folder() -> Path:
    return data_folder() / "weights"


def cache_folder() -> Path:
    return home() / "cache"


def runs_folder() -> Path:
    return home() / "runs"


def trials_folder() -> Path:
    return home() / "trials"


def uploads_folder() -> Path:
    return trials_folder() / "uploads"


def shared() -> bool:
    """Whether strangers use this computer through a server for a class, and name what is read."""
    return bool(os.environ.get(CLASS_VARIABLE))
