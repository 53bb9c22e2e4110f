"""One comparison: what everyone gets to see of it."""

import sqlite3
from dataclasses import dataclass, field
from typing import Any

from metacore.errors import UserError
from metacore.runs.job import FINISHED, Job
from metacore.runs.question import Question
from metacore.runs.rows import Cells


@dataclass(frozen=True, kw_only=True)
class ComparisonJob(Job):
    """A question about several runs and, once there is one, the answer."""

    kind = "comparison"

    question: Question
    done: int = 0  # episodes, over all runs
    result: dict[str, Any] | None = field(default=None, hash=False, repr=False)

    @property
    def title(self) -> str:
        return "This comparison"

    @property
    def progress(self) -> float:
        return 1.0 if self.status == FINISHED else min(1.0, self.done / self.question.total)


def read_comparison(row: sqlite3.Row) -> ComparisonJob | None:
    """The comparison in this row; None where the row is damaged: it is easily made again."""
    cells = Cells(dict(row))
    plain, asked = cells.fields_of(ComparisonJob), cells.json("question", dict)
    if cells.damaged:
        return None
    try:
        return ComparisonJob(**plain, question=Question.from_dict(asked))
    except (UserError, ValueError, TypeError, AttributeError, RecursionError):
        return None
