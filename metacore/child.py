"""Child processes: they find their parent's program, wherever they start, and are modest."""

import contextlib
import os
import sys
from pathlib import Path

NICENESS = 10  # pages should answer at once while all cores train

_PACKAGE_FOLDER = Path(__file__).parents[1]  # where `metacore` itself is found


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(_PACKAGE_FOLDER), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def be_nice(niceness: int = NICENESS) -> None:
    """Lets whoever waits for an answer go first, where the system knows how."""
    if hasattr(os, "nice"):
        with contextlib.suppress(OSError):
            os.nice(niceness)


def limit_memory(memory: int) -> None:
    """Beyond this, an allocation of this process fails instead of pushing others out of memory."""
    if sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        limit = memory if hard == resource.RLIM_INFINITY else min(memory, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
