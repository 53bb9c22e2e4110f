"""The list of runs made anew from their folders, for when the database is missing.

Each folder holds config.json, the checkpoints, and since its last change also run.json and, once
it has ended, metrics.csv: what an exported run holds. A checkpoint is believed before a run.json
that tells of another moment, for it proves itself.
"""

import json
import sqlite3
from dataclasses import dataclass, field, replace
from pathlib import Path

from metacore.errors import UserError
from metacore.runs import files
from metacore.runs.database import insert
from metacore.runs.job import ENDED, INTERRUPTED
from metacore.runs.record import Metric, Run, read_metrics, read_run, refuse_changed, run_of
from metacore.runs.rows import INSERT_METRIC, RESULTS, row_of
from metacore.training.config import RunConfig

NAME, METRICS = "run.json", "metrics.csv"
FOUND_AGAIN = "Found again from its folder: the run database was missing."


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
    insert(db, "runs", row_of(replace(run, name=name, message=FOUND_AGAIN)))
    rows = [(run.id, *metric[1:]) for metric in found.metrics if metric.step <= run.iteration]
    db.executemany(INSERT_METRIC, rows)


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
    known = RunConfig.from_dict(json.loads(config))
    return run_of(
        known,
        id=folder.name,
        status=INTERRUPTED,
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
