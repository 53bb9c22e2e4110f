"""A batch of few-shot tasks as plain tensors.

Axes, here and everywhere: T tasks, N ways, K shots, Q queries per way. For classification the
labels are 0..N-1 and the examples stand class by class, until a person edits them; for regression
N is 1 and the labels are real numbers [T, K, 1].
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor
from torch.nn import functional as F

from metacore.errors import UserError


@dataclass(frozen=True)
class Episode:
    support_x: Tensor  # [T, N*K, ...]
    support_y: Tensor  # [T, N*K]  (regression: [T, K, 1])
    query_x: Tensor  # [T, N*Q, ...]
    query_y: Tensor  # [T, N*Q]  (regression: [T, Q, 1])
    ways: int
    classes: Tensor | None = None  # [T, N] which classes of the split the labels stand for
    first: int = 0  # where its first task stands in the meta-batch it is a part of

    @classmethod
    def of_support(cls, x: Tensor, y: Tensor, ways: int) -> Self:
        """Support sets [T, S, ...] without a query."""
        return cls(x, y, x[:, :0], y[:, :0], ways)

    @property
    def tasks(self) -> int:
        return self.support_x.shape[0]

    @property
    def regression(self) -> bool:
        return self.support_y.is_floating_point()

    def __getitem__(self, tasks: slice) -> "Episode":
        """The same episode with only some of its tasks."""
        start = tasks.indices(self.tasks)[0]
        return replace(self._with_each(lambda tensor: tensor[tasks]), first=self.first + start)

    def split(self, tasks: int) -> Iterable["Episode"]:
        """Consecutive pieces of at most `tasks` tasks."""
        return (self[start : start + tasks] for start in range(0, self.tasks, tasks))

    def alone(self) -> Iterable["Episode"]:
        """Its tasks, each an episode of its own."""
        return (replace(one, first=0) for one in self.split(1))

    def to(self, device: torch.device) -> "Episode":
        return self._with_each(lambda tensor: tensor.to(device))

    def _with_each(self, change: Callable[[Tensor], Tensor]) -> "Episode":
        """The same episode with every tensor of it changed like this."""
        tensors = {name: value for name, value in vars(self).items() if isinstance(value, Tensor)}
        changed: dict[str, Any] = {name: change(value) for name, value in tensors.items()}
        return replace(self, **changed)

    def fewer_shots(self, shots: int) -> "Episode":
        """The same tasks with the first `shots` examples of every class (of a curve: points).

        Made from one episode, those of 1, 2, 3 … shots are nested and share their queries, so that
        what changes between them is the number of shots alone.
        """
        rank = self.rank()
        most = int(rank.max()) + 1
        if not 1 <= shots <= most:
            raise UserError(
                f"shots must be between 1 and {most}, what this episode has, not {shots}."
            )
        keep = rank < shots
        return replace(
            self,
            support_x=self.support_x[keep].unflatten(0, (self.tasks, -1)),
            support_y=self.support_y[keep].unflatten(0, (self.tasks, -1)),
        )

    def shuffled(self, generator: torch.Generator) -> "Episode":
        """Support and queries of each task as one support set, in a random order of its own."""
        x = torch.cat([self.support_x, self.query_x], 1)
        y = torch.cat([self.support_y, self.query_y], 1)
        order = self.chance(x.shape[1], generator).argsort(1).to(x.device)
        task = torch.arange(len(x), device=x.device)[:, None]
        return Episode.of_support(x[task, order], y[task, order], self.ways)

    def chance(self, count: int, generator: torch.Generator) -> Tensor:
        """So many numbers between 0 and 1 for each task [T, n], the same for a task wherever the
        meta-batch was cut into pieces."""
        seed = int(torch.randint(2**62, (), generator=generator))
        own = torch.Generator().manual_seed(seed)
        return torch.rand(self.first + self.tasks, count, generator=own)[self.first :]

    def rank(self) -> Tensor:
        """How many support examples of the same class stand before each one: [T, S]."""
        labels = self.support_y
        if self.regression:
            labels = torch.zeros_like(labels[..., 0], dtype=torch.long)
        seen = F.one_hot(labels, self.ways).cumsum(1)
        return seen.gather(2, labels[..., None])[..., 0] - 1

    def edited(self, left_out: Collection[int], labels: Mapping[int, int]) -> "Episode":
        """One task without some support examples, and with another label for others.

        Both are named by their index in this support set, from 0 on; the queries stay as they are.
        """
        self._check_edit(left_out, labels)
        support_y = self.support_y.clone()
        for index, label in labels.items():
            support_y[0, index] = label
        kept = [index for index in range(support_y.shape[1]) if index not in left_out]
        result = replace(self, support_x=self.support_x[:, kept], support_y=support_y[:, kept])
        result._refuse_empty_class()
        return result

    def _check_edit(self, left_out: Collection[int], labels: Mapping[int, int]) -> None:
        if self.tasks != 1:
            raise UserError(f"Only one task can be edited at a time, not {self.tasks}.")
        if self.regression and labels:
            raise UserError("The points of a curve have no label that could be changed.")
        examples = self.support_y.shape[1]
        for index in (*left_out, *labels):
            if not 0 <= index < examples:
                raise UserError(
                    f"There is no support example {index + 1}: the task has {examples}."
                )
        for label in labels.values():
            if not 0 <= label < self.ways:
                raise UserError(f"There is no class {label + 1}: the task has {self.ways}.")

    def _refuse_empty_class(self) -> None:
        if self.regression:
            if not self.support_y.shape[1]:
                raise UserError("The curve would have no point left: keep at least one.")
            return
        left = set(self.support_y.flatten().tolist())
        for label in range(self.ways):
            if label not in left:
                raise UserError(
                    f"Class {label + 1} would have no support example left: keep at least one of"
                    " every class."
                )


def stack(episodes: list[Episode]) -> Episode:
    """Several episodes of one shape as one batch."""
    tensors = [name for name, value in vars(episodes[0]).items() if isinstance(value, Tensor)]
    joined: dict[str, Any] = {
        name: torch.cat([getattr(episode, name) for episode in episodes]) for name in tensors
    }
    return replace(episodes[0], **joined)
