"""What pages ask about tasks made by hand, and about contests.

What a run has adapted to stays in the helper that adapted it, so that a new query costs it no more
than a look.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from metacore.answers.question import Question
from metacore.answers.questions import Learned, at_hand
from metacore.device import resolve
from metacore.insight import contest_replies
from metacore.insight.contest import CONFIGS, Contest, Puzzle
from metacore.insight.contest_replies import LearnerAnswer
from metacore.models.kept_features import unwritten
from metacore.trial.task import Adapted, Answer, Array, adapt


@dataclass(frozen=True)
class Pictures:
    """Pictures [n, C, H, W] as bytes, which can be compared."""

    data: bytes
    shape: tuple[int, ...]  # of one

    @classmethod
    def of(cls, images: Tensor) -> "Pictures":
        return cls(images.numpy().tobytes(), tuple(images.shape[1:]))

    @property
    def images(self) -> Tensor:
        flat = np.frombuffer(self.data, np.uint8)
        return torch.from_numpy(flat.reshape(-1, *self.shape).copy())


@dataclass(frozen=True)
class Said:
    """What a run makes of a trial."""

    steps: tuple[int, ...]  # that are shown
    support_loss: Array  # [S+1]
    norm: str
    answer: Answer | None  # to the queries, if there are any


@dataclass(frozen=True, kw_only=True)
class OnTrial(Question[Said]):
    """A run adapts to a support set and answers queries."""

    learned: Learned
    support: Pictures
    labels: tuple[int, ...]  # of the support set
    ways: int
    query: Pictures

    def answer(self) -> Said:
        with unwritten():
            ready = _adapted(self.learned, self.support, self.labels, self.ways)
            asked = self.query.images
            answer = ready.answer(asked) if len(asked) else None
        steps = tuple(step for step, _ in ready.predictors)
        return Said(steps, ready.support_loss, ready.norm, answer)


@dataclass(frozen=True, kw_only=True)
class Places(Question[tuple[Array, Array]]):
    """Where a trial's drawings lie in the space of a run that has adapted to them, and queries."""

    learned: Learned
    support: Pictures
    labels: tuple[int, ...]
    ways: int
    query: Pictures

    def answer(self) -> tuple[Array, Array]:
        with unwritten():
            ready = _adapted(self.learned, self.support, self.labels, self.ways)
            return ready.places(self.query.images)


@lru_cache(maxsize=24)
def _adapted(learned: Learned, support: Pictures, labels: tuple[int, ...], ways: int) -> Adapted:
    return adapt(learned.learner(), support.images, labels, ways=ways)


@dataclass(frozen=True, kw_only=True)
class Round(Question[Puzzle]):
    """The puzzle of one round of a contest, to look at."""

    contest: Contest
    number: int

    @property
    def quick(self) -> bool:
        return at_hand(CONFIGS[self.contest.dataset])

    def answer(self) -> Puzzle:
        return self.contest.puzzle(self.number, torch.device("cpu"))


@dataclass(frozen=True, kw_only=True)
class InContest(Question[LearnerAnswer]):
    """What a run says to one round, and how long that takes it."""

    learned: Learned
    contest: Contest
    number: int

    @property
    def quick(self) -> bool:
        return at_hand(CONFIGS[self.contest.dataset])

    def answer(self) -> LearnerAnswer:
        _warmed(self.learned, self.contest)
        return contest_replies.answer(self.learned.learner(), _puzzle(self.contest, self.number))


@lru_cache(maxsize=64)
def _puzzle(of: Contest, number: int) -> Puzzle:
    return of.puzzle(number, resolve("auto"))


@lru_cache(maxsize=64)
def _warmed(learned: Learned, of: Contest) -> None:
    """A run's very first answer takes twice as long as any other: it goes uncounted."""
    contest_replies.answer(learned.learner(), _puzzle(of, 0))
