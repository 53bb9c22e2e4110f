"""Questions answered in this very process, before `ask` returns: for scripts, notebooks and tests.

It has the face of a pool, so that whoever asks need not know which of the two it is.
"""

import pickle
from collections.abc import Iterable
from threading import RLock
from typing import Any, TypeVar

from metacore.answers.cache import AnswerCache
from metacore.answers.question import Question, Standing
from metacore.errors import UserError

T = TypeVar("T")
BUDGET = 96 * 2**20


class Here:
    def __init__(self, budget: int = BUDGET) -> None:
        self._kept = AnswerCache(budget)
        self._lock = RLock()  # a question may ask another

    def ask(self, question: Question[T], *, wait: float = 0.0) -> Standing[T]:
        """Complete, whatever it takes."""
        with self._lock:
            found = self._kept.get(question)
            if found is None:
                found = _answered(question)
                size = len(pickle.dumps(found.value, pickle.HIGHEST_PROTOCOL))
                self._kept.put(question, found, size)
            return found

    def peek(self, question: Question[T]) -> Standing[T] | None:
        """What is known already; nothing is computed for it."""
        with self._lock:
            return self._kept.get(question)

    def forget(self, question: Question[Any]) -> None:
        with self._lock:
            self._kept.drop(question)

    def prepare(self, questions: Iterable[Question[Any]]) -> None:
        """Nothing is computed before it is asked for here."""


def _answered(question: Question[Any]) -> Standing[Any]:
    try:
        return Standing(question.answer(), done=question.total, total=question.total)
    except UserError as error:
        return Standing(error=error, total=question.total)
