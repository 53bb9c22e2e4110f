"""Checkpoints on disk: whole or not at all, and never believed without proof.

One safetensors file holds the tensors, the info as JSON and a digest over both. It is written
under a temporary name, synced and renamed, so that a process killed at any moment leaves the
checkpoint before it; that one is kept as `previous`. Nothing is ever unpickled.
"""

import contextlib
import hashlib
import json
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from metacore import atomic
from metacore.errors import UserError
from metacore.models.weights import refuse_others
from metacore.training.checkpoint import Checkpoint

LOG = "worker.log"
FORMAT = "metacore checkpoint 1"
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
        atomic.write_whole(path_of(folder, "best"), data)
    with atomic.replacing(last) as part:
        atomic.write(part, data)
        if last.exists():
            _keep(last, path_of(folder, "previous"))


def load_last(folder: Path) -> Loaded | None:
    """The newest checkpoint that is whole, or None where none was ever written."""
    written = [path_of(folder, which) for which in ("last", "previous", "best")]
    there = [path for path in written if path.exists()]
    if not there:
        return None
    try:
        return Loaded(read(there[0]))
    except DamagedError as error:
        if [path.stem for path in there[:2]] != ["last", "previous"]:
            raise
        return Loaded(_read_previous(there[1], error), f"{error} The one before it was used.")


def _read_previous(path: Path, error: DamagedError) -> Checkpoint:
    try:
        return read(path)
    except DamagedError as second:
        both = f"{error} {second} Move both away to train this run from its start."
        raise DamagedError(both) from None


def set_aside(folder: Path) -> None:
    """Moves a damaged `last` out of the way, lest the next save keep it in place of `previous`."""
    last = path_of(folder, "last")
    try:
        os.replace(last, last.with_suffix(".damaged"))
    except OSError as error:
        raise UserError(atomic.why_not_written(last, error)) from error


def load(folder: Path, which: str = "best") -> Checkpoint:
    """The `best` or the `last` checkpoint; `best` means the last where none was validated."""
    if which == "best" and path_of(folder, "best").exists():
        return read(path_of(folder, "best"))
    loaded = load_last(folder)
    if loaded is None:
        raise UserError(f"This run has no weights yet: there is no checkpoint in {folder}.")
    if loaded.warning:
        logging.getLogger(__name__).warning("%s", loaded.warning)  # a terminal shows it
    return loaded.checkpoint


def flaw(folder: Path) -> str:
    """What is wrong with the checkpoints of a run, if anything; reads them whole."""
    try:
        best = path_of(folder, "best")
        if best.exists():
            read(best)
        loaded = load_last(folder)
    except UserError as error:
        return str(error)
    return loaded.warning if loaded else ""


def load_params(folder: Path, which: str = "best") -> dict[str, Tensor]:
    """The meta-parameters of a run's `best` or `last` checkpoint, on the CPU, to be used.

    Weights that are no numbers would answer by chance and look like a result.
    """
    found = load(folder, which)
    refuse_others(found.info.get("weights"))
    params = found.params()
    if not all(bool(torch.isfinite(value).all()) for value in params.values()):
        raise UserError(
            f"The weights in {folder} are not all finite numbers: what they learned is lost."
            " Train the run anew, with a lower rate."
        )
    return params


def read(path: Path) -> Checkpoint:
    """A checkpoint file, verified byte for byte."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
    return from_bytes(data, str(path))


def read_up_to(path: Path, largest: int) -> bytes:
    """A small file's bytes; one more than `largest` where there are too many."""
    try:
        with open(path, "rb") as file:
            return file.read(largest + 1)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error


def to_bytes(checkpoint: Checkpoint) -> bytes:
    tensors = {name: _plain(tensor) for name, tensor in checkpoint.tensors.items()}
    info = json.dumps(checkpoint.info)
    names = json.dumps(list(tensors))  # the format sorts them, and sums depend on their order
    metadata = {"format": FORMAT, "names": names, "info": info, "digest": digest(tensors, info)}
    return safetensors.torch.save(tensors, metadata)


def from_bytes(data: bytes, source: str) -> Checkpoint:
    """The checkpoint in these bytes; `source` is what a refusal calls them."""
    try:
        header = json.loads(header_of(data))
        metadata = header["__metadata__"]
        found = safetensors.torch.load(data)
        # Copies lie where PyTorch's allocator puts them: kernels may round by alignment.
        tensors = {name: found.pop(name).clone() for name in json.loads(metadata["names"])}
        known = metadata["format"] == FORMAT
        whole = metadata["digest"] == digest(tensors, metadata["info"])
        info = json.loads(metadata["info"])
    except _UNREADABLE:
        raise DamagedError(f"{source} is damaged or not a checkpoint of Metacore.") from None
    if not known:
        raise DamagedError(f"{source} was written by another version of Metacore, or is damaged.")
    if found or not whole or not isinstance(info, dict):
        raise DamagedError(f"{source} is damaged: its content does not match its digest.")
    return Checkpoint(tensors, info)


def header_of(data: bytes) -> bytes:
    """The JSON at the beginning of a safetensors file."""
    return data[8 : 8 + int.from_bytes(data[:8], "little")]


def digest(tensors: Mapping[str, Tensor], info: str = "") -> str:
    """One number for names in their order, dtypes, shapes, all bytes of the tensors, and info."""
    outline = [(name, str(value.dtype), list(value.shape)) for name, value in tensors.items()]
    hashed = hashlib.blake2b(json.dumps([info, outline]).encode(), digest_size=32)
    for value in tensors.values():
        plain = value.detach().cpu().contiguous()
        hashed.update(plain.flatten().view(torch.uint8).numpy().data)
    return hashed.hexdigest()


def _plain(tensor: Tensor) -> Tensor:
    """A contiguous copy on the CPU that shares its memory with no other tensor."""
    return tensor.detach().cpu().clone(memory_format=torch.contiguous_format)


def log(path: Path, text: str) -> None:
    """Adds a traceback to a log, for whoever wants to know more than a message says."""
    with contextlib.suppress(OSError), open(path, "a") as file:
        file.write(text)


def clear_parts(folder: Path) -> None:
    """Removes what a process killed in the middle of writing left behind."""
    for part in folder.glob("*.part"):
        part.unlink(missing_ok=True)


def _keep(last: Path, previous: Path) -> None:
    """Gives the old `last` a second name, so that there is a `last` at every moment."""
    link = previous.with_name(f"{previous.name}.{os.getpid()}.part")
    link.unlink(missing_ok=True)
    try:
        os.link(last, link)
    except OSError:  # a file system without hard links
        shutil.copyfile(last, link)
    try:
        atomic.replace(link, previous)
    finally:
        link.unlink(missing_ok=True)
