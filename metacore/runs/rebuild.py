"""The list of runs made anew from their folders, for when the database is missing.

Each folder holds config.json, the checkpoints, and since its last change also run.json and, once
it has ended, metrics.csv: what an exported run holds. A checkpoint is believed before a run.json
that tells of another moment, for it proves itself.
"""

import json
import sqlite3
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from metacore.errors import UserError
from metacore.runs import files
from metacore.runs.record import (
    ENDED,
    INTERRUPTED,
    Metric,
    Run,
    read_metrics,
    read_run,
    refuse_changed,
)
from metacore.runs.rows import RESULTS, results_digest
from metacore.training.config import RunConfig

NAME, METRICS = "run.json", "metrics.csv"
FOUND_AGAIN = "Found again from its folder: the run database was missing."
_KEPT = ("name", "status", "metric", "device", "device_name", "created", "started", "ended", "note")
_INSERT_METRIC = "INSERT INTO metrics (run, step, seconds, key, value) VALUES (?, ?, ?, ?, ?)"


@dataclass(frozen=True)
class _Found:
    run: Run
    metrics: list[Metric] = field(default_factory=list)


def fill(folder: Path, db: sqlite3.Connection) -> None:
    """Adds every run in the folders to a database that has just been made."""
    configs = sorted(folder.glob("*/config.json"))
    found = [each for config in configs if (each := _found(config.parent)) is not None]
    names: set[str] = set()
    for each in sorted(found, key=lambda each: each.run.created):
        _add(db, each, names)


def _add(db: sqlite3.Connection, found: _Found, names: set[str]) -> None:
    run, number = found.run, 2
    name = run.name
    while name in names:
        name, number = f"{run.name} {number}", number + 1
    names.add(name)
    results = {result: getattr(run, result) for result in RESULTS}
    columns: dict[str, Any] = {
        **{fact: getattr(run, fact) for fact in _KEPT},
        **results,
        "id": run.id,
        "name": name,
        "values_json": json.dumps(run.values),
        "environment": json.dumps(run.environment),
        "tags": json.dumps(run.tags),
        "message": FOUND_AGAIN,
        "digest": results_digest(run.values, run.metric, results),
    }
    marks = ", ".join("?" * len(columns))
    db.execute(f"INSERT INTO runs ({', '.join(columns)}) VALUES ({marks})", [*columns.values()])
    rows = [(run.id, *metric[1:]) for metric in found.metrics if metric.step <= run.iteration]
    db.executemany(_INSERT_METRIC, rows)


def _found(folder: Path) -> _Found | None:
    """What the folder tells of its run; None where not even its config can be read."""
    try:
        config = (folder / "config.json").read_bytes()
        run = _noted(folder, config) or _unnoted(folder, config)
        return _Found(_as_proved(run), _metrics(folder))
    except (UserError, OSError, ValueError, RecursionError):
        return None


def _noted(folder: Path, config: bytes) -> Run | None:
    """The run as its run.json describes it."""
    try:
        facts, source = (folder / NAME).read_bytes(), str(folder)
        run = read_run(folder.name, folder, config, facts, source)
        refuse_changed(config, facts, source)
        return run
    except (OSError, UserError):
        return None


def _unnoted(folder: Path, config: bytes) -> Run:
    """A run of an older version, or one whose run.json is damaged: it has no name of its own."""
    values = json.loads(config)
    known = RunConfig.from_dict(values)
    return Run(
        id=folder.name,
        name=f"{known.algorithm_class.name} {known.dataset_class.name}",
        status=INTERRUPTED,
        values=values,
        metric=known.metric,
        device=known.device if known.device.startswith("cuda:") else "cpu",
        folder=folder,
        created=(folder / "config.json").stat().st_mtime,
    )


def _as_proved(run: Run) -> Run:
    """With the results of the newest checkpoint, unless they are those that are known."""
    try:
        loaded = files.load_last(run.folder)
    except UserError:
        loaded = None
    if loaded is None:
        return run if run.status in ENDED else replace(run, status=INTERRUPTED, **RESULTS)
    info = loaded.checkpoint.info
    only_best = not files.path_of(run.folder, "last").exists()
    if run.status in ENDED and (only_best or run.iteration == info["iteration"]):
        return run
    best = info["best"] or {}
    return replace(
        run,
        status=INTERRUPTED,
        iteration=info["iteration"],
        seconds=info["seconds"],
        best_iteration=best.get("iteration"),
        best_value=best.get("value"),
        best_ci95=best.get("ci95"),
    )


def _metrics(folder: Path) -> list[Metric]:
    try:
        return read_metrics((folder / METRICS).read_bytes(), str(folder))
    except (OSError, UserError):
        return []
