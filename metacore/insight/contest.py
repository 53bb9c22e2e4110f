"""A contest between a person and learners: ten rounds of the same few-shot puzzles for all.

Everything in it follows from four plain values, so a link names it: the same number gives the same
puzzles on any machine. A learner is asked about a whole episode, with all its queries, just as an
evaluation does it, since queries may be normalised together; what counts is the one query that the
person is asked about, too.
"""

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal, cast

import torch
from torch import Tensor
from torch.nn import functional as F

from metacore import datasets
from metacore.datasets.base import ImageDataset
from metacore.datasets.glyphs import Glyphs, GlyphsConfig
from metacore.datasets.omniglot import Omniglot, OmniglotConfig
from metacore.device import suited_threads, synchronize
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.randomness import generator
from metacore.settings import Config
from metacore.statistics import mean_ci95, wilson
from metacore.training.config import RunConfig
from metacore.training.learner import Learner

SPLIT = "test"
ROUNDS = 10
QUERIES = 5  # of every class; a person is asked about one of them all
SHOTS = (1, 3, 5)
LAST_SEED = 2**31 - 1
LONGEST = 999.9  # seconds a reply is said to have taken, at most
BLUR = 2.0  # pixels: two hands never draw a line in the same place
APART = 0.4  # of what the drawings of one class differ by: below it are two of the same

# Turned characters would be classes of their own, and people would call them the same.
CONFIGS: dict[str, Config] = {
    Glyphs.name: GlyphsConfig(rotations=False),
    Omniglot.name: OmniglotConfig(rotations=False),
}


@dataclass(frozen=True, kw_only=True)
class Level:
    """How hard the puzzles are: which classes meet in one."""

    name: str
    title: str
    about: str
    ways: int
    how: Literal["any", "alike", "alphabets", "one alphabet"]


_GLYPHS = (
    Level(
        name="five",
        title="Five characters",
        about="Five invented characters in every round, any five.",
        ways=5,
        how="any",
    ),
    Level(
        name="ten",
        title="Ten characters",
        about="Ten invented characters in every round: twice as much to look through.",
        ways=10,
        how="any",
    ),
    Level(
        name="twenty",
        title="Twenty characters",
        about="Twenty invented characters in every round.",
        ways=20,
        how="any",
    ),
    Level(
        name="alike",
        title="Five that look alike",
        about="One character and the four whose blurred drawings come nearest to it.",
        ways=5,
        how="alike",
    ),
    Level(
        name="twenty-alike",
        title="Twenty that look alike",
        about="One character and the nineteen whose blurred drawings come nearest to it.",
        ways=20,
        how="alike",
    ),
)
_OMNIGLOT = (
    Level(
        name="alphabets",
        title="Five different alphabets",
        about="Five characters in every round, each from another alphabet.",
        ways=5,
        how="alphabets",
    ),
    Level(
        name="one",
        title="Five of one alphabet",
        about="Five characters of the same alphabet in every round.",
        ways=5,
        how="one alphabet",
    ),
    Level(
        name="twenty-of-one",
        title="Twenty characters of one alphabet",
        about="Twenty characters of the same alphabet in every round.",
        ways=20,
        how="one alphabet",
    ),
)
LEVELS: dict[str, tuple[Level, ...]] = {Glyphs.name: _GLYPHS, Omniglot.name: _OMNIGLOT}


@dataclass(frozen=True)
class Puzzle:
    """One round: an episode, and the one of its queries that is asked."""

    episode: Episode  # one task
    query: int  # its index among the queries

    @property
    def truth(self) -> int:
        return int(self.episode.query_y[0, self.query])


@dataclass(frozen=True, kw_only=True)
class Contest:
    """Ten puzzles, named."""

    dataset: str
    level: str
    shots: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.dataset not in LEVELS:
            raise UserError(f"There is no contest about {self.dataset!r}: {_listed(LEVELS)}.")
        names = [level.name for level in LEVELS[self.dataset]]
        if self.level not in names:
            raise UserError(f"{self.dataset} has no level {self.level!r}: {_listed(names)}.")
        if self.shots not in SHOTS:
            raise UserError(f"A contest has no {self.shots} shots: {_listed(map(str, SHOTS))}.")
        if not 0 <= self.seed <= LAST_SEED:
            raise UserError(f"A contest's number is between 0 and {LAST_SEED}, not {self.seed}.")

    @property
    def difficulty(self) -> Level:
        return next(level for level in LEVELS[self.dataset] if level.name == self.level)

    @property
    def harder(self) -> Level | None:
        """The next level; None above the last."""
        levels = LEVELS[self.dataset]
        return dict(pairwise(levels)).get(self.difficulty)

    def puzzle(self, number: int, device: torch.device) -> Puzzle:
        """The round with this number, from 0 on."""
        source = cast(ImageDataset, datasets.load(CONFIGS[self.dataset], device))
        episode = source.chosen(
            SPLIT,
            _classes(source, self.difficulty, generator(self.seed, "contest classes", number)),
            shots=self.shots,
            queries=QUERIES,
            generator=generator(self.seed, "contest drawings", number),
        )
        chance = generator(self.seed, "contest query", number)
        query = torch.randint(len(episode.query_y[0]), (1,), generator=chance)
        return Puzzle(episode, int(query))


def _listed(names: Iterable[str]) -> str:
    return f"choose one of {', '.join(names)}"


# Which classes meet


def _classes(source: ImageDataset, level: Level, chance: torch.Generator) -> list[int]:
    """The classes of one round, in random order."""
    if level.how == "any":
        found = _some(range(source.classes(SPLIT)), level.ways, chance)
    elif level.how == "alike":
        found = _alike(source, level.ways, chance)
    else:
        alphabets = _alphabets(source)
        if level.how == "one alphabet":
            large = [name for name, members in alphabets.items() if len(members) >= level.ways]
            (name,) = _some(range(len(large)), 1, chance)
            found = _some(alphabets[large[name]], level.ways, chance)
        else:
            names = _some(range(len(alphabets)), level.ways, chance)
            members = [[*alphabets.values()][name] for name in names]
            found = [number for some in members for number in _some(some, 1, chance)]
    return _some(found, len(found), chance)


def _some(numbers: Sequence[int], count: int, chance: torch.Generator) -> list[int]:
    """Different ones of these, in random order."""
    order = torch.randperm(len(numbers), generator=chance)[:count]
    return [numbers[int(index)] for index in order]


def _alphabets(source: ImageDataset) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, name in enumerate(source.class_names(SPLIT)):
        found.setdefault(name.partition("/")[0], []).append(number)
    return found


def _alike(source: ImageDataset, ways: int, chance: torch.Generator) -> list[int]:
    """A class and its nearest neighbours, without those that are the same to any eye."""
    far = _distances(source.config)
    (first,) = _some(range(len(far)), 1, chance)
    found = [first]
    for number in far[first].argsort().tolist():
        if len(found) < ways and number != first and bool((far[number, found] > APART).all()):
            found.append(int(number))
    return found


@lru_cache(maxsize=4)
def _distances(config: Config) -> Tensor:
    """Of the test classes of a dataset; on the CPU, so that neighbours are the same everywhere."""
    return distances(cast(ImageDataset, datasets.load(config, torch.device("cpu"))).images[SPLIT])


def distances(images: Tensor) -> Tensor:
    """How far classes [C, drawings, 1, H, W] are apart to the eye: [C, C].

    Between their mean blurred drawings, in units of how much those of one class scatter.
    """
    drawings = _blurred(images.flatten(0, 1).float() / 255).view(*images.shape[:2], -1)
    middle = drawings.mean(1)
    scatter = (drawings - middle[:, None]).norm(dim=-1).mean(1)
    return torch.cdist(middle, middle) * 2 / (scatter + scatter[:, None])


def _blurred(images: Tensor) -> Tensor:
    """Pictures [n, 1, H, W] through a Gaussian."""
    reach = int(3 * BLUR)
    bell = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * BLUR**2))
    bell = bell / bell.sum()
    rows = F.conv2d(images, bell.view(1, 1, 1, -1), padding=(0, reach))
    return F.conv2d(rows, bell.view(1, 1, -1, 1), padding=(reach, 0))


# Answers


@dataclass(frozen=True)
class Answer:
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


def answer(learner: Learner, puzzle: Puzzle) -> Answer:
    """Adapts to the puzzle's support set and answers all its queries at once, under the clock."""
    episode, algorithm = puzzle.episode, learner.algorithm
    with suited_threads(small=True):
        start = time.perf_counter()
        outputs = _outputs(learner, episode)
        synchronize(learner.device)
        seconds = time.perf_counter() - start
    shares = outputs[puzzle.query].softmax(-1).nan_to_num(0.0)
    right = (outputs.argmax(-1) == episode.query_y[0]) & outputs.isfinite().all(-1)
    norm = algorithm.norms[0] if algorithm.network.uses_batch_statistics else "none"
    return Answer(tuple(shares.tolist()), seconds, norm, float(right.float().mean()))


def _outputs(learner: Learner, episode: Episode) -> Tensor:
    """Logits of the adapted network [N*Q, N]."""
    *_, last = learner.algorithm.adapt(learner.params, episode)
    return last(episode.query_x)[0].detach()


def unfair(config: RunConfig, contest: Contest) -> str | None:
    """Why a run may know the contest's characters already, if it may."""
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
        f"{chr(ord('A') + reply.choice)}{round(10 * min(reply.seconds, LONGEST))}"
        for reply in replies
    )


def read(text: str, ways: int) -> list[Reply]:
    """What `write` wrote; nothing of what could not have been written."""
    if not re.fullmatch(rf"([A-T][0-9]{{1,4}}){{0,{ROUNDS}}}", text):
        return []
    found = re.findall(r"([A-T])([0-9]+)", text)
    replies = [Reply(ord(letter) - ord("A"), int(tenths) / 10) for letter, tenths in found]
    return replies if all(reply.choice < ways for reply in replies) else []


# Scores


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
    return Tally(marks, _mean([reply.seconds for reply in replies]))


def tally_answers(answers: Sequence[Answer], truths: Sequence[int]) -> Tally:
    marks = tuple(given.choice == truth for given, truth in zip(answers, truths, strict=True))
    overall = mean_ci95(torch.tensor([given.accuracy for given in answers]))
    return Tally(marks, _mean([given.seconds for given in answers]), overall)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
