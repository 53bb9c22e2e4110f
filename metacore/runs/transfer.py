"""A run as one file: exported from one store, imported into another.

The file is a zip of config.json, run.json, metrics.csv and the checkpoints. An import believes
nothing: names, sizes, JSON, digests and the shapes of all tensors are checked before anything is
kept, nothing is unpickled, and a refusal leaves nothing behind.
"""

import io
import json
import os
import time
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, cast

import torch

from metacore.datasets.base import Dataset
from metacore.errors import UserError
from metacore.models.networks import Params
from metacore.randomness import generator
from metacore.runs import files
from metacore.runs.record import (
    FINISHED,
    Run,
    config_json,
    facts_json,
    metrics_csv,
    read_metrics,
    read_run,
    refuse_changed,
)
from metacore.runs.store import Store, checked_name, new_id, slot
from metacore.training.checkpoint import Checkpoint
from metacore.training.config import RunConfig
from metacore.training.learner import Learner
from metacore.training.trainer import Trainer

LARGEST_BYTES = 512 * 2**20  # unpacked; the largest network here has a tenth of it
CONFIG, FACTS, METRICS = "config.json", "run.json", "metrics.csv"
BEST, LAST = "best.safetensors", "last.safetensors"


def export(store: Store, run: Run, file: Path) -> Path:
    """Writes the run into one file and returns its path; a running run as it stands now."""
    paths = [run.folder / name for name in (BEST, LAST) if (run.folder / name).exists()]
    if not paths:
        raise UserError(f"{run.name} has no weights yet: there is nothing to export.")
    if os.path.isdir(file):
        raise UserError(f"{file} is a folder: name the file in it that the run should be.")
    texts = {
        CONFIG: config_json(run.values),
        FACTS: facts_json(run),
        METRICS: metrics_csv(store.metrics(run)),
    }
    weights = {path.name: files.to_bytes(files.read(path)) for path in paths}
    files.write_whole(file, _pack({**texts, **weights}))
    return file


def import_(store: Store, file: Path | BinaryIO, source: str | None = None) -> Run:
    """A new, finished run from an exported file; its name gets a number if it is taken.

    `source` is what a refusal calls the file, where its path would say nothing to a person.
    """
    source = source or str(file)
    parts = _unpack(file, source)
    found = _here(read_run(new_id(), store.folder, parts[CONFIG], parts[FACTS], source))
    name, metrics = _name(found, source), read_metrics(parts[METRICS], source)
    weights = {part: parts[part] for part in (BEST, LAST) if part in parts}
    for part, data in weights.items():
        where = f"{source}: {part}"
        _check(found.config, files.from_bytes(data, where), where)
    refuse_changed(parts[CONFIG], parts[FACTS], source)
    return store.insert(found.id, name, found.values, _row(found), metrics, weights)


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


def _row(found: Run) -> dict[str, Any]:
    """The columns of an imported run: its results are kept, its processes are not ours."""
    kept = ("device_name", "started", "ended", "iteration", "seconds", "rate", "note")
    best = ("best_value", "best_ci95", "best_iteration")
    return {
        **{name: getattr(found, name) for name in (*kept, *best)},
        "status": FINISHED,
        "metric": "mse" if found.config.dataset_class.regression else "accuracy",
        "device": slot(found.config.device),
        "created": time.time(),
        "environment": json.dumps(found.environment),
        "tags": json.dumps(found.tags),
        "message": "Imported from a file.",
    }


def _pack(parts: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return packed.getvalue()


def _unpack(file: Path | BinaryIO, source: str) -> dict[str, bytes]:
    """The parts of an exported file, if there is nothing else in it."""
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            _check_entries(entries, source)
            return {entry.filename: _entry(archive, entry) for entry in entries}
    except FileNotFoundError:
        raise UserError(f"There is no file {source}.") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError):
        raise UserError(f"{source} is not an exported run, or is damaged.") from None
    except OSError as error:
        raise UserError(f"{source} cannot be read: {error.strerror}.") from error


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """No more bytes than the entry declares, whatever is really packed in it."""
    with archive.open(entry) as stream:
        return stream.read(entry.file_size + 1)


def _check_entries(entries: list[zipfile.ZipInfo], source: str) -> None:
    names = [entry.filename for entry in entries]
    needed, weights = {CONFIG, FACTS, METRICS}, {BEST, LAST}
    strange = sorted(set(names) - needed - weights)
    if strange:
        raise UserError(f"{source} is not an exported run: it contains {strange[0]!r}.")
    if not needed <= set(names) or not weights & set(names) or len(names) != len(set(names)):
        raise UserError(f"{source} is not a whole exported run: parts are missing or doubled.")
    if sum(entry.file_size for entry in entries) > LARGEST_BYTES:
        raise UserError(f"{source} is larger than any run ({LARGEST_BYTES // 2**20} MiB unpacked).")
    if any(e.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for e in entries):
        raise UserError(f"{source} is not an exported run: it is packed in another way.")


def _check(config: RunConfig, checkpoint: Checkpoint, source: str) -> None:
    """Proves that a trainer of this config could go on from the checkpoint, by letting one try."""
    try:
        trainer = Trainer(config, learner=_learner(config, checkpoint))
        trainer.restore(checkpoint)
        _check_optimiser(checkpoint)
        _check_info(checkpoint.info)
    except (UserError, KeyError, TypeError, ValueError, RuntimeError, AttributeError):
        raise UserError(f"{source} does not belong to the network its config describes.") from None


def _learner(config: RunConfig, checkpoint: Checkpoint) -> Learner:
    """A learner of the config's network without its dataset, which may not be on this machine.

    Only a head with an output per training class depends on the data: its size is taken as it is.
    """
    kind, dataset = config.algorithm_class, config.dataset_class
    head = checkpoint.tensors.get("params/head.weight")
    classes = 0 if head is None or head.dim() != 2 else head.shape[0]
    outputs = 1 if dataset.regression else kind.outputs(config.ways, classes)
    algorithm = kind(config.algorithm, config.model.build(dataset.input_shape, outputs))
    params: Params = algorithm.init(generator(config.seed, "init"))
    absent = cast(Dataset, None)
    return Learner(config, algorithm, params, absent, torch.device("cpu"))


def _check_optimiser(checkpoint: Checkpoint) -> None:
    """The optimiser's tensors are scalars or shaped like the parameter they belong to."""
    params = checkpoint.params()
    for path, tensor in checkpoint.tensors.items():
        part, _, rest = path.partition("/")
        owner = rest if part == "params" else rest.rpartition("/")[0]
        if part not in ("params", "optimiser") or tensor.shape not in (params[owner].shape, ()):
            raise ValueError(path)
        if not tensor.is_floating_point():
            raise ValueError(path)


def _check_info(info: dict[str, Any]) -> None:
    best = info["best"] or {}
    counts = [info["iteration"], info["stale_validations"], best.get("iteration", 0)]
    numbers = [info["seconds"], best.get("value", 0.0), best.get("ci95", 0.0)]
    if not all(type(count) is int and count >= 0 for count in counts):
        raise ValueError("counts")
    if not all(isinstance(number, int | float) for number in numbers):
        raise ValueError("numbers")
