"""What a dataset is: a source of tasks, split into disjoint train, validation and test classes."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from metacore import settings
from metacore.episode import Episode, stack
from metacore.errors import UserError
from metacore.randomness import generator

SPLITS = ("train", "val", "test")


class Dataset(ABC):
    """A source of tasks on one device. `config` says which variant of it."""

    name: ClassVar[str]
    title: ClassVar[str]
    summary: ClassVar[str]
    regression: ClassVar[bool]
    Config: ClassVar[type[settings.Config]]
    input_shape: tuple[int, ...]

    def __init__(self, config: settings.Config, device: torch.device) -> None:
        self.config = config
        self.device = device

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


class ImageDataset(Dataset):
    """Classes of pictures: one uint8 tensor per split on the device, ink 255 on paper 0."""

    regression = False
    images: dict[str, Tensor]  # split -> [classes, drawings, C, H, W]

    def classes(self, split: str) -> int:
        return len(self.images[split])

    def class_names(self, split: str) -> list[str]:
        return [f"{split} {number}" for number in range(len(self.images[split]))]

    def check(self, split: str, *, ways: int, shots: int, queries: int) -> None:
        """Says with numbers why such a task cannot be drawn from this split, if it cannot."""
        self._check_split(split)
        classes, drawings = self.images[split].shape[:2]
        if not 2 <= ways <= classes:
            raise UserError(
                f"ways must be between 2 and {classes} for {self.name}: its {split} split has"
                f" {classes} classes, and {ways} were asked for."
            )
        if not 1 <= shots <= drawings - 1:
            raise UserError(
                f"shots must be between 1 and {drawings - 1} for {self.name}: its classes have"
                f" {drawings} drawings and one is needed as a query, and {shots} were asked for."
            )
        if queries < 0 or shots + queries > drawings:
            raise UserError(
                f"{shots} shots and {queries} queries need {shots + queries} drawings of a class,"
                f" and classes of {self.name} have {drawings}: ask for at most"
                f" {drawings - shots} queries."
            )

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
        self.check(split, ways=ways, shots=shots, queries=queries)
        classes = _distinct(ways, self.classes(split), (tasks,), generator)
        return self._deal(split, classes, shots=shots, queries=queries, generator=generator)

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
        self.check(split, ways=len(classes), shots=shots, queries=queries)
        one_task = torch.tensor([list(classes)])
        return self._deal(split, one_task, shots=shots, queries=queries, generator=generator)

    def pictures(self, split: str, classes: Sequence[int], drawing: int = 0) -> Tensor:
        """One drawing of each class, uint8 [n, C, H, W] on the CPU: for choosing by eye."""
        self._check_classes(split, classes)
        images = self.images[split]
        if not 0 <= drawing < images.shape[1]:
            raise UserError(
                f"drawing must be between 0 and {images.shape[1] - 1} for {self.name}, not"
                f" {drawing}."
            )
        numbers = torch.tensor(list(classes), dtype=torch.long, device=images.device)
        return images[numbers, drawing].cpu()

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
        *,
        shots: int,
        queries: int,
        generator: torch.Generator,
    ) -> Episode:
        """Tasks of the classes [T, N], with random drawings of each."""
        images, (tasks, ways) = self.images[split], classes.shape
        drawings = _distinct(shots + queries, images.shape[1], (tasks, ways), generator)
        where = classes.to(self.device), drawings.to(self.device)
        pictures = images[where[0][:, :, None], where[1]].float() / 255  # [T, N, K+Q, C, H, W]
        labels = torch.arange(ways, device=self.device)
        return Episode(
            support_x=pictures[:, :, :shots].flatten(1, 2),
            support_y=labels.repeat_interleave(shots).expand(tasks, -1),
            query_x=pictures[:, :, shots:].flatten(1, 2),
            query_y=labels.repeat_interleave(queries).expand(tasks, -1),
            ways=ways,
            classes=where[0],
        )


def _distinct(count: int, of: int, batch: tuple[int, ...], generator: torch.Generator) -> Tensor:
    """`count` different numbers below `of`, in random order: [*batch, count]."""
    return torch.rand(*batch, of, generator=generator).topk(count, dim=-1).indices


def rotations(images: Tensor) -> Tensor:
    """Makes four classes of one by quarter turns: [classes, ...] -> [4 * classes, ...]."""
    return torch.cat([images.rot90(turns, (-2, -1)) for turns in range(4)])
