"""What pages ask about runs, episodes and datasets.

Learners and datasets live where answers are made; only arrays come back.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self, cast

import numpy as np
import torch
from torch import Tensor

from metacore import datasets
from metacore.algorithms.base import steps_at_test
from metacore.answers.episode_spec import EpisodeSpec
from metacore.answers.question import LongQuestion, Question
from metacore.answers.timing import until
from metacore.capacity import weight
from metacore.datasets.base import ImageDataset
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.insight.best import Best, best_answer
from metacore.insight.confusion import Confusion, confusion, drawn_classes, joined
from metacore.insight.cost import Cost, cost
from metacore.insight.showings import Remembered, Streams, remembered, streams
from metacore.insight.trace import Array, Trace, trace
from metacore.library import rehearse
from metacore.runs import Run, load_params
from metacore.settings import Config
from metacore.training.config import RunConfig, config_owner
from metacore.training.conversion import seen_by
from metacore.training.learner import Learner, build

MANY = 100  # background episodes: behind the one that is looked at
STREAMS, STREAMS_AT_ONCE = 200, 5  # of up to 50 drawings each, at 5 ways
QUICK_PASSES = 6000  # pictures through a network in about a second on one core
BACKWARD = 3  # passes that an inner step costs
WORK = 40  # inner steps of pictures that take some tenths of a second


@dataclass(frozen=True)
class Learned:
    """What a run had learned when its weights were last written; or, without any, an untrained
    network."""

    config: RunConfig
    folder: str = ""
    written: float | None = None

    @classmethod
    def by(cls, run: Run) -> Self:
        """At its best validation so far; raises UserError if there is none yet."""
        times = [file.stat().st_mtime for file in run.folder.glob("*.safetensors")]
        if not times:
            raise UserError(f"{run.name} has no weights yet: wait for its first validation.")
        return cls(run.config, str(run.folder), max(times))

    def learner(self) -> Learner:
        """The last few stay in memory."""
        return _learner(self)


@lru_cache(maxsize=12)
def _learner(learned: Learned) -> Learner:
    params = load_params(Path(learned.folder), "best") if learned.folder else None
    return build(learned.config, params, "auto")


def at_hand(dataset: Config) -> bool:
    """Whether a dataset need not be made first, which takes seconds."""
    return config_owner(datasets.DATASETS, dataset).at_hand(dataset)


@dataclass(frozen=True, kw_only=True)
class Loadable(Question[None]):
    """Whether the weights can be read: refused with the reason where they cannot."""

    learned: Learned

    @property
    def quick(self) -> bool:
        return at_hand(self.learned.config.dataset)

    def answer(self) -> None:
        self.learned.learner()


@dataclass(frozen=True, kw_only=True)
class Drawn(Question[Episode]):
    """The episode itself, on the CPU."""

    spec: EpisodeSpec

    @property
    def quick(self) -> bool:
        return at_hand(self.spec.dataset)

    def answer(self) -> Episode:
        return self.spec.episode().to(torch.device("cpu"))


@dataclass(frozen=True, kw_only=True)
class ClassNames(Question[tuple[str, ...]]):
    """What people call the classes of an episode; () where there are no names for them."""

    spec: EpisodeSpec

    @property
    def quick(self) -> bool:
        return at_hand(self.spec.dataset)

    def answer(self) -> tuple[str, ...]:
        return self.spec.class_names()


@dataclass(frozen=True, kw_only=True)
class Notes(Question[tuple[str, ...]]):
    """What whoever uses a dataset should know of it."""

    spec: EpisodeSpec

    @property
    def quick(self) -> bool:
        return at_hand(self.spec.dataset)

    def answer(self) -> tuple[str, ...]:
        return tuple(self.spec.source().notes())


@dataclass(frozen=True, kw_only=True)
class BestAnswer(Question[Best | None]):
    """The best anyone could make of a curve's points; None where that is not known."""

    spec: EpisodeSpec
    quick = True

    def answer(self) -> Best | None:
        cpu = torch.device("cpu")
        return best_answer(self.spec.source(cpu), self.spec.episode(cpu))


@dataclass(frozen=True, kw_only=True)
class Adaptation(Question[Trace]):
    """One adaptation to one episode, step by step."""

    learned: Learned
    spec: EpisodeSpec
    steps: int | None = None  # as many as the run was made for
    norm: str | None = None  # the run's own
    features: bool = True

    @property
    def quick(self) -> bool:
        needed = self.spec.dataset, self.learned.config.dataset
        passes = _passes(self.learned, self.spec, self.steps, self.norm)
        return passes <= QUICK_PASSES and all(map(at_hand, needed))

    def answer(self) -> Trace:
        learner = self.learned.learner()
        episode = _seen(learner, self.spec, self.spec.episode(learner.device))
        return trace(learner, episode, steps=self.steps, norm=self.norm, features=self.features)


def _seen(learner: Learner, spec: EpisodeSpec, episode: Episode) -> Episode:
    """As the learner takes it: pages ask for conversion by asking at all."""
    return seen_by(learner, spec.source(learner.device), episode)


def _passes(learned: Learned, spec: EpisodeSpec, steps: int | None, norm: str | None) -> int:
    """About how many pictures of the usual size go through the network."""
    if spec.regression:
        return 0
    steps = steps_at_test(learned.config.algorithm) if steps is None else steps
    support, queries = spec.ways * spec.shots, spec.ways * spec.queries
    each = support + 1 if norm == "support+query" else 1
    passes = steps * support * BACKWARD + (steps + 1) * (support + queries * each)
    return int(passes * weight(learned.config.input_shape))


@dataclass(frozen=True, kw_only=True)
class BackgroundScores:
    """How a learner did on some episodes: after every inner step, S+1 by episode."""

    losses: Array
    scores: Array

    @property
    def episodes(self) -> int:
        return int(self.scores.shape[1])

    @property
    def last(self) -> Tensor:
        """The score of each episode after the last step."""
        return torch.from_numpy(self.scores[-1])


@dataclass(frozen=True, kw_only=True)
class BackgroundEpisodes(LongQuestion[BackgroundScores]):
    """The same kind of adaptation to a hundred other test episodes: `spec` is one of them."""

    learned: Learned
    spec: EpisodeSpec
    steps: int | None = None
    norm: str | None = None
    total: int = MANY

    def some(self, done: int, seconds: float) -> tuple[BackgroundScores, int]:
        learner, seen = self.learned.learner(), []
        for _ in until(seconds):
            numbers = range(done, min(done + self._at_once(), self.total))
            drawn = self.spec.numbered(numbers, learner.device)
            episode = _seen(learner, self.spec, drawn)
            found = trace(learner, episode, steps=self.steps, norm=self.norm, features=False)
            seen.append(BackgroundScores(losses=found.support_loss, scores=found.query_score))
            done = numbers.stop
            if done >= self.total:
                break
        return cast(BackgroundScores, self.joined(seen)), done

    def joined(self, pieces: Sequence[BackgroundScores]) -> BackgroundScores | None:
        if not pieces:
            return None
        return BackgroundScores(
            losses=np.concatenate([piece.losses for piece in pieces], axis=1),
            scores=np.concatenate([piece.scores for piece in pieces], axis=1),
        )

    def _at_once(self) -> int:
        if self.spec.regression:
            return self.total
        own = steps_at_test(self.learned.config.algorithm)
        steps = own if self.steps is None else self.steps
        costly = 5 if self.norm == "support+query" else 1
        heavy = weight(self.learned.config.input_shape)
        return max(1, min(10, int(WORK / ((steps + 1) * costly * heavy))))


@dataclass(frozen=True, kw_only=True)
class Mistakes(LongQuestion[Confusion]):
    """Which of a few classes are taken for which, over many tasks of exactly these."""

    learned: Learned
    spec: EpisodeSpec  # its ways, shots, queries and seed
    total: int  # tasks
    steps: int | None = None
    norm: str | None = None

    def some(self, done: int, seconds: float) -> tuple[Confusion, int]:
        learner, seen = self.learned.learner(), []
        source = cast(ImageDataset, self.spec.source(learner.device))
        classes = drawn_classes(source, self.spec.ways, seed=self.spec.seed)
        for _ in until(seconds):
            found = confusion(
                learner,
                source,
                classes,
                shots=self.spec.shots,
                queries=self.spec.queries,
                episodes=1,
                first=done,
                seed=self.spec.seed,
                steps=self.steps,
                norm=self.norm,
            )
            seen.append(found)
            done += 1
            if done >= self.total:
                break
        return joined(seen), done

    def joined(self, pieces: Sequence[Confusion]) -> Confusion | None:
        return joined(pieces) if pieces else None


@dataclass(frozen=True, kw_only=True)
class Showings(LongQuestion[Streams]):
    """What is known of a class at its first, second, … showing, over many streams of drawings."""

    learned: Learned
    spec: EpisodeSpec  # its dataset, ways and seed
    norm: str | None = None
    total: int = STREAMS

    def some(self, done: int, seconds: float) -> tuple[Streams, int]:
        learner, seen = self.learned.learner(), []
        source = cast(ImageDataset, self.spec.source(learner.device))
        asked: dict[str, Any] = {"ways": self.spec.ways, "seed": self.spec.seed, "norm": self.norm}
        for _ in until(seconds):
            numbers = range(done, min(done + STREAMS_AT_ONCE, self.total))
            seen.append(streams(learner, source, **asked, split=self.spec.split, numbers=numbers))
            done = numbers.stop
            if done >= self.total:
                break
        return cast(Streams, self.joined(seen)), done

    def joined(self, pieces: Sequence[Streams]) -> Streams | None:
        if not pieces:
            return None
        return Streams(np.concatenate([piece.right for piece in pieces]))


@dataclass(frozen=True, kw_only=True)
class StreamOf(Question[Remembered]):
    """An episode as a stream of drawings, and what became of a memory on the way."""

    learned: Learned
    spec: EpisodeSpec
    norm: str | None = None

    @property
    def quick(self) -> bool:
        return at_hand(self.spec.dataset) and at_hand(self.learned.config.dataset)

    def answer(self) -> Remembered:
        learner = self.learned.learner()
        return remembered(learner, self.spec.episode(learner.device), self.norm)


@dataclass(frozen=True, kw_only=True)
class Costs(LongQuestion[tuple[Cost, ...]]):
    """What several runs keep of a task and what it costs them, one after the other: two that are
    measured at once would slow each other down."""

    learned: tuple[Learned, ...]
    spec: EpisodeSpec
    steps: int | None = None
    norm: str | None = None

    @property
    def total(self) -> int:  # type: ignore[override]  # says of each of its kind how long it is
        return len(self.learned)

    def some(self, done: int, seconds: float) -> tuple[Cost, int]:
        learner = self.learned[done].learner()
        episode = _seen(learner, self.spec, self.spec.episode(learner.device))
        return cost(learner, episode, steps=self.steps, norm=self.norm), done + 1

    def joined(self, pieces: Sequence[Cost]) -> tuple[Cost, ...]:
        return tuple(pieces)


@dataclass(frozen=True, kw_only=True)
class Size:
    """Of the test split of a dataset of pictures."""

    classes: int
    drawings: int  # of each class, at least


@dataclass(frozen=True, kw_only=True)
class Room(Question[Size]):
    """How large a task of this dataset can be."""

    spec: EpisodeSpec

    @property
    def quick(self) -> bool:
        return at_hand(self.spec.dataset)

    def answer(self) -> Size:
        sizes = cast(ImageDataset, self.spec.source()).class_sizes(self.spec.split)
        return Size(classes=len(sizes), drawings=int(sizes.min()))


@dataclass(frozen=True, kw_only=True)
class Offered:
    """Some classes to choose from by eye."""

    count: int  # of all classes of the split
    page: tuple[int, ...]  # those that are offered now
    known: tuple[int, ...]  # those of the ticked ones that there are
    names: dict[int, str]  # of both
    pictures: Tensor  # uint8 [n, 1, H, W], in the order of the names


@dataclass(frozen=True, kw_only=True)
class Gallery(Question[Offered]):
    """A page of a dataset's test classes, and those that are ticked on any page."""

    spec: EpisodeSpec
    page: int
    at_once: int
    ticked: tuple[int, ...] = ()

    def answer(self) -> Offered:
        source = cast(ImageDataset, self.spec.source())
        count = source.classes(self.spec.split)
        first = self.at_once * (self.page % -(-count // self.at_once))
        page = tuple(range(first, min(first + self.at_once, count)))
        known = tuple(number for number in self.ticked if 0 <= number < count)
        shown = list(dict.fromkeys([*page, *known]))
        names = source.class_names(self.spec.split)
        return Offered(
            count=count,
            page=page,
            known=known,
            names={number: names[number] for number in shown},
            pictures=source.pictures(self.spec.split, shown),
        )


@dataclass(frozen=True, kw_only=True)
class Possible(Question[None]):
    """Whether a run of this config could be trained: refused with the reason where it could not."""

    config: RunConfig

    @property
    def quick(self) -> bool:
        return at_hand(self.config.dataset)

    def answer(self) -> None:
        rehearse(self.config)
