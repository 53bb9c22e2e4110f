"""How much a device does best at once: threads, inputs, and tasks with parameters of their own."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

DRAWING = 28 * 28  # numbers


@contextmanager
def suited_threads(*, small: bool) -> Iterator[None]:
    """One thread for networks so small that waking a second takes longer than the work."""
    before = torch.get_num_threads()
    if small:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def one_thread() -> None:
    """For servers: many small computations at once, each in a thread of its own."""
    torch.set_num_threads(1)


def weight(shape: tuple[int, ...]) -> float:
    """How many times as large as a 28 x 28 drawing an input is; what is smaller counts as one."""
    return max(1.0, math.prod(shape) / DRAWING)


def inputs_at_once(x: Tensor) -> int:
    """How many inputs like those of x [T, B, ...] a forward pass with a graph should hold.

    A hundred 28 x 28 pictures on a CPU, for the sake of its cache and of memory; more on a GPU.
    """
    numbers = 80_000 if x.device.type == "cpu" else 6_500_000
    return max(1, numbers // x[0, 0].numel())


def parameter_sets_at_once(params: dict[str, Tensor]) -> int:
    """How many tasks' own copies of these parameters a graph should hold: 8 of a Conv4 on a CPU."""
    values = list(params.values())
    numbers = 900_000 if values[0].device.type == "cpu" else 70_000_000
    return max(1, numbers // sum(value.numel() for value in values))
