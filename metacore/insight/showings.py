"""How often a class must be shown: what is known of it at its first, second, … tenth showing.

A stream holds the drawings of N classes in random order, each answered before its label is told.
Streams are named by (seed, split, number), as test episodes are. At a first showing a label can
only be guessed, though not one of those that are taken already.
"""

from dataclasses import dataclass
from typing import cast

import numpy as np
import torch

from metacore.algorithms.base import TakesOneByOne
from metacore.datasets.base import ImageDataset
from metacore.episode import Episode, stack
from metacore.insight.trace import Array
from metacore.randomness import generator
from metacore.statistics import mean_ci95
from metacore.training.learner import Learner

MOST = 10  # showings of a class

# Table 1 of Santoro et al. 2016: showing -> share answered rightly, of five Omniglot characters
# with labels as here. Trained on 100,000 streams of 50 drawings of 20 x 20 pixels; 1200 characters
# to learn from and 423 to test with, shifted and turned a little.
PUBLISHED = {1: 0.364, 2: 0.828, 3: 0.910, 4: 0.926, 5: 0.949, 10: 0.981}
PUBLISHED_WAYS, PUBLISHED_DATASET = 5, "omniglot"


@dataclass(frozen=True)
class Streams:
    """Of each of E streams: the share of classes answered rightly at each of R showings."""

    right: Array  # [E, R]

    def means(self) -> list[tuple[float, float]]:
        """Of every showing: the mean over the streams and the half-width of its 95% interval."""
        return [mean_ci95(column) for column in torch.from_numpy(self.right).unbind(1)]


@dataclass(frozen=True)
class Remembered:
    """One stream of L drawings, looked into."""

    drawings: torch.Tensor  # as the network is given them [L, C, H, W]
    labels: np.ndarray[tuple[int], np.dtype[np.int64]]  # [L]
    answers: np.ndarray[tuple[int], np.dtype[np.int64]]  # [L]
    looked: Array  # at which earlier drawings each read looked [L, H, L]
    held: Array  # how much of each slot which drawing had written after each moment [L, M, L]


def streams(
    learner: Learner,
    dataset: ImageDataset,
    *,
    ways: int,
    numbers: range,
    seed: int = 0,
    split: str = "test",
    norm: str | None = None,
) -> Streams:
    """The streams with these numbers, of as many showings as there are drawings for, up to MOST."""
    shown = min(MOST, dataset.check(split, ways=ways, shots=1, queries=0).least)
    task = {"ways": ways, "shots": 1, "queries": shown - 1, "seed": seed}
    drawn = dataset.episodes(split, **task, numbers=numbers)
    each = [
        one.shuffled(generator(seed, f"{split} stream", number))
        for one, number in zip(drawn.alone(), numbers, strict=True)
    ]
    return Streams(_by_showing(learner, stack(each), shown, norm))


def _by_showing(learner: Learner, stream: Episode, shown: int, norm: str | None) -> Array:
    algorithm = cast(TakesOneByOne, learner.algorithm)
    logits = algorithm.stream(learner.params, stream, norm=norm).logits
    right = (logits.argmax(-1) == stream.support_y).float()
    sums = right.new_zeros(len(right), shown).scatter_add(1, stream.rank(), right)
    return (sums / stream.ways).cpu().numpy()


def remembered(learner: Learner, episode: Episode, norm: str | None = None) -> Remembered:
    """One task's support and queries as a stream: always in the same order."""
    algorithm = cast(TakesOneByOne, learner.algorithm)
    stream = episode.shuffled(generator(0, "one stream"))
    found = algorithm.stream(learner.params, stream, norm=norm)
    return Remembered(
        drawings=stream.support_x[0].cpu(),
        labels=stream.support_y[0].cpu().numpy(),
        answers=found.logits[0].argmax(-1).cpu().numpy(),
        looked=found.looked[0].float().cpu().numpy(),
        held=found.held[0].float().cpu().numpy(),
    )


def by_elimination(ways: int) -> float:
    """The best anyone can do at first showings: guess among the labels that are not taken yet."""
    return float(np.mean([1 / left for left in range(1, ways + 1)]))
