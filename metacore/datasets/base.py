"""What a dataset is: a source of tasks, split into disjoint train, validation and test classes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import Tensor

from metacore import home, settings
from metacore.archives import Source
from metacore.episode import Episode, stack
from metacore.errors import UserError
from metacore.models.networks import Conv4, ModelConfig
from metacore.randomness import generator

SPLITS = ("train", "val", "test")
Progress = Callable[[str, int, int | None], None]  # what, bytes so far, bytes in all if known


class Dataset(ABC):
    """A source of tasks on one device. `config` says which variant of it."""

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    item: ClassVar[str]  # what one example is called
    named: ClassVar[bool] = False  # whether people know its classes by their names
    regression: ClassVar[bool]
    usual_model: ClassVar[ModelConfig]  # what presets learn it with
    quick_model: ClassVar[ModelConfig | None] = None  # what a demo does, if with another
    most_queries: ClassVar[int | None] = None  # of a class in presets, where there are few
    keeps_several: ClassVar[bool] = False  # sets of pictures that people add, by name
    inner_rate: ClassVar[float] = 0.01  # a step on the support set that suits its targets
    Config: ClassVar[type[settings.Config]]

    def __init__(self, config: settings.Config, device: torch.device) -> None:
        self.config = config
        self.device = device

    @classmethod
    @abstractmethod
    def shape(cls, config: settings.Config) -> tuple[int, ...]:
        """Of one input, without loading anything."""

    @classmethod
    def called(cls, config: settings.Config) -> str:
        """What a person calls this variant of it."""
        return cls.title

    @classmethod
    def variants(cls) -> list[settings.Config]:
        """Those one chooses among to be tested on."""
        return [cls.Config()]

    @classmethod
    def described(cls, config: settings.Config) -> str:
        """What one input is, for a sentence."""
        return " x ".join(map(str, cls.shape(config)))

    @classmethod
    def inked(cls, pictures: Tensor) -> bool:
        """Whether they are ink on paper, to be shown in any colour; not photographs."""
        return False

    @classmethod
    def displayed(cls, pictures: Tensor) -> Tensor:
        """What a network is given, from 0 to 1 again: undoes how a dataset scales it."""
        return pictures

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.shape(self.config)

    # Its files, where it has any

    @classmethod
    def ready(cls) -> bool:
        """Whether it can be used now, as far as one can see without opening anything."""
        return True

    @classmethod
    def folder(cls) -> Path:
        return home.data_folder() / cls.name

    @classmethod
    def how_to_get(cls) -> str:
        return "nothing to get: made here"

    @classmethod
    def get(cls, progress: Progress | None = None) -> Path:
        """Downloads it and says where it is."""
        raise UserError(f"{cls.name} needs no files: it is made on this computer.")

    @classmethod
    def get_some(
        cls, classes: Sequence[str], pictures: int, progress: Progress | None = None
    ) -> Path:
        """Downloads only these classes (none: all) and so many pictures of each (0: as usual)."""
        raise UserError(f"{cls.name} cannot be had in parts: leave out --classes and --pictures.")

    @classmethod
    def add(cls, folder: Path) -> Path:
        """Takes it from archives or pictures in a folder and says where it is now."""
        raise UserError(f"{cls.name} needs no files: it is made on this computer.")

    @classmethod
    def add_named(cls, folder: Path, called: str) -> Path:
        """Takes one of several that it keeps, under a name."""
        raise UserError(f"{cls.name} is one dataset and has its name: leave out --name.")

    @classmethod
    def kept_names(cls) -> list[str]:
        """Those it keeps several of, by the name a path setting calls them."""
        return []

    @classmethod
    def upload(cls, source: Source, called: str) -> tuple[str, list[str]]:
        """Keeps one more, from a zip that somebody sends: its name, and what was left out."""
        raise UserError(f"{cls.name} takes no uploads.")

    @classmethod
    def knows(cls, word: str) -> bool:
        """Whether a path setting may say this where strangers choose it: a name of its own."""
        return False

    @classmethod
    def there(cls) -> str:
        """A sentence on which names it knows."""
        return "Nothing was: ask whoever keeps the server."

    @classmethod
    def stamp(cls, config: settings.Config) -> Hashable:
        """Changes when what a config names has changed since it was loaded."""
        return None

    def notes(self) -> list[str]:
        """What whoever uses it should know: a sentence for each thing that is left out, say."""
        return []

    @classmethod
    def at_hand(cls, config: settings.Config) -> bool:
        """Whether it can be loaded in a moment, without being made first."""
        return True

    @abstractmethod
    def classes(self, split: str) -> int:
        """How many classes a split has; 1 where tasks are curves."""

    @abstractmethod
    def sample(
        self,
        split: str,
        *,
        tasks: int,
        ways: int,
        shots: int,
        queries: int,
        generator: torch.Generator,
    ) -> Episode:
        """A batch of `tasks` random tasks of one split."""

    def episodes(
        self, split: str, *, ways: int, shots: int, queries: int, seed: int, numbers: range
    ) -> Episode:
        """The episodes with these numbers: fixed by the seed, and the same for every algorithm."""
        task = {"tasks": 1, "ways": ways, "shots": shots, "queries": queries}
        return stack(
            [
                self.sample(split, **task, generator=self.episode_generator(split, seed, number))
                for number in numbers
            ]
        )

    @staticmethod
    def episode_generator(split: str, seed: int, number: int) -> torch.Generator:
        """What draws the episode with this number."""
        return generator(seed, f"{split} episode", number)


@dataclass(frozen=True)
class Sizes:
    """How many pictures the classes of a split have."""

    each: Tensor  # [classes]
    least: int
    most: int

    @classmethod
    def of(cls, each: Tensor) -> Self:
        return cls(each, int(each.min()), int(each.max())) if len(each) else cls(each, 0, 0)


class ImageDataset(Dataset):
    """Classes of pictures, each with its own number of them.

    One with a single channel is ink: 255 on paper 0. The usual way is one uint8 tensor per split on
    the device; where classes differ in size its rows are padded and `sizes` says how far they go. A
    dataset that keeps its pictures elsewhere has its own `class_sizes` and `read`.
    """

    item = "drawing"
    regression = False
    usual_model: ClassVar[ModelConfig] = Conv4()
    images: dict[str, Tensor]  # split -> [classes, most pictures of one, C, H, W]
    sizes: dict[str, Tensor] | None = None  # split -> pictures of each class [classes]

    @classmethod
    def inked(cls, pictures: Tensor) -> bool:
        return pictures.shape[-3] == 1

    @classmethod
    def described(cls, config: settings.Config) -> str:
        channels, height, width = cls.shape(config)
        return f"{width} x {height} pixels in {'grey' if channels == 1 else 'colour'}"

    def class_sizes(self, split: str) -> Tensor:
        """How many pictures each class has, on the CPU: [classes]."""
        if self.sizes is not None:
            return self.sizes[split]
        classes, pictures = self.images[split].shape[:2]
        return torch.full((classes,), pictures)

    def read(self, split: str, classes: Tensor, numbers: Tensor) -> Tensor:
        """These pictures of these classes, uint8 on the device; both indices broadcast."""
        return self.images[split][classes.to(self.device), numbers.to(self.device)]

    def prepared(self, pictures: Tensor, split: str, generator: torch.Generator) -> Tensor:
        """What a network is given of pictures: from 0 to 1, unless a dataset augments them."""
        return pictures.float() / 255

    def classes(self, split: str) -> int:
        return len(self.class_sizes(split))

    def class_names(self, split: str) -> list[str]:
        return [f"{split} {number}" for number in range(self.classes(split))]

    def short_names(self, split: str) -> list[str]:
        """The same where there is little room, and the split is known."""
        return [name.removeprefix(f"{split} ") for name in self.class_names(split)]

    def check(self, split: str, *, ways: int, shots: int, queries: int) -> Sizes:
        """Says with numbers why such a task cannot be drawn from this split, if it cannot."""
        self._check_split(split)
        sizes, item = Sizes.of(self.class_sizes(split)), self.item
        classes, most = len(sizes.each), sizes.most
        if classes < 2:
            raise UserError(
                f"{self.name}'s {split} split has {'no class' if not classes else '1 class'}, and a"
                f" task needs at least 2; {ways} were asked for."
            )
        if not 2 <= ways <= classes:
            raise UserError(
                f"ways must be between 2 and {classes} for {self.name}: its {split} split has"
                f" {classes} classes, and {ways} were asked for."
            )
        if not 1 <= shots <= most - 1:
            raise UserError(
                f"shots must be between 1 and {most - 1} for {self.name}: its classes have"
                f" {most} {item}s and one is needed as a query, and {shots} were asked for."
            )
        if queries < 0 or shots + queries > most:
            raise UserError(
                f"{shots} shots and {queries} queries need {shots + queries} {item}s of a class,"
                f" and classes of {self.name} have {most}: ask for at most {most - shots} queries."
            )
        enough = classes
        if sizes.least < shots + queries:
            enough = int((sizes.each >= shots + queries).sum())
        if enough < ways:
            raise UserError(
                f"{shots} shots and {queries} queries need {shots + queries} {item}s of a class,"
                f" and only {enough} of the {classes} classes of {self.name}'s {split} split have"
                f" so many: ask for fewer, or for fewer ways than {ways}."
            )
        return sizes

    def sample(
        self,
        split: str,
        *,
        tasks: int,
        ways: int,
        shots: int,
        queries: int,
        generator: torch.Generator,
    ) -> Episode:
        sizes = self.check(split, ways=ways, shots=shots, queries=queries)
        large = None if sizes.least >= shots + queries else sizes.each >= shots + queries
        classes = _distinct(ways, (tasks, len(sizes.each)), large, generator)
        return self._deal(split, classes, sizes, shots, queries, generator)

    def chosen(
        self,
        split: str,
        classes: Sequence[int],
        *,
        shots: int,
        queries: int,
        generator: torch.Generator,
    ) -> Episode:
        """One task of exactly these classes: the first is labelled 0, the next 1, and so on."""
        self._check_classes(split, classes)
        twice = next((number for number in classes if list(classes).count(number) > 1), None)
        if twice is not None:
            raise UserError(f"Class {twice} is chosen twice: a task needs different classes.")
        sizes = self.check(split, ways=len(classes), shots=shots, queries=queries)
        for number in classes:
            size = int(sizes.each[number])
            if size < shots + queries:
                raise UserError(
                    f"{shots} shots and {queries} queries need {shots + queries} {self.item}s, and"
                    f" {self.class_names(split)[number]} has {size}: choose another class."
                )
        one_task = torch.tensor([list(classes)])
        return self._deal(split, one_task, sizes, shots, queries, generator)

    def pictures(self, split: str, classes: Sequence[int], drawing: int = 0) -> Tensor:
        """One drawing of each class, uint8 [n, C, H, W] on the CPU: for choosing by eye."""
        self._check_classes(split, classes)
        sizes = self.class_sizes(split)[list(classes)]
        most = int(sizes.min()) if len(sizes) else drawing + 1
        if not 0 <= drawing < most:
            raise UserError(
                f"drawing must be between 0 and {most - 1} for {self.name}, not {drawing}."
            )
        numbers = torch.tensor(list(classes), dtype=torch.long)
        return self.read(split, numbers, torch.tensor(drawing)).cpu()

    def _check_split(self, split: str) -> None:
        if split not in SPLITS:
            raise UserError(f"split must be one of {', '.join(SPLITS)}, not {split!r}.")

    def _check_classes(self, split: str, classes: Sequence[int]) -> None:
        self._check_split(split)
        last = self.classes(split) - 1
        for number in classes:
            if not 0 <= number <= last:
                raise UserError(
                    f"Classes of the {split} split of {self.name} are numbered from 0 to {last}:"
                    f" there is no class {number}."
                )

    def _deal(
        self,
        split: str,
        classes: Tensor,
        sizes: Sizes,
        shots: int,
        queries: int,
        generator: torch.Generator,
    ) -> Episode:
        """Tasks of the classes [T, N], with random drawings of each."""
        tasks, ways = classes.shape
        there = None  # all
        if sizes.least < sizes.most:
            there = torch.arange(sizes.most) < sizes.each[classes][..., None]  # [T, N, most]
        drawn = _distinct(shots + queries, (tasks, ways, sizes.most), there, generator)
        seen = self.read(split, classes[:, :, None], drawn)  # [T, N, K+Q, C, H, W]
        pictures = self.prepared(seen, split, generator)
        labels = torch.arange(ways, device=self.device)
        return Episode(
            support_x=pictures[:, :, :shots].flatten(1, 2),
            support_y=labels.repeat_interleave(shots).expand(tasks, -1),
            query_x=pictures[:, :, shots:].flatten(1, 2),
            query_y=labels.repeat_interleave(queries).expand(tasks, -1),
            ways=ways,
            classes=classes.to(self.device),
        )


def _distinct(
    count: int, shape: tuple[int, ...], allowed: Tensor | None, generator: torch.Generator
) -> Tensor:
    """`count` different numbers below the last of the shape, in random order: [..., count].

    Only those allowed [..., n], where not all are.
    """
    chance = torch.rand(shape, generator=generator)
    if allowed is not None:
        chance = chance.masked_fill(~allowed, -1.0)
    return chance.topk(count, dim=-1).indices


def rotations(images: Tensor) -> Tensor:
    """Makes four classes of one by quarter turns: [classes, ...] -> [4 * classes, ...]."""
    return torch.cat([images.rot90(turns, (-2, -1)) for turns in range(4)])
