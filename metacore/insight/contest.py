"""A contest between a person and learners: ten rounds of the same few-shot puzzles for all.

Everything in it follows from four plain values, so a link names it: the same number gives the same
puzzles on any machine.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, cast

import torch

from metacore import datasets
from metacore.datasets import DATASETS
from metacore.datasets.base import ImageDataset
from metacore.datasets.emoji import Emoji, EmojiConfig
from metacore.datasets.glyphs import Glyphs, GlyphsConfig
from metacore.datasets.omniglot import Omniglot, OmniglotConfig
from metacore.datasets.quickdraw import QuickDraw, QuickDrawConfig
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.insight.likeness import distances_in
from metacore.randomness import generator
from metacore.settings import Config

SPLIT = "test"
ROUNDS = 10
QUERIES = 5  # of every class, if it has so many; a person is asked about one of them all
SHOTS = (1, 3, 5)
LAST_SEED = 2**31 - 1
APART = 0.4  # of what the drawings of one class differ by: below it are two of the same

# Turned characters would be classes of their own, and people would call them the same.
CONFIGS: dict[str, Config] = {
    Glyphs.name: GlyphsConfig(rotations=False),
    Omniglot.name: OmniglotConfig(rotations=False),
    QuickDraw.name: QuickDrawConfig(),
    Emoji.name: EmojiConfig(),
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


def _any(things: str, of: str) -> tuple[Level, ...]:
    """More and more of them at once."""
    counts = {"five": 5, "ten": 10, "twenty": 20}
    return tuple(
        Level(
            name=name,
            title=f"{name.capitalize()} {things}",
            about=f"{name.capitalize()} {things} in every round, of {of}.",
            ways=ways,
            how="any",
        )
        for name, ways in counts.items()
    )


LEVELS: dict[str, tuple[Level, ...]] = {
    Glyphs.name: _GLYPHS,
    Omniglot.name: _OMNIGLOT,
    QuickDraw.name: _any("things", "those whose doodles no network was trained on"),
    Emoji.name: _any("emoji", "those no network was trained on"),
}


@dataclass(frozen=True)
class Puzzle:
    """One round: an episode, and the one of its queries that is asked."""

    episode: Episode  # one task
    query: int  # its index among the queries
    names: tuple[str, ...] = ()  # of its classes, where people know them by name

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
    def kind(self) -> type[ImageDataset]:
        """The dataset it is about."""
        return cast(type[ImageDataset], DATASETS[self.dataset])

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
        queries = min(QUERIES, source.most_queries or QUERIES)
        large = (source.class_sizes(SPLIT) >= self.shots + queries).nonzero().flatten().tolist()
        chance = generator(self.seed, "contest classes", number)
        classes = _classes(source, self.difficulty, large, chance)
        episode = source.chosen(
            SPLIT,
            classes,
            shots=self.shots,
            queries=queries,
            generator=generator(self.seed, "contest drawings", number),
        )
        chance = generator(self.seed, "contest query", number)
        query = torch.randint(len(episode.query_y[0]), (1,), generator=chance)
        names = source.short_names(SPLIT) if source.named else ()
        return Puzzle(episode, int(query), tuple(names[each] for each in classes if names))


def _listed(names: Iterable[str]) -> str:
    return f"choose one of {', '.join(names)}"


# Which classes meet


def _classes(
    source: ImageDataset, level: Level, large: Sequence[int], chance: torch.Generator
) -> list[int]:
    """The classes of one round, in random order; `large` have pictures enough."""
    if level.how == "any":
        found = _some(large, level.ways, chance)
    elif level.how == "alike":
        found = _alike(source, level.ways, chance)
    else:
        alphabets = _alphabets(source)
        if level.how == "one alphabet":
            those = [name for name, members in alphabets.items() if len(members) >= level.ways]
            (name,) = _some(range(len(those)), 1, chance)
            found = _some(alphabets[those[name]], level.ways, chance)
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
    far = distances_in(source.config)
    (first,) = _some(range(len(far)), 1, chance)
    found = [first]
    for number in far[first].argsort().tolist():
        if len(found) < ways and number != first and bool((far[number, found] > APART).all()):
            found.append(int(number))
    return found
