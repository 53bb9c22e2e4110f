"""A run as one file: exported from one store, imported into another.

The file is a zip of config.json, run.json, metrics.csv and the checkpoints. An import believes
nothing: names, sizes, JSON, digests and all tensors are checked before anything is kept, nothing is
unpickled, and a refusal leaves nothing behind. Nothing is read further than a part of its kind can
reach, so that no file, however made, takes more than a few hundred megabytes or a few seconds.
"""

import contextlib
import io
import os
import time
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from metacore.atomic import write_whole
from metacore.errors import UserError
from metacore.runs import files, record
from metacore.runs.job import FINISHED
from metacore.runs.record import Run
from metacore.runs.store import Store, checked_name, new_id, slot
from metacore.runs.weights import prove
from metacore.strict import LARGEST_JSON
from metacore.zips import DAMAGED, PLAIN, Sips, content

CONFIG, FACTS, METRICS = "config.json", "run.json", "metrics.csv"
BEST, LAST = "best.safetensors", "last.safetensors"
LARGEST_BYTES = 170 * 2**20  # unpacked: the widest network here, twice, with Adam's memory
LARGEST = {  # bytes of each part
    **dict.fromkeys((CONFIG, FACTS), LARGEST_JSON),
    METRICS: record.LARGEST_CSV,
    **dict.fromkeys((BEST, LAST), LARGEST_BYTES),
}
MOST_AT_ONCE = 2**20  # bytes


def export(store: Store, run: Run, file: Path) -> Path:
    """Writes the run into one file and returns its path; a running run as it stands now."""
    paths = [run.folder / name for name in (BEST, LAST) if (run.folder / name).exists()]
    if not paths:
        raise UserError(f"{run.name} has no weights yet: there is nothing to export.")
    if os.path.isdir(file):
        raise UserError(f"{file} is a folder: name the file in it that the run should be.")
    texts = {
        CONFIG: record.config_json(run.values),
        FACTS: record.facts_json(run),
        METRICS: record.metrics_csv(store.metrics(run)),
    }
    weights = {path.name: files.to_bytes(files.read(path)) for path in paths}
    write_whole(file, _pack({**texts, **weights}))
    return file


def import_(store: Store, file: Path | BinaryIO, source: str | None = None) -> Run:
    """A new, finished run from an exported file; its name gets a number if it is taken.

    `source` is what a refusal calls the file, where its path would say nothing to a person.
    """
    source = source or str(file)
    parts = _unpack(file, source)
    found = _here(record.read_run(new_id(), store.folder, parts[CONFIG], parts[FACTS], source))
    name, metrics = _name(found, source), record.read_metrics(parts[METRICS], source)
    weights = {part: parts[part] for part in (BEST, LAST) if part in parts}
    for part, data in weights.items():
        prove(found.config, data, f"{source}: {part}")
    record.refuse_changed(parts[CONFIG], parts[FACTS], source)
    imported = replace(
        found,
        name=name,
        status=FINISHED,
        device=slot(found.config.device),
        created=time.time(),
        message=_arrived(store, found),
    )
    return store.insert(imported, metrics, weights)


def _arrived(store: Store, found: Run) -> str:
    """What is said of it from now on; a teacher does not travel with those it has taught."""
    said, asked = "Imported from a file.", found.config.teacher
    if asked is None or any(asked in (run.id, run.name) for run in store.runs()):
        return said
    return (
        f"{said} Its teacher, {asked or 'the best run there was'}, is not here: it answers without,"
        " but cannot be trained for longer."
    )


def _name(found: Run, source: str) -> str:
    try:
        return checked_name(found.name)
    except UserError as error:
        raise UserError(f"{source}: {error}") from error


def _here(found: Run) -> Run:
    """A run made on a device this machine lacks goes on on the one it has."""
    try:
        slot(str(found.config.device))
    except UserError:
        return replace(found, values={**found.values, "device": "auto"})
    return found


def _pack(parts: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return packed.getvalue()


def _unpack(file: Path | BinaryIO, source: str) -> dict[str, bytes]:
    """The parts of an exported file, if there is nothing else in it."""
    try:
        with _opened(file) as stream, zipfile.ZipFile(Sips(stream, MOST_AT_ONCE)) as archive:
            entries = archive.infolist()
            _check_entries(entries, source)
            return {entry.filename: content(archive, entry) for entry in entries}
    except FileNotFoundError:
        raise UserError(f"There is no file {source}.") from None
    except DAMAGED:
        raise UserError(f"{source} is not an exported run, or is damaged.") from None
    except OSError as error:
        raise UserError(f"{source} cannot be read: {error.strerror}.") from error


@contextlib.contextmanager
def _opened(file: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(file, Path):
        yield file
        return
    with open(file, "rb") as stream:
        yield stream


def _check_entries(entries: list[zipfile.ZipInfo], source: str) -> None:
    names = [entry.filename for entry in entries]
    strange = sorted(set(names) - set(LARGEST))
    if strange:
        raise UserError(f"{source} is not an exported run: it contains {strange[0][:80]!r}.")
    needed, weights = {CONFIG, FACTS, METRICS}, {BEST, LAST}
    if not needed <= set(names) or not weights & set(names) or len(names) != len(set(names)):
        raise UserError(f"{source} is not a whole exported run: parts are missing or doubled.")
    for entry in entries:
        if entry.file_size > LARGEST[entry.filename]:
            raise _too_large(entry.filename, source)
        if entry.compress_type not in PLAIN:
            raise UserError(f"{source} is not an exported run: it is packed in another way.")
    if sum(entry.file_size for entry in entries) > LARGEST_BYTES:
        raise UserError(f"{source} is larger than any run ({LARGEST_BYTES // 2**20} MiB unpacked).")


def _too_large(name: str, source: str) -> UserError:
    return UserError(f"{source}: {name} is larger than it may be ({LARGEST[name] / 1e6:g} MB).")
