"""The episode a page asks for, as plain values: to be named in a URL, cached and drawn again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import torch

from metacore import datasets
from metacore.datasets.base import Dataset, ImageDataset
from metacore.datasets.regression import CurveDataset
from metacore.device import resolve
from metacore.episode import Episode
from metacore.randomness import generator
from metacore.runs import Run
from metacore.settings import Config
from metacore.training.config import RunConfig, config_owner

SPLIT = "test"
MOST_DRAWN, MOST_OF_A_CLASS = 50, 5  # queries of the one episode that is looked at
BACKGROUND = 10_000  # the seed of the episodes in the background, out of reach of a person's own


def drawn_queries(ways: int, queries: int) -> int:
    """How many queries of each class there is room for.

    The same wherever an episode is looked at: an accuracy on others would be another number.
    """
    return max(1, min(queries, MOST_OF_A_CLASS, MOST_DRAWN // ways))


@dataclass(frozen=True, kw_only=True)
class EpisodeSpec:
    """One episode: by seed, or with classes a person chose, or with an edited support set."""

    dataset: Config
    ways: int
    shots: int
    queries: int
    seed: int = 0
    number: int = 0  # of the episodes this seed draws
    split: str = SPLIT
    classes: tuple[int, ...] = ()  # chosen by picture; empty: the seed draws them
    left_out: tuple[int, ...] = ()  # support examples
    labels: tuple[tuple[int, int], ...] = ()  # support example, its new class
    name: str = ""  # of the dataset: configs of two datasets may look alike to a cache
    most: int = 0  # shots it is drawn with, of which the first `shots` stay: they are nested

    @classmethod
    def like(cls, run: Run, *, seed: int = 0, queries: int | None = None) -> Self:
        """A test episode of the kind the run was made for."""
        task = run.config.task.to_dict()
        return cls.of(run.config, seed=seed, **{**task, "queries": queries or task["queries"]})

    @classmethod
    def of(cls, config: RunConfig, **named: Any) -> Self:
        """An episode of its dataset, which `named` tells from all others."""
        dataset = config.dataset
        return cls(dataset=dataset, name=config_owner(datasets.DATASETS, dataset).name, **named)

    def source(self, device: torch.device | None = None) -> Dataset:
        return datasets.load(self.dataset, device or resolve("auto"))

    @property
    def kind(self) -> type[Dataset]:
        owner: type[Dataset] = config_owner(datasets.DATASETS, self.dataset)
        return owner

    @property
    def regression(self) -> bool:
        return self.kind.regression

    def episode(self, device: torch.device | None = None) -> Episode:
        source = self.source(device)
        task = {"shots": max(self.shots, self.most), "queries": self.queries}
        if self.classes and isinstance(source, ImageDataset):
            chance = generator(self.seed, "chosen classes")
            drawn = source.chosen(self.split, self.classes, **task, generator=chance)
        else:
            task |= {"ways": self.ways, "seed": self.seed}
            drawn = source.episodes(self.split, **task, numbers=range(self.number, self.number + 1))
        if self.most > self.shots:
            drawn = drawn.fewer_shots(self.shots)
        if not (self.left_out or self.labels):
            return drawn
        return drawn.edited(self.left_out, dict(self.labels))

    def class_names(self) -> tuple[str, ...]:
        """What people call the episode's classes; () where its dataset has no names for them."""
        source = self.source()
        if not isinstance(source, ImageDataset) or not source.named:
            return ()
        classes = self.classes
        if not classes:
            drawn = self.episode().classes
            assert drawn is not None, "tasks of pictures know their classes"
            classes = tuple(drawn[0].tolist())
        names = source.short_names(self.split)
        return tuple(names[number] for number in classes)

    def numbered(self, numbers: range, device: torch.device | None = None) -> Episode:
        """Episodes of this kind by their numbers, each of other classes."""
        task = {"ways": self.ways, "shots": self.shots, "queries": self.queries}
        return self.source(device).episodes(self.split, **task, seed=self.seed, numbers=numbers)

    def background(self) -> Self:
        """The same kind of episode, whichever one is looked at."""
        return replace(self, seed=BACKGROUND, classes=(), left_out=(), labels=(), most=0)

    def curve(self, grid: Sequence[float]) -> list[float]:
        """The true curve of a regression task, at these places."""
        source = cast(CurveDataset, self.source(torch.device("cpu")))
        x = torch.tensor(grid, dtype=torch.float32)[None, :, None]
        parameters = source.parameters(self.split, seed=self.seed, number=self.number)
        truth = source.curve(parameters, x)
        return [float(value) for value in truth.flatten()]
