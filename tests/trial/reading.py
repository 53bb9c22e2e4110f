"""What a server's helpers and its page do together, at once: uploaded files read and gathered."""

import io
from collections.abc import Iterable
from functools import partial

from metacore.archives import Source
from metacore.trial.photographs import Reader, Uploaded, gathered


def read_uploads(files: Iterable[tuple[str, bytes]]) -> Uploaded:
    """Several pictures and zips."""
    reader = Reader(Source(name, partial(io.BytesIO, data)) for name, data in files)
    return gathered(reader.read(number) for number in range(len(reader.entries)))


def read_zip(name: str, data: bytes) -> Uploaded:
    return read_uploads([(name, data)])
