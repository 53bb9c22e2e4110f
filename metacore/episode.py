"""A batch of few-shot tasks as plain tensors.

Axes, here and everywhere: T tasks, N ways, K shots, Q queries per way. For classification the
labels are 0..N-1 and the examples stand class by class; for regression N is 1 and the labels are
real numbers [T, K, 1].
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Episode:
    support_x: Tensor  # [T, N*K, ...]
    support_y: Tensor  # [T, N*K]  (regression: [T, K, 1])
    query_x: Tensor  # [T, N*Q, ...]
    query_y: Tensor  # [T, N*Q]  (regression: [T, Q, 1])
    ways: int
    classes: Tensor | None = None  # [T, N] which classes of the split the labels stand for

    @property
    def tasks(self) -> int:
        return self.support_x.shape[0]

    @property
    def regression(self) -> bool:
        return self.support_y.is_floating_point()

    def __getitem__(self, tasks: slice) -> "Episode":
        """The same episode with only some of its tasks."""
        return Episode(
            support_x=self.support_x[tasks],
            support_y=self.support_y[tasks],
            query_x=self.query_x[tasks],
            query_y=self.query_y[tasks],
            ways=self.ways,
            classes=None if self.classes is None else self.classes[tasks],
        )

    def split(self, tasks: int) -> Iterable["Episode"]:
        """Consecutive pieces of at most `tasks` tasks."""
        return (self[start : start + tasks] for start in range(0, self.tasks, tasks))

    def to(self, device: torch.device) -> "Episode":
        return replace(
            self,
            support_x=self.support_x.to(device),
            support_y=self.support_y.to(device),
            query_x=self.query_x.to(device),
            query_y=self.query_y.to(device),
            classes=None if self.classes is None else self.classes.to(device),
        )


def stack(episodes: list[Episode]) -> Episode:
    """Several episodes of one shape as one batch."""

    def join(name: str) -> Tensor:
        return torch.cat([getattr(episode, name) for episode in episodes])

    return Episode(
        support_x=join("support_x"),
        support_y=join("support_y"),
        query_x=join("query_x"),
        query_y=join("query_y"),
        ways=episodes[0].ways,
        classes=None if episodes[0].classes is None else join("classes"),
    )
