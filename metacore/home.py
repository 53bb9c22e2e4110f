"""Where Metacore keeps what it makes: $METACORE_HOME, or ~/.metacore."""

import os
from pathlib import Path


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
