"""Runs: where they are kept, how they queue, who trains them, and how they travel."""

from metacore.runs import comparisons
from metacore.runs.comparison import Comparison
from metacore.runs.execution import execute, follow
from metacore.runs.files import load_params
from metacore.runs.jobs import Queue, cancel, dispatch, resume, submit
from metacore.runs.question import Question
from metacore.runs.record import ENDED, STATUSES, Metric, Run
from metacore.runs.results import episodes_csv, result_json, rows_csv
from metacore.runs.shelf import Shelf
from metacore.runs.store import Store
from metacore.runs.strip import read_strip
from metacore.runs.transfer import export, import_

__all__ = [
    "ENDED",
    "STATUSES",
    "Comparison",
    "Metric",
    "Question",
    "Queue",
    "Run",
    "Shelf",
    "Store",
    "cancel",
    "comparisons",
    "dispatch",
    "episodes_csv",
    "execute",
    "export",
    "follow",
    "import_",
    "load_params",
    "read_strip",
    "result_json",
    "resume",
    "rows_csv",
    "submit",
]
