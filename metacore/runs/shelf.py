"""Runs that come with the program: folders to be looked at, evaluated and copied, never changed.

A folder on a shelf holds what an exported run holds: config.json, run.json, metrics.csv and
best.safetensors or last.safetensors.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from metacore.errors import UserError
from metacore.runs.record import Metric, Run, read_metrics, read_run


@dataclass(frozen=True)
class Shelf:
    """A folder of read-only runs; a run's id is the name of its folder."""

    folder: Path

    def runs(self) -> list[Run]:
        entries = sorted(self.folder.glob("*/run.json"))
        return [replace(self._run(entry.parent), read_only=True) for entry in entries]

    @staticmethod
    def metrics(run: Run) -> list[Metric]:
        return read_metrics(_bytes(run.folder / "metrics.csv"), str(run.folder))

    @staticmethod
    def _run(folder: Path) -> Run:
        config, facts = _bytes(folder / "config.json"), _bytes(folder / "run.json")
        return read_run(folder.name, folder, config, facts, str(folder))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from error
