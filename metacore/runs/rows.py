"""A row of the database as a job, and the digest that tells whether its results are those written.

A disk that flips a byte must neither end the list of all runs nor change a number unnoticed. So a
row is read cell by cell: what cannot be read gets a value that says nothing, settings are looked
for in the run's folder as well, results that do not match their digest are left out, and
`Run.damage` says so in a sentence.
"""

import hashlib
import json
import math
import sqlite3
from collections.abc import Callable, Container, Mapping
from functools import cache, lru_cache
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

from metacore.errors import UserError
from metacore.runs.job import FAILED, NOBODY, STATUSES, Job
from metacore.runs.process import Process
from metacore.runs.record import Run
from metacore.strict import Moment

RESULTS: dict[str, Any] = {  # and what they are before a run has any
    "iteration": 0,
    "seconds": 0.0,
    "best_value": None,
    "best_ci95": None,
    "best_iteration": None,
}
INSERT_METRIC = "INSERT INTO metrics (run, step, seconds, key, value) VALUES (?, ?, ?, ?, ?)"
_LATEST = 253_402_300_800  # the year 9999: no calendar goes on after it


def results_digest(values: dict[str, Any], metric: str, columns: Mapping[str, Any]) -> str:
    """One number for a run's config and what it has reached; about 30 microseconds."""
    results = [_same_everywhere(columns.get(name, empty)) for name, empty in RESULTS.items()]
    text = json.dumps([values, metric, results], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def read_row(row: sqlite3.Row, folder: Path) -> Run:
    """The run in this row, whatever has become of it; `folder` holds the folders of all runs."""
    cells = (tuple(row.keys()), tuple(row), folder)
    run = _read(*cells)
    return _read.__wrapped__(*cells) if run.damage else run  # its folder may have been mended


@lru_cache(maxsize=4096)
def _read(names: tuple[str, ...], row: tuple[Any, ...], folder: Path) -> Run:
    """Read once: every page asks for all runs on every look."""
    cells = Cells(dict(zip(names, row, strict=True)))
    plain = cells.fields_of(Run, but=RESULTS)
    plain["folder"] = folder / plain["id"]
    plain["metric"] = cells.one_of("metric", ("accuracy", "mse"), "accuracy")
    plain["environment"] = cells.json("environment", dict) or {}
    tags = cells.json("tags", list) or []
    plain["tags"] = tuple(tag for tag in tags if isinstance(tag, str))
    plain |= {"name": plain["name"] or plain["id"], "created": plain["created"] or 0.0}
    values, results = _believed(cells, plain["folder"], plain["metric"])
    plain |= results if results is not None else {**RESULTS, "rate": None}
    return Run(**plain, values=values or {}, damage=_sentence(plain["name"], cells.damaged))


def row_of(run: Run) -> dict[str, Any]:
    """The other way round: what the database keeps of a run."""
    columns = {name: getattr(run, name) for name in _readers(Run)}
    results = {name: getattr(run, name) for name in RESULTS}
    return {
        **columns,
        "id": run.id,
        "status": run.status,
        **(run.process.columns() if run.process else NOBODY),
        "metric": run.metric,
        "cancel": run.cancel,
        "values_json": json.dumps(run.values),
        "environment": json.dumps(run.environment),
        "tags": json.dumps(run.tags),
        "digest": results_digest(run.values, run.metric, results),
    }


class Cells:
    """The cells of one row, and the names of those that hold something else than they should."""

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row
        self.damaged: list[str] = []

    def fields_of(self, job: Callable[..., Job], but: Container[str] = ()) -> dict[str, Any]:
        """What stands in columns that are called as the fields of this kind of job."""
        known = {name: read for name, read in _readers(job).items() if name not in but}
        return {
            **{name: read(self, name) for name, read in known.items()},
            "id": str(self.row["id"]),
            "status": self.one_of("status", STATUSES, FAILED),
            "cancel": bool(self.row["cancel"]),
            "process": _process(self),
        }

    def number(self, name: str) -> Any:
        return self._checked(name, lambda value: isinstance(value, int | float), None)

    def time(self, name: str) -> Any:
        """Seconds since 1970."""
        return self._checked(name, _is_time, None)

    def text(self, name: str) -> str:
        """Bytes that are no text reach us as half characters; see database.py."""
        value = self.row[name]
        repaired = str(value).encode(errors="replace").decode()
        return str(self._checked(name, lambda value: value == repaired, repaired))

    def one_of(self, name: str, known: tuple[str, ...], else_: str) -> str:
        return str(self._checked(name, lambda value: value in known, else_))

    def json(self, name: str, kind: type) -> Any:
        """A dict or a list, or None."""
        try:
            found = json.loads(self.row[name])
            json.dumps(found, ensure_ascii=False).encode()  # half a character breaks every page
            if isinstance(found, kind):
                return found
        except (ValueError, TypeError, RecursionError):
            pass
        self.damaged.append(name)
        return None

    def _checked(self, name: str, good: Any, else_: Any) -> Any:
        value = self.row[name]
        if value is None and else_ is None:
            return None
        if good(value):
            return value
        self.damaged.append(name)
        return else_


@cache
def _readers(job: Callable[..., Job]) -> dict[str, Callable[[Cells, str], Any]]:
    """How to read the columns that hold one number or text, by the types of the fields."""
    known: dict[Any, Any] = {Moment: Cells.time, str: Cells.text}
    known |= {int: Cells.number, float: Cells.number}
    special = ("id", "status", "metric", "damage")
    found = {}
    for name, hint in get_type_hints(job, include_extras=True).items():
        kind = get_args(hint)[0] if NoneType in get_args(hint) else hint
        if kind in known and name not in special:
            found[name] = known[kind]
    return found


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and 0 <= value < _LATEST


def _process(cells: Cells) -> Process | None:
    pid, started, host = (cells.row[name] for name in ("pid", "pid_started", "host"))
    if pid is None:
        return None
    if not (isinstance(pid, int) and isinstance(started, int | float) and isinstance(host, str)):
        cells.damaged.append("process")
        return Process(0, 0.0, str(host))  # nobody: found dead, and buried
    return Process(pid, started, host)


def _believed(
    cells: Cells, folder: Path, metric: str
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """The settings and the results to believe; None where there are none.

    Rows of older versions have no digest and are taken as they are.
    """
    values = cells.json("values_json", dict)
    results = {name: cells.number(name) for name in RESULTS}
    digest = cells.row.get("digest")
    if any(name in cells.damaged for name in RESULTS):
        digest = ""  # which nothing matches
    if values is not None and digest in (None, results_digest(values, metric, results)):
        return values, results
    beside = _beside(folder)
    if values is None and beside is None:
        cells.damaged.append("settings")
    elif beside is not None and digest in (None, results_digest(beside, metric, results)):
        if values is not None:
            cells.damaged.append("values_json")
        return beside, results
    cells.damaged.append("results")
    return beside or values, None


def _beside(folder: Path) -> dict[str, Any] | None:
    """The settings that stand in the run's folder."""
    try:
        found = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _same_everywhere(value: Any) -> Any:
    """As the database gives it back: it keeps no NaN, and makes whole numbers of some floats."""
    if isinstance(value, int | float):
        return None if math.isnan(value) else float(value)
    return value


def _sentence(name: str, damaged: list[str]) -> str:
    if not damaged:
        return ""
    if "settings" in damaged:
        return (
            f"The record of {name} in the run database is damaged, and so are its settings: it"
            " cannot be used. Delete it, or put its folder's config.json back."
        )
    said = f"The record of {name} in the run database is damaged ({', '.join(damaged)})."
    if "results" in damaged:
        return f"{said} Its results are left out: evaluate it to know its score, or resume it."
    return said


def refuse_damaged(run: Run) -> Run:
    """A run whose settings can be read, whatever else is wrong with it."""
    if run.lost:
        raise UserError(run.damage)
    return run
