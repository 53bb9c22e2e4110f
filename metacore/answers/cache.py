"""Answers that are kept: those used last, in no more than so many bytes.

An answer that is refused is forgotten soon: what was missing may be there by then.
"""

import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from metacore.answers.question import Question, Standing

REFUSED_SECONDS = 5.0
LEAST = 400  # bytes that anything takes


@dataclass(frozen=True)
class _Entry:
    standing: Standing[Any]
    size: int
    since: float


class AnswerCache:
    """Not for several threads at once: whoever shares it locks."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.size = 0
        self._entries: OrderedDict[Question[Any], _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, question: Question[Any]) -> Standing[Any] | None:
        entry = self._entries.get(question)
        if entry is None:
            return None
        if entry.standing.error and time.monotonic() - entry.since > REFUSED_SECONDS:
            self.drop(question)
            return None
        self._entries.move_to_end(question)
        return entry.standing

    def put(self, question: Question[Any], standing: Standing[Any], size: int) -> None:
        """Makes room for it; what is larger than all there is stays until the next one comes."""
        self.drop(question)
        size = max(size, LEAST)
        while self._entries and self.size + size > self.budget:
            self.drop(next(iter(self._entries)))
        self._entries[question] = _Entry(standing, size, time.monotonic())
        self.size += size

    def drop(self, question: Question[Any]) -> None:
        entry = self._entries.pop(question, None)
        self.size -= entry.size if entry else 0
