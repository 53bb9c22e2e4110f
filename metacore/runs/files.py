"""Checkpoints on disk: whole or not at all, and never believed without proof.

One safetensors file holds the tensors, the info as JSON and a digest over both. It is written
under a temporary name, synced and renamed, so that a process killed at any moment leaves the
checkpoint before it; that one is kept as `previous`. Nothing is ever unpickled.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from metacore.errors import UserError
from metacore.training.checkpoint import Checkpoint

FORMAT = "metacore checkpoint 1"
NO_SPACE = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
_UNREADABLE = (SafetensorError, ValueError, KeyError, TypeError, AssertionError, RecursionError)


class DamagedError(UserError):
    """A checkpoint whose content is not what was written."""


@dataclass(frozen=True)
class Loaded:
    checkpoint: Checkpoint
    warning: str = ""  # why it is not the newest one


def path_of(folder: Path, which: str) -> Path:
    """Where a run's `last`, `previous` or `best` checkpoint lies."""
    return folder / f"{which}.safetensors"


def save(folder: Path, checkpoint: Checkpoint, *, best: bool = False) -> None:
    """Writes a checkpoint as `last` (what was there becomes `previous`), and also as `best`."""
    data, last = to_bytes(checkpoint), path_of(folder, "last")
    if best:
        write_whole(path_of(folder, "best"), data)
    with _replacing(last) as part:
        _write(part, data)
        if last.exists():
            _keep(last, path_of(folder, "previous"))


def load_last(folder: Path) -> Loaded | None:
    """The newest checkpoint that is whole, or None where none was ever written."""
    last, previous, best = (path_of(folder, which) for which in ("last", "previous", "best"))
    if not last.exists() and not previous.exists():
        return Loaded(read(best)) if best.exists() else None
    try:
        return Loaded(read(last))
    except UserError as error:
        if not previous.exists():
            raise
        return Loaded(_read_previous(previous, error), f"{error} The one before it was used.")


def _read_previous(path: Path, error: UserError) -> Checkpoint:
    try:
        return read(path)
    except UserError as second:
        both = f"{error} {second} Move both away to train this run from its start."
        raise DamagedError(both) from None


def load(folder: Path, which: str = "best") -> Checkpoint:
    """The `best` or the `last` checkpoint; `best` means the last where none was validated."""
    if which == "best" and path_of(folder, "best").exists():
        return read(path_of(folder, "best"))
    loaded = load_last(folder)
    if loaded is None:
        raise UserError(f"This run has no weights yet: there is no checkpoint in {folder}.")
    return loaded.checkpoint


def load_params(folder: Path, which: str = "best") -> dict[str, Tensor]:
    """The meta-parameters of a run's `best` or `last` checkpoint, on the CPU."""
    return load(folder, which).params()


def read(path: Path) -> Checkpoint:
    """A checkpoint file, verified byte for byte."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    return from_bytes(data, str(path))


def to_bytes(checkpoint: Checkpoint) -> bytes:
    tensors = {name: _plain(tensor) for name, tensor in checkpoint.tensors.items()}
    info = json.dumps(checkpoint.info)
    metadata = {"format": FORMAT, "info": info, "digest": digest(tensors, info)}
    return safetensors.torch.save(tensors, metadata)


def from_bytes(data: bytes, source: str) -> Checkpoint:
    """The checkpoint in these bytes; `source` is what a refusal calls them."""
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        metadata = header["__metadata__"]
        tensors = safetensors.torch.load(data)
        known = metadata["format"] == FORMAT
        whole = metadata["digest"] == digest(tensors, metadata["info"])
        info = json.loads(metadata["info"])
    except _UNREADABLE:
        raise DamagedError(f"{source} is damaged or not a checkpoint of Metacore.") from None
    if not known:
        raise DamagedError(f"{source} was written by another version of Metacore, or is damaged.")
    if not whole or not isinstance(info, dict):
        raise DamagedError(f"{source} is damaged: its content does not match its digest.")
    return Checkpoint(tensors, info)


def digest(tensors: Mapping[str, Tensor], info: str = "") -> str:
    """One number for names, dtypes, shapes, every byte of the tensors, and the info."""
    names = sorted(tensors)
    outline = [(name, str(tensors[name].dtype), list(tensors[name].shape)) for name in names]
    hashed = hashlib.blake2b(json.dumps([info, outline]).encode(), digest_size=32)
    for name in names:
        hashed.update(_plain(tensors[name]).flatten().view(torch.uint8).numpy().data)
    return hashed.hexdigest()


def _plain(tensor: Tensor) -> Tensor:
    """A contiguous copy on the CPU that shares its memory with no other tensor."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def write_whole(path: Path, data: bytes) -> None:
    """Any other file, written as a checkpoint is: wholly or not at all."""
    with _replacing(path) as part:
        _write(part, data)


def clear_parts(folder: Path) -> None:
    """Removes what a process killed in the middle of writing left behind."""
    for part in folder.glob("*.part"):
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    """A temporary name that takes the target's place if the block succeeds, else disappears."""
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        yield part
        os.replace(part, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise UserError(why_not_written(target, error)) from error
    finally:
        part.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _keep(last: Path, previous: Path) -> None:
    """Gives the old `last` a second name, so that there is a `last` at every moment."""
    link = previous.with_name(f"{previous.name}.{os.getpid()}.part")
    link.unlink(missing_ok=True)
    try:
        os.link(last, link)
    except OSError:  # a file system without hard links
        shutil.copyfile(last, link)
    try:
        os.replace(link, previous)
    finally:
        link.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Makes the renaming itself durable, where folders can be synced (not on Windows)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def why_not_written(path: Path, error: OSError) -> str:
    if error.errno in NO_SPACE:
        return f"The disk is full: {path} could not be written. Free some space and try again."
    return f"{path} could not be written: {error.strerror or error}."
