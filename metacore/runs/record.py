"""What there is to know about a run: the frozen view of it that everyone but its worker gets."""

import csv
import hashlib
import io
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from metacore.errors import UserError
from metacore.runs.process import Process, recent
from metacore.runs.tested import Tested
from metacore.training.config import RunConfig

QUEUED, RUNNING, FINISHED = "queued", "running", "finished"
CANCELLED, FAILED, INTERRUPTED = "cancelled", "failed", "interrupted"
STATUSES = (QUEUED, RUNNING, FINISHED, CANCELLED, FAILED, INTERRUPTED)
ENDED = (FINISHED, CANCELLED, FAILED, INTERRUPTED)


LARGEST_NUMBER = 2**53  # what JSON readers and databases agree on


class Metric(NamedTuple):
    """One number at one meta-step; `row` grows, so `rows after N` are the new ones."""

    row: int
    step: int
    seconds: float
    key: str
    value: float


@dataclass(frozen=True)
class Run:
    """A run as it stood when it was read. Times are seconds since 1970."""

    id: str
    name: str
    status: str
    values: dict[str, Any] = field(hash=False, repr=False)  # the config as plain JSON
    metric: str  # "accuracy" or "mse": what best_value is
    device: str  # "cpu", "cuda:0": what it queues for
    folder: Path
    created: float
    device_name: str = ""
    environment: dict[str, Any] = field(default_factory=dict, hash=False, repr=False)
    queued: float | None = None
    started: float | None = None
    ended: float | None = None
    process: Process | None = None
    heartbeat: float | None = None
    iteration: int = 0
    seconds: float = 0.0
    rate: float | None = None  # meta-steps per second
    best_value: float | None = None
    best_ci95: float | None = None
    best_iteration: int | None = None
    message: str = ""
    cancel: bool = False
    note: str = ""
    tags: tuple[str, ...] = ()
    read_only: bool = False
    owner: str = ""  # who started it, in a class: see classroom.py
    most_seconds: float | None = None  # it is stopped after this long, whatever its budget
    damage: str = ""  # what is wrong with its record, in a sentence
    tested: Tested | None = None  # on a shelf: the score that it came with

    @cached_property
    def config(self) -> RunConfig:
        if self.lost:
            raise UserError(self.damage)
        return RunConfig.from_dict(self.values)

    @property
    def lost(self) -> bool:
        """Beyond reading: `damage` is all there is to say about it."""
        return bool(self.damage) and not self.values

    @property
    def active(self) -> bool:
        """Still to change by itself: a page that shows it should keep looking."""
        return self.status in (QUEUED, RUNNING)

    @property
    def resumable(self) -> bool:
        """Can go on: where it stopped, or, if finished, for longer."""
        return self.status in ENDED and not self.read_only

    @property
    def share(self) -> float:
        """How much of the budget is used, 0 to 1."""
        budget = self.config.training
        by_steps = self.iteration / budget.iterations if budget.iterations else 0.0
        by_clock = self.seconds / budget.seconds if budget.seconds else 0.0
        return min(1.0, max(by_steps, by_clock))

    @property
    def pace(self) -> float | None:
        """Meta-steps per second: of late while it trains, else over all of its training."""
        if self.status == RUNNING:
            return self.rate
        return self.iteration / self.seconds if self.iteration and self.seconds else None

    @property
    def seconds_left(self) -> float | None:
        """How long it will still train, by its recent speed; None while that is not known.

        A busy computer slows it down and an idle one speeds it up, so what was forecast, and how
        fast it began, say little.
        """
        budget, ends = self.config.training, []
        if budget.iterations and self.pace:
            ends.append((budget.iterations - self.iteration) / self.pace)
        if budget.seconds:
            ends.append(budget.seconds - self.seconds)
        if ends and self.most_seconds is not None:
            ends.append(self.most_seconds - self.seconds)
        return max(0.0, min(ends)) if ends else None

    @property
    def overdue(self) -> bool:
        """Whether it has taken as long as it may."""
        return self.most_seconds is not None and self.seconds >= self.most_seconds

    def alive(self) -> bool:
        """Whether the process that has claimed or will claim it still lives."""
        return self.process is not None and self.process.alive(self.heartbeat)

    def silent(self, now: float) -> bool:
        """Whether its worker has not been heard of for a suspiciously long time."""
        heard = self.heartbeat or self.started or now
        return self.status == RUNNING and not recent(heard, now)


FACTS = (
    *("name", "status", "metric", "device", "device_name", "environment", "created", "started"),
    *("ended", "iteration", "seconds", "rate", "best_value", "best_ci95", "best_iteration"),
    *("message", "note", "tags"),
)


DIGEST = "digest"  # of what older versions wrote there is none


def facts_json(run: Run) -> bytes:
    """All but the config, the metrics and the weights, for a file that leaves the store."""
    facts = {"format": 1, **{name: _finite(getattr(run, name)) for name in FACTS}}
    return json.dumps({**facts, DIGEST: _facts_digest(facts, run.values)}, indent=2).encode()


def _facts_digest(facts: dict[str, Any], values: dict[str, Any]) -> str:
    """One number for all of a run.json and the config beside it."""
    text = json.dumps([{**facts, DIGEST: ""}, values], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def refuse_changed(config: bytes, facts: bytes, source: str) -> None:
    """Whether these two are as they were written; called when all else about them is right."""
    known, values = json.loads(facts), json.loads(config)
    if DIGEST in known and known[DIGEST] != _facts_digest(known, values):
        raise UserError(f"{source} is damaged: run.json and config.json do not match their digest.")


def config_json(values: dict[str, Any]) -> bytes:
    return json.dumps(values, indent=2).encode()


def metrics_csv(metrics: Iterable[Metric]) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("step", "seconds", "key", "value"))
    rows.writerows((metric.step, metric.seconds, metric.key, metric.value) for metric in metrics)
    return text.getvalue().encode()


def read_metrics(data: bytes, source: str) -> list[Metric]:
    """The rows of a metrics.csv; `source` is what a refusal calls it."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode())))
        if rows[0] != ["step", "seconds", "key", "value"]:
            raise ValueError("unknown columns")
        metrics = [
            Metric(number, int(step), float(seconds), key, float(value))
            for number, (step, seconds, key, value) in enumerate(rows[1:], 1)
        ]
        if any(abs(metric.step) > LARGEST_NUMBER for metric in metrics):
            raise ValueError("a step is too large")
        return metrics
    except (ValueError, IndexError, csv.Error) as error:
        raise UserError(f"{source}: metrics.csv cannot be read ({error}).") from None


def read_run(run_id: str, folder: Path, config: bytes, facts: bytes, source: str) -> Run:
    """A run from its config.json and run.json, each value checked for its kind."""
    values, known = _object(config, f"{source}: config.json"), _object(facts, f"{source}: run.json")
    if known.get("format") != 1:
        raise UserError(f"{source} was written by another version of Metacore: update Metacore.")
    try:
        checked = RunConfig.from_dict(values)
    except UserError as error:
        raise UserError(f"{source}: {error}") from error
    wanted = {name: known[name] for name in FACTS if known.get(name) is not None}
    for name, value in wanted.items():
        if not _valid(value, _KINDS[name]):
            raise UserError(f"{source}: run.json has no valid {name}.")
    wanted["tags"] = tuple(str(tag) for tag in wanted.get("tags", ()))
    try:
        return Run(id=run_id, folder=folder, values=checked.to_dict(), **wanted)
    except TypeError:
        raise UserError(f"{source}: run.json is incomplete.") from None


_KINDS: dict[str, Any] = {
    **dict.fromkeys(("created", "started", "ended", "seconds", "rate"), (int, float)),
    **dict.fromkeys(("best_value", "best_ci95"), (int, float)),
    **dict.fromkeys(("iteration", "best_iteration"), int),
    **dict.fromkeys(("name", "status", "metric", "device", "device_name"), str),
    **dict.fromkeys(("message", "note"), str),
    "environment": dict,
    "tags": list,
}


def _valid(value: Any, kind: Any) -> bool:
    """Of its kind, and something a database can hold: no half characters, no endless numbers."""
    if not isinstance(value, kind) or isinstance(value, bool):
        return False
    if isinstance(value, str):
        return value.encode(errors="replace").decode() == value
    return not isinstance(value, int) or abs(value) <= LARGEST_NUMBER


def _object(data: bytes, source: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UserError(f"{source} is not a JSON object.")
    return found


def _finite(value: Any) -> Any:
    """JSON knows no infinity."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
