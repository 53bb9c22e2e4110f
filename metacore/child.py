"""Child processes find the same program as their parent, wherever they are started from."""

import os
from pathlib import Path

_PACKAGE_FOLDER = Path(__file__).parents[1]  # where `metacore` itself is found


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(_PACKAGE_FOLDER), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}
