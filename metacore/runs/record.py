"""What there is to know about a run: the frozen view of it that everyone but its worker gets."""

import csv
import hashlib
import io
import itertools
import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from metacore import strict
from metacore.errors import UserError
from metacore.runs.job import ENDED, RUNNING, Job
from metacore.runs.schema import ConfigValues, Facts, Format
from metacore.runs.tested import Tested
from metacore.statistics import finite
from metacore.strict import LARGEST_COUNT, LARGEST_NUMBER, LONGEST_TEXT
from metacore.tables import to_csv
from metacore.training.config import RunConfig

COLUMNS = ("step", "seconds", "key", "value")
LARGEST_CSV, MOST_ROWS = 8_000_000, 100_000
LONGEST_SECONDS = 1e10
_KEY = re.compile(r"[A-Za-z_][\w ./-]{0,79}", re.ASCII)


class Metric(NamedTuple):
    """One number at one meta-step; `row` grows, so `rows after N` are the new ones."""

    row: int
    step: int
    seconds: float
    key: str
    value: float


@dataclass(frozen=True, kw_only=True)
class Run(Job):
    """One meta-training: its config, how far it is, and what it has reached."""

    kind = "training"

    name: str
    values: dict[str, Any] = field(hash=False, repr=False)  # the config as plain JSON
    metric: str  # "accuracy" or "mse": what best_value is
    folder: Path
    device_name: str = ""
    environment: dict[str, Any] = field(default_factory=dict, hash=False, repr=False)
    iteration: int = 0
    seconds: float = 0.0
    rate: float | None = None  # meta-steps per second
    best_value: float | None = None
    best_ci95: float | None = None
    best_iteration: int | None = None
    note: str = ""
    tags: tuple[str, ...] = ()
    read_only: bool = False
    damage: str = ""  # what is wrong with its record, in a sentence
    tested: Tested | None = None  # of one that comes with Metacore: the score it came with

    @cached_property
    def config(self) -> RunConfig:
        if self.lost:
            raise UserError(self.damage)
        return RunConfig.from_dict(self.values)

    @property
    def title(self) -> str:
        return self.name

    @property
    def lost(self) -> bool:
        """Then `damage` is all there is to say about it."""
        return bool(self.damage) and not self.values

    @property
    def resumable(self) -> bool:
        """Can go on: where it stopped, or, if finished, for longer."""
        return self.status in ENDED and not self.read_only

    @property
    def progress(self) -> float:
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


DIGEST = "digest"  # of what older versions wrote there is none
FACTS = tuple(name for name in Facts.__struct_fields__ if name not in ("format", DIGEST))


def facts_json(run: Run) -> bytes:
    """All but the config, the metrics and the weights, for a file that leaves the store."""
    facts = {"format": 1, **{name: finite(getattr(run, name)) for name in FACTS}}
    facts["message"] = run.message[:LONGEST_TEXT]
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
    """At most as many rows as are read again; what is not a finite number is an empty cell."""
    rows = fitting(list(metrics))
    cells = ((m.step, m.seconds, m.key, finite(m.value)) for m in rows)
    return to_csv(COLUMNS, cells)


def fitting(metrics: list[Metric], points: int = MOST_ROWS) -> list[Metric]:
    """Evenly as many points of each curve as fit; the last one always stays."""
    count = Counter(metric.key for metric in metrics)
    points = min(points, MOST_ROWS // max(1, len(count)))
    seen: Counter[str] = Counter()
    kept = []
    for metric in metrics:
        seen[metric.key] += 1
        every = -(-count[metric.key] // points)
        if (count[metric.key] - seen[metric.key]) % every == 0:
            kept.append(metric)
    return kept


def read_metrics(data: bytes, source: str) -> list[Metric]:
    """The rows of a metrics.csv, one after the other; `source` is what a refusal calls it."""
    if len(data) > LARGEST_CSV:
        raise UserError(f"{source}: metrics.csv is larger than {LARGEST_CSV // 10**6} MB.")
    try:
        lines = csv.reader(io.TextIOWrapper(io.BytesIO(data), "utf-8", newline=""))
        if tuple(next(lines, ())) != COLUMNS:
            raise ValueError("unknown columns")
        rows = itertools.islice(lines, MOST_ROWS + 1)
        metrics = [_metric(number, row) for number, row in enumerate(rows, 1)]
        if len(metrics) > MOST_ROWS:
            raise ValueError(f"more than {MOST_ROWS} rows")
        return metrics
    except (ValueError, csv.Error) as error:
        raise UserError(f"{source}: metrics.csv cannot be read ({error}).") from None


def _metric(number: int, row: list[str]) -> Metric:
    """One row; an empty value is what was no number when it was measured."""
    step, seconds, key, value = row
    found = Metric(number, int(step), float(seconds), key, float(value) if value else math.nan)
    if not 0 <= found.step <= LARGEST_COUNT:
        raise ValueError(f"row {number}: a step must be between 0 and {LARGEST_COUNT}")
    if not 0 <= found.seconds <= LONGEST_SECONDS:
        raise ValueError(f"row {number}: seconds must be between 0 and {LONGEST_SECONDS:g}")
    if not _KEY.fullmatch(key):
        raise ValueError(f"row {number}: no metric has this key")
    if value and not abs(found.value) <= LARGEST_NUMBER:
        raise ValueError(f"row {number}: a value must be a finite number")
    return found


def run_of(config: RunConfig, **known: Any) -> Run:
    """A run of this config of which nothing else is known than what is given."""
    name = f"{config.algorithm_class.name} {config.dataset_class.name}"
    return Run(name=name, values=config.to_dict(), metric=config.metric, **known)


def read_run(run_id: str, folder: Path, config: bytes, facts: bytes, source: str) -> Run:
    """A run from its config.json and run.json, checked against their schema."""
    values = strict.read(config, ConfigValues, f"{source}: config.json")
    if strict.read(facts, Format, f"{source}: run.json").format != 1:
        raise UserError(f"{source} was written by another version of Metacore: update Metacore.")
    found = strict.read(facts, Facts, f"{source}: run.json")
    try:
        checked = RunConfig.from_dict(values)
    except UserError as error:
        raise UserError(f"{source}: {error}") from error
    _refuse_other_metric(found, checked, source)
    known = {name: getattr(found, name) for name in FACTS if getattr(found, name) is not None}
    known["tags"] = tuple(found.tags or ())
    return Run(id=run_id, folder=folder, values=checked.to_dict(), **known)


def _refuse_other_metric(facts: Facts, config: RunConfig, source: str) -> None:
    """The score must be of the kind that the config's task has, and within its range."""
    metric = config.metric
    if facts.metric != metric:
        raise UserError(f"{source}: run.json has no valid metric: its config's is {metric}.")
    if metric == "accuracy" and (facts.best_value or 0) > 1:
        raise UserError(f"{source}: run.json has no valid best_value: accuracies end at 1.")
