"""How long a piece of work may take."""

import time
from collections.abc import Iterator


def until(seconds: float) -> Iterator[None]:
    """Turns of a loop: one at least, and more as long as there is time."""
    end = time.monotonic() + seconds
    yield
    while time.monotonic() < end:
        yield
