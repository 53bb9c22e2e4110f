"""Which classes a learner takes for which others: many tasks of the same few classes.

Every task has all N classes, each time with other drawings as its support and as its queries, so
that what is counted is about the classes and not about one lucky support set. Which drawings fell
into a cell is remembered: a number says how often, only the drawings say why.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metacore.capacity import inputs_at_once
from metacore.datasets.base import ImageDataset
from metacore.episode import Episode, stack
from metacore.errors import UserError
from metacore.randomness import generator
from metacore.training.conversion import seen_by
from metacore.training.learner import Learner

Counts = np.ndarray[Any, np.dtype[np.int64]]
MOST_EPISODES = 1000


@dataclass(frozen=True)
class Confusion:
    """What became of every query of some tasks of the same classes."""

    classes: tuple[int, ...]  # of the split; N of them
    names: tuple[str, ...]
    short_names: tuple[str, ...]
    labels: Tensor  # uint8 [N, C, H, W]: a drawing of each class, to show it by
    pictures: Tensor  # uint8 [P, C, H, W]: the different drawings asked about
    truth: Counts  # [M] class of every query, 0..N-1
    guess: Counts  # [M] what it was taken for
    picture: Counts  # [M] which of the pictures it was
    episodes: int

    @cached_property
    def counts(self) -> Counts:
        """[N, N]: how often a query of the row's class was taken for the column's."""
        ways = len(self.classes)
        return np.bincount(self.truth * ways + self.guess, minlength=ways**2).reshape(ways, ways)

    @property
    def accuracy(self) -> float:
        return float(np.trace(self.counts) / self.counts.sum())

    def cell(self, truth: int, guess: int) -> list[tuple[int, int]]:
        """The drawings that fell into a cell, and how often each did: the most frequent first."""
        there = self.picture[(self.truth == truth) & (self.guess == guess)]
        found, times = np.unique(there, return_counts=True)
        order = np.argsort(-times, kind="stable")
        return [(int(found[i]), int(times[i])) for i in order]

    def worst(self) -> tuple[int, int]:
        """The most frequent mistake; the first class rightly recognised if there is none."""
        return next(iter(self.mistakes(1)), (0, 0))

    def mistakes(self, most: int) -> list[tuple[int, int]]:
        """The most frequent ones, as truth and guess."""
        wrong = (self.counts - np.diag(np.diag(self.counts))).flatten()
        order = np.argsort(-wrong, kind="stable")[:most]
        return [divmod(int(cell), len(self.classes)) for cell in order if wrong[cell]]


def confusion(
    learner: Learner,
    dataset: ImageDataset,
    classes: Sequence[int],
    *,
    split: str = "test",
    shots: int,
    queries: int,
    episodes: int,
    first: int = 0,
    seed: int = 0,
    steps: int | None = None,
    norm: str | None = None,
) -> Confusion:
    """Adapts to `episodes` tasks of exactly these classes and counts what their queries became.

    `first` is the number of the first task: of several parts, `joined` makes one.
    """
    if not 1 <= episodes <= MOST_EPISODES:
        raise UserError(f"episodes must be between 1 and {MOST_EPISODES}, not {episodes}.")
    deal = {"shots": shots, "queries": queries}
    dealt = stack(
        [
            dataset.chosen(split, classes, **deal, generator=generator(seed, "confusion", number))
            for number in range(first, first + episodes)
        ]
    )
    seen = seen_by(learner, dataset, dealt)
    guess = torch.cat([_guesses(learner, part, steps, norm) for part in _parts(seen)])
    pictures, picture = _different(dataset.displayed(dealt.query_x))
    names, short = dataset.class_names(split), dataset.short_names(split)
    return Confusion(
        classes=tuple(classes),
        names=tuple(names[number] for number in classes),
        short_names=tuple(short[number] for number in classes),
        labels=dataset.pictures(split, classes),
        pictures=pictures,
        truth=_array(dealt.query_y),
        guess=_array(guess),
        picture=_array(picture),
        episodes=episodes,
    )


def joined(parts: Sequence[Confusion]) -> Confusion:
    """Several of the same classes as one."""
    if len(parts) == 1:
        return parts[0]
    every = np.concatenate([part.pictures.numpy() for part in parts])
    starts = np.cumsum([0, *(len(part.pictures) for part in parts[:-1])])
    flat, which = np.unique(every.reshape(len(every), -1), axis=0, return_inverse=True)
    places = [start + part.picture for start, part in zip(starts, parts, strict=True)]
    return replace(
        parts[0],
        pictures=torch.from_numpy(flat).reshape(-1, *every.shape[1:]),
        truth=np.concatenate([part.truth for part in parts]),
        guess=np.concatenate([part.guess for part in parts]),
        picture=which.reshape(-1)[np.concatenate(places)],
        episodes=sum(part.episodes for part in parts),
    )


def drawn_classes(dataset: ImageDataset, ways: int, *, split: str = "test", seed: int) -> list[int]:
    """Which classes the seed chooses."""
    dataset.check(split, ways=ways, shots=1, queries=0)
    chance = generator(seed, "confused classes")
    return torch.randperm(dataset.classes(split), generator=chance)[:ways].tolist()


def _parts(episode: Episode) -> list[Episode]:
    """As many tasks at once as suit the device."""
    pictures = episode.support_x.shape[1] + episode.query_x.shape[1]
    size = max(1, 6 * inputs_at_once(episode.query_x) // pictures)
    return list(episode.split(size))


def _guesses(learner: Learner, episode: Episode, steps: int | None, norm: str | None) -> Tensor:
    """The class [T, N*Q] each query is taken for once the learner has adapted."""
    *_, last = learner.algorithm.adapt(learner.params, episode, steps=steps, norm=norm)
    return last(episode.query_x).argmax(-1)


def _different(queries: Tensor) -> tuple[Tensor, Tensor]:
    """The different pictures among queries [T, B, ...], as bytes, and which each query is."""
    inked = (queries.flatten(0, 1) * 255).round().to(torch.uint8).cpu()
    flat, which = inked.flatten(1).unique(dim=0, return_inverse=True)
    return flat.unflatten(1, inked.shape[1:]), which


def _array(numbers: Tensor) -> Counts:
    return numbers.flatten().cpu().numpy().astype(np.int64)
