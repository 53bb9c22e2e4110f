"""Runs: where they are kept, how they queue, who trains them, and how they travel."""

from metacore.runs import comparisons
from metacore.runs.bundled import BundledRuns
from metacore.runs.comparison import ComparisonJob
from metacore.runs.execution import execute, follow
from metacore.runs.files import load_params
from metacore.runs.job import ENDED, STATUSES
from metacore.runs.jobs import Queue, cancel, dispatch, resume, submit
from metacore.runs.question import Question
from metacore.runs.record import Metric, Run
from metacore.runs.results import episodes_csv, methods_csv, result_json, rows_csv
from metacore.runs.snapshots import read_snapshots
from metacore.runs.store import Store
from metacore.runs.transfer import export, import_

__all__ = [
    "ENDED",
    "STATUSES",
    "BundledRuns",
    "ComparisonJob",
    "Metric",
    "Question",
    "Queue",
    "Run",
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
    "methods_csv",
    "read_snapshots",
    "result_json",
    "resume",
    "rows_csv",
    "submit",
]
