"""Runs that come with the program: folders to be looked at, evaluated and copied, never changed.

The folder of one holds what an exported run holds: config.json, run.json, metrics.csv and
best.safetensors or last.safetensors; and test.json, the score its weights have on test tasks.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from metacore.atomic import write_whole
from metacore.errors import UserError
from metacore.runs import files, record, snapshots, tested
from metacore.runs.files import read_up_to
from metacore.runs.job import FAILED
from metacore.runs.record import Metric, Run
from metacore.strict import LARGEST_JSON
from metacore.training.checkpoint import Checkpoint

PRETRAINED = Path(__file__).parents[2] / "assets" / "pretrained"
CURVE_POINTS = 125


@dataclass(frozen=True)
class BundledRuns:
    """A folder of read-only runs; a run's id is the name of its folder."""

    folder: Path

    def runs(self) -> list[Run]:
        """All of them; one that cannot be believed says so as its `damage`, and nothing else."""
        folders = sorted(entry.parent for entry in self.folder.glob("*/run.json"))
        return [_run_or_damage(folder) for folder in folders]

    @staticmethod
    def metrics(run: Run) -> list[Metric]:
        data = read_up_to(run.folder / "metrics.csv", record.LARGEST_CSV)
        return record.read_metrics(data, str(run.folder))


def _run_or_damage(folder: Path) -> Run:
    try:
        return _run(folder, *_written(folder))
    except UserError as error:
        known: dict[str, Any] = {"id": folder.name, "name": folder.name, "folder": folder}
        known |= {"status": FAILED, "damage": str(error), "read_only": True}
        return Run(**known, metric="accuracy", device="", created=0.0, values={})


@lru_cache(maxsize=256)
def _run(folder: Path, *written: int) -> Run:
    """Read once: every page asks for all runs on every look."""
    parts = (folder / name for name in ("config.json", "run.json"))
    config, facts = (read_up_to(part, LARGEST_JSON) for part in parts)
    found = record.read_run(folder.name, folder, config, facts, str(folder))
    record.refuse_changed(config, facts, str(folder))
    score = tested.read_tested(folder)
    if score is not None and score.metric != found.metric:
        raise UserError(f"{folder}: {tested.NAME} is not about the metric of its run.")
    return replace(found, read_only=True, tested=score)


def _written(folder: Path) -> tuple[int, ...]:
    """When the files were last written, in nanoseconds; 0 for one that is not there."""
    parts = (folder / name for name in ("config.json", "run.json", tested.NAME))
    return tuple(part.stat().st_mtime_ns if part.exists() else 0 for part in parts)


def bundle(run: Run, metrics: Iterable[Metric], folder: Path) -> Run:
    """Adds a run to the bundled ones: its best weights without their optimiser's, and its story.

    The weights are tested on the way, which takes as long as a comparison of one run.
    """
    best = files.load(run.folder, "best")
    score = tested.measure(run.config, best)
    needed = run.config.algorithm_for(1).needed_at_test(best.params())
    weights = {f"params/{name}": value for name, value in needed.items()}
    parts: dict[str, bytes] = {
        "config.json": record.config_json(run.values),
        "run.json": record.facts_json(run),
        "metrics.csv": record.metrics_csv(_thinned([*metrics])),
        "best.safetensors": files.to_bytes(Checkpoint(weights, best.info)),
        tested.NAME: score.to_json(),
    }
    if (run.folder / snapshots.NAME).exists():
        parts[snapshots.NAME] = _short((run.folder / snapshots.NAME).read_bytes())
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in parts.items():
        write_whole(folder / name, data)
    return replace(run, id=folder.name, folder=folder, read_only=True, tested=score)


def _short(data: bytes) -> bytes:
    """The same document with two decimals and no blanks: enough for a small picture."""

    def rounded(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: rounded(part) for name, part in value.items()}
        if isinstance(value, list):
            return [rounded(part) for part in value]
        return round(value, 2) if isinstance(value, float) else value

    return json.dumps(rounded(json.loads(data)), separators=(",", ":")).encode()


def _thinned(metrics: list[Metric]) -> list[Metric]:
    """Enough of the curves to look at: a repository is no place for every fourth digit."""
    return [
        metric._replace(seconds=round(metric.seconds, 2), value=float(f"{metric.value:.5g}"))
        for metric in record.fitting(metrics, CURVE_POINTS)
    ]
