"""Runs: where they are kept, how they queue, who trains them, and how they travel."""

from metacore.runs.execution import execute, follow
from metacore.runs.files import load_params
from metacore.runs.jobs import Queue, cancel, dispatch, resume, submit
from metacore.runs.record import ENDED, STATUSES, Metric, Run
from metacore.runs.shelf import Shelf
from metacore.runs.store import Store
from metacore.runs.transfer import export, import_

__all__ = [
    "ENDED",
    "STATUSES",
    "Metric",
    "Queue",
    "Run",
    "Shelf",
    "Store",
    "cancel",
    "dispatch",
    "execute",
    "export",
    "follow",
    "import_",
    "load_params",
    "resume",
    "submit",
]
