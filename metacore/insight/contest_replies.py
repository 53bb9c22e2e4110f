"""What is said in a contest, by a person and by learners, and how well each of them does.

A learner is asked about a whole episode, with all its queries, just as an evaluation does it, since
queries may be normalised together; what counts is the one query that the person is asked, too.
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from string import ascii_uppercase
from typing import cast

import torch

from metacore.capacity import suited_threads
from metacore.datasets.omniglot import Omniglot, OmniglotConfig
from metacore.device import synchronize
from metacore.insight.contest import CONFIGS, ROUNDS, Contest, Puzzle
from metacore.statistics import mean_ci95, wilson
from metacore.training.config import RunConfig
from metacore.training.learner import Learner

LONGEST = 999.9  # seconds a reply is said to have taken, at most


@dataclass(frozen=True)
class LearnerAnswer:
    """What a learner says to one puzzle."""

    probabilities: tuple[float, ...]  # of the N classes, for the query that is asked
    seconds: float  # to adapt, and to answer all queries
    norm: str  # whose statistics normalised the queries
    accuracy: float  # over all queries of the episode

    @property
    def choice(self) -> int | None:
        """None if the adaptation went astray and nothing finite came out."""
        best = max(range(len(self.probabilities)), key=self.probabilities.__getitem__)
        return best if self.probabilities[best] > 0 else None

    @property
    def confidence(self) -> float:
        return max(self.probabilities)


def answer(learner: Learner, puzzle: Puzzle) -> LearnerAnswer:
    """Adapts to the puzzle's support set and answers all its queries at once, under the clock."""
    episode, algorithm = puzzle.episode, learner.algorithm
    with suited_threads(small=True):
        start = time.perf_counter()
        *_, last = algorithm.adapt(learner.params, episode)
        outputs = last(episode.query_x)[0].detach()  # logits [N*Q, N]
        synchronize(learner.device)
        seconds = time.perf_counter() - start
    shares = outputs[puzzle.query].softmax(-1).nan_to_num(0.0)
    right = (outputs.argmax(-1) == episode.query_y[0]) & outputs.isfinite().all(-1)
    norm = algorithm.norms[0] if algorithm.network.uses_batch_statistics else "none"
    return LearnerAnswer(tuple(shares.tolist()), seconds, norm, float(right.float().mean()))


def unfair(config: RunConfig, contest: Contest) -> str | None:
    """Why a run cannot take part, or may know the classes already; None if all is well."""
    if not config.takes(CONFIGS[contest.dataset]):
        return "it has learned from pictures of another kind or size."
    if contest.dataset != Omniglot.name or config.dataset_class is not Omniglot:
        return None
    theirs, ours = (
        cast(OmniglotConfig, each).split for each in (config.dataset, CONFIGS[Omniglot.name])
    )
    if theirs == ours:
        return None
    return f"it was trained on the {theirs} split, and may know characters that are asked here."


@dataclass(frozen=True)
class Reply:
    """What a person said to one puzzle, and how long it took."""

    choice: int
    seconds: float


def write(replies: Sequence[Reply]) -> str:
    """Replies for an address, such as `A31D7`: a letter for the class, then tenths of seconds."""
    return "".join(
        f"{ascii_uppercase[reply.choice]}{round(10 * min(reply.seconds, LONGEST))}"
        for reply in replies
    )


def read(text: str, ways: int) -> list[Reply]:
    """What `write` wrote; nothing of what could not have been written."""
    if not re.fullmatch(rf"([A-T][0-9]{{1,4}}){{0,{ROUNDS}}}", text):
        return []
    found = re.findall(r"([A-T])([0-9]+)", text)
    replies = [Reply(ascii_uppercase.index(letter), int(tenths) / 10) for letter, tenths in found]
    return replies if all(reply.choice < ways for reply in replies) else []


@dataclass(frozen=True)
class Tally:
    """How one of them did over some rounds."""

    marks: tuple[bool, ...]  # right or wrong, round by round
    seconds: float  # on average
    overall: tuple[float, float] | None = None  # accuracy over all queries, and its 95% interval

    @property
    def right(self) -> int:
        return sum(self.marks)

    @property
    def accuracy(self) -> float:
        return self.right / len(self.marks)

    @property
    def interval(self) -> tuple[float, float]:
        return wilson(self.right, len(self.marks))


def tally_replies(replies: Sequence[Reply], truths: Sequence[int]) -> Tally:
    marks = tuple(reply.choice == truth for reply, truth in zip(replies, truths, strict=True))
    return Tally(marks, fmean(reply.seconds for reply in replies))


def tally_answers(answers: Sequence[LearnerAnswer], truths: Sequence[int]) -> Tally:
    marks = tuple(given.choice == truth for given, truth in zip(answers, truths, strict=True))
    overall = mean_ci95(torch.tensor([given.accuracy for given in answers]))
    return Tally(marks, fmean(given.seconds for given in answers), overall)
