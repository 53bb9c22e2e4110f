"""The episodes behind the one that is looked at: gone through a few at a time.

A hundred adaptations take seconds, so the page that needs them shows a bar and may be left at any
moment; whoever comes next goes on where it stopped. Only their scores are kept.
"""

import threading

import numpy as np

from metacore import Learner
from metacore.answers.asked import Asked
from metacore.device import suited_threads
from metacore.insight.spread import Spread, spread
from metacore.insight.trace import Array, trace

WORK = 40  # inner steps of pictures that take some tenths of a second


class Others:
    """How one learner does on many episodes, in one mode and with so many steps."""

    def __init__(
        self, learner: Learner, asked: Asked, total: int, *, steps: int | None, norm: str | None
    ) -> None:
        self.learner, self.asked, self.total = learner, asked, total
        self.steps, self.norm = steps, norm
        self._losses: list[Array] = []  # [S+1, some] each
        self._scores: list[Array] = []
        self._lock = threading.Lock()

    @property
    def done(self) -> int:
        return sum(part.shape[1] for part in self._scores)

    @property
    def complete(self) -> bool:
        return self.done >= self.total

    def advance(self) -> None:
        """Some more of them; several pages may ask at once."""
        with self._lock:
            numbers = range(self.done, min(self.done + self._at_once(), self.total))
            if not numbers:
                return
            episode = self.asked.numbered(numbers, self.learner.device)
            with suited_threads(small=True):  # the others belong to those who wait for a page
                seen = trace(
                    self.learner, episode, steps=self.steps, norm=self.norm, features=False
                )
            self._losses.append(seen.support_loss)
            self._scores.append(seen.query_score)

    def _at_once(self) -> int:
        if self.asked.regression:
            return self.total
        algorithm = self.learner.algorithm
        steps = algorithm.test_steps if self.steps is None else self.steps
        costly = 5 if self.norm == "support+query" else 1
        return max(1, min(10, WORK // ((steps + 1) * costly)))

    def losses(self) -> Spread:
        return spread(np.concatenate(self._losses, axis=1))

    def scores(self) -> Spread:
        return spread(np.concatenate(self._scores, axis=1))
