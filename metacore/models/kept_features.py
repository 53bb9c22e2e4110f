"""Features of pictures, computed once and kept: what a frozen network says of one never changes.

A picture is known by a digest of its numbers and of the network that looks at it. The last few
thousand stay in memory; all stay in a file that the processes of this computer share, up to a size
at which the oldest go. The file is a convenience: where it cannot be written, is locked for long
or is damaged, features are computed anew and nobody is told.

On a GPU nothing is kept: computing is as fast as asking there.
"""

import contextlib
import hashlib
import sqlite3
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from metacore import home

MOST_BYTES = 512 * 2**20  # of the file
MEMORY_BYTES = 64 * 2**20
PATIENCE = 0.25  # seconds to wait for another process
AT_ONCE = 500  # keys of one question to the database
PRUNE_SHARE = 0.2  # of the rows go where there is no more room

_unwritten: ContextVar[bool] = ContextVar("features stay in memory", default=False)
_off: ContextVar[bool] = ContextVar("features are computed anew", default=False)


@contextlib.contextmanager
def unwritten() -> Iterator[None]:
    """Within this, features stay in memory alone: of pictures that nobody asked to keep."""
    token = _unwritten.set(True)
    try:
        yield
    finally:
        _unwritten.reset(token)


@contextlib.contextmanager
def computed_anew() -> Iterator[None]:
    """Within this, nothing is looked up or kept: for measuring what a picture costs."""
    token = _off.set(True)
    try:
        yield
    finally:
        _off.reset(token)


def features(pictures: Tensor, network: str, compute: Callable[[Tensor], Tensor]) -> Tensor:
    """What `compute` makes of pictures [n, ...], each of them once: [n, ...]."""
    if pictures.device.type != "cpu" or _off.get() or not len(pictures):
        return compute(pictures)
    return _kept(home.cache_folder() / "features.db").features(pictures, network, compute)


@lru_cache(maxsize=4)
def _kept(path: Path) -> "KeptFeatures":
    return KeptFeatures(path)


class KeptFeatures:
    def __init__(
        self, path: Path, *, most_bytes: int = MOST_BYTES, memory_bytes: int = MEMORY_BYTES
    ) -> None:
        self._memory: OrderedDict[bytes, Tensor] = OrderedDict()
        self._room = memory_bytes
        self._lock = threading.Lock()
        self._file = _File(path, most_bytes)

    def features(
        self, pictures: Tensor, network: str, compute: Callable[[Tensor], Tensor]
    ) -> Tensor:
        keys = keys_of(pictures, network)
        with self._lock:
            found = self._known(keys)
        missing = {key: row for row, key in enumerate(keys) if key not in found}
        if missing:
            fresh = compute(pictures[list(missing.values())])
            new = dict(zip(missing, fresh.detach().unbind(0), strict=True))
            found |= new
            with self._lock:
                self._remember(new)
                if not _unwritten.get():
                    self._file.write(new)
        return torch.stack([found[key] for key in keys])

    def _known(self, keys: Sequence[bytes]) -> dict[bytes, Tensor]:
        found: dict[bytes, Tensor] = {}
        for key in keys:
            if key in self._memory:
                self._memory.move_to_end(key)
                found[key] = self._memory[key]
        read = self._file.read({key for key in keys if key not in found})
        self._remember(read)
        return found | read

    def _remember(self, new: dict[bytes, Tensor]) -> None:
        for key, value in new.items():
            if key not in self._memory:
                self._memory[key] = value.clone()  # not a view of all that came with it
                self._room -= _bytes(value)
        while self._room < 0 and self._memory:
            _, oldest = self._memory.popitem(last=False)
            self._room += _bytes(oldest)


class _File:
    """The shared file; gives up for good where it cannot be used."""

    def __init__(self, path: Path, most_bytes: int) -> None:
        self._path, self._most = path, most_bytes
        self._db = self._opened()
        self._writable = True

    def read(self, keys: Iterable[bytes]) -> dict[bytes, Tensor]:
        """Of these, the ones that are there and whole."""
        wanted, found = list(keys), {}
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            for key, shape, check, value in self._rows(some):
                if zlib.crc32(value) == check:
                    found[key] = _tensor(shape, value)
        return found

    def _rows(self, keys: Sequence[bytes]) -> list[tuple[bytes, str, int, bytes]]:
        if self._db is None:
            return []
        marks = ", ".join("?" * len(keys))
        query = f"SELECT key, shape, crc, value FROM features WHERE key IN ({marks})"
        try:
            return self._db.execute(query, keys).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def write(self, new: dict[bytes, Tensor]) -> None:
        if self._db is None or not self._writable:
            return
        rows = [(key, *_row(value)) for key, value in new.items()]
        try:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                self._prune(sum(len(row[-1]) for row in rows))
                self._db.executemany("INSERT OR IGNORE INTO features VALUES (?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            if not _busy(error):
                self._give_up(error)

    def _prune(self, more: int) -> None:
        """Makes room for so many bytes. What a deleted row took is used again, so that the file
        grows no further."""
        assert self._db is not None
        (pages,), (free,), (size,) = (
            self._db.execute(f"PRAGMA {name}").fetchone()
            for name in ("page_count", "freelist_count", "page_size")
        )
        used = (pages - free) * size
        if used + more > self._most and pages > free:
            share = max(PRUNE_SHARE, (used + more - self._most) / used)
            (first, last) = self._db.execute(
                "SELECT min(rowid), max(rowid) FROM features"
            ).fetchone()
            if first is not None:
                until = first + share * (last - first + 1)
                self._db.execute("DELETE FROM features WHERE rowid < ?", (until,))

    def _give_up(self, error: sqlite3.Error) -> None:
        """A damaged file is begun anew, once; a full or read-only disk is only read."""
        if _damaged(error):
            self._close()
            self._remove()
            self._db = self._opened(again=False)
        elif not _busy(error):
            self._writable = False

    def _opened(self, *, again: bool = True) -> sqlite3.Connection | None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(
                self._path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
            )
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(
                "PRAGMA synchronous = OFF"
            )  # after a crash it may be damaged, and is noticed
            db.execute(
                "CREATE TABLE IF NOT EXISTS features"
                " (key BLOB PRIMARY KEY, shape TEXT, crc INTEGER, value BLOB)"
            )
            return db
        except sqlite3.Error as error:
            if again and _damaged(error):
                self._remove()
                return self._opened(again=False)
            return None
        except OSError:
            return None

    def _close(self) -> None:
        if self._db is not None:
            with contextlib.suppress(sqlite3.Error):
                self._db.close()
        self._db = None

    def _remove(self) -> None:
        for end in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                Path(f"{self._path}{end}").unlink(missing_ok=True)


def keys_of(pictures: Tensor, network: str) -> list[bytes]:
    """What the features of each picture are found by."""
    rows = pictures.detach().contiguous().numpy()
    kind = f"{network} {rows.dtype} {rows.shape[1:]}".encode()
    start = hashlib.blake2b(kind, digest_size=16)
    keys = []
    for row in rows:
        hashed = start.copy()
        hashed.update(row.data)
        keys.append(hashed.digest())
    return keys


def _row(value: Tensor) -> tuple[str, int, bytes]:
    data = value.contiguous().numpy().astype("<f4", copy=False).tobytes()
    return " ".join(map(str, value.shape)), zlib.crc32(data), data


def _tensor(shape: str, data: bytes) -> Tensor:
    sizes = [int(size) for size in shape.split()]
    return torch.from_numpy(np.frombuffer(data, "<f4").copy()).view(sizes)


def _bytes(value: Tensor) -> int:
    return value.numel() * value.element_size()


def _damaged(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _busy(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _code(error: sqlite3.Error) -> int:
    """Without what extends it."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
