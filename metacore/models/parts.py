"""What an algorithm's parameters are for: who changes them, and when."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Names of parameters by their part."""

    adapted: tuple[str, ...]  # what the inner loop changes: each task has its own
    shared: tuple[str, ...] = ()  # learned by the outer loop alone: a body, a learned rate
    state: tuple[str, ...] = ()  # running statistics, which nobody differentiates

    def learned(self, params: Mapping[str, T]) -> dict[str, T]:
        """Of these tensors (or of what is known of each), those the outer loop learns."""
        return {name: value for name, value in params.items() if name not in self.state}


@dataclass(frozen=True)
class Group:
    """Parameters that the outer optimiser treats alike."""

    names: tuple[str, ...]
    rate: float = 1.0  # times the outer learning rate
    decays: bool = True  # whether weight decay applies
