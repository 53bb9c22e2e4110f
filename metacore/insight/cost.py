"""What a method keeps of a task, and what a task costs it: bytes and milliseconds, measured.

A support set is taken in when all is computed that must be stored of it (`Predictor.kept`); then
queries are answered from there, one alone and all of a task at once. Times are medians over
repetitions on one thread, as pages answer, after a first time that does not count; sizes are exact.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

import torch
from torch import Tensor

from metacore.algorithms.base import Predictor
from metacore.capacity import suited_threads
from metacore.device import synchronize
from metacore.episode import Episode
from metacore.models.kept_features import computed_anew
from metacore.models.networks import HEAD, layer_of
from metacore.training.learner import Learner

FEWEST, MOST, ENOUGH_SECONDS = 5, 60, 0.25  # repetitions of one measurement


@dataclass(frozen=True)
class Cost:
    """Of one task; what is learned once and shared by all tasks are the parameters."""

    kept: str  # what a task leaves behind, in words
    kept_bytes: int
    take_in_ms: float  # to take in the support set
    answer_ms: float  # to answer one query
    batch_ms: float  # to answer all queries of the task at once
    batch: int  # how many they are
    parameters: int

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def cost(
    learner: Learner, episode: Episode, *, steps: int | None = None, norm: str | None = None
) -> Cost:
    """Measured on the first task of the episode; `steps` and `norm` as `Algorithm.adapt` has it."""
    task, algorithm, params = episode[:1], learner.algorithm, learner.params

    def take_in() -> tuple[Predictor, Mapping[str, Tensor]]:
        *_, last = algorithm.adapt(params, task, steps=steps, norm=norm)
        return last, last.kept

    with suited_threads(small=True), computed_anew():
        last, kept = take_in()
        taking = _seconds(take_in, learner.device)
        one, batch = (
            _seconds(_answers(last, x), learner.device) for x in (task.query_x[:, :1], task.query_x)
        )
    return Cost(
        kept=in_words(kept, algorithm.network.learned, frozen=algorithm.network.frozen),
        kept_bytes=size(kept),
        take_in_ms=1000 * taking,
        answer_ms=1000 * one,
        batch_ms=1000 * batch,
        batch=task.query_x.shape[1],
        parameters=learner.parameters,
    )


def size(kept: Mapping[str, Tensor]) -> int:
    """Bytes of what was kept of one task."""
    return sum(value[0].numel() * value.element_size() for value in kept.values())


def in_words(kept: Mapping[str, Tensor], network: Collection[str], *, frozen: bool = False) -> str:
    """`all its weights`, `its last layer`, `5 prototypes`; `network` names all that it learns,
    which is not all it has where a part of it is frozen."""
    weights = [name for name in kept if name in network]
    said = [_weights(weights, network, frozen)] if weights else []
    for name, value in kept.items():
        if name not in weights:
            count = value.shape[1]
            said.append(f"{count} {name.removesuffix('s') if count == 1 else name}")
    return " and ".join([", ".join(said[:-1]), said[-1]]) if len(said) > 1 else said[0]


def _weights(names: Collection[str], network: Collection[str], frozen: bool) -> str:
    if set(names) == set(network) and not frozen:
        return "all its weights"
    if set(names) == set(HEAD):
        return "its last layer"
    layers, all_layers = (len({layer_of(name) for name in some}) for some in (names, network))
    if frozen:
        return f"its last {layers} layers"
    return f"{layers} of its {all_layers} layers"


def _answers(predictor: Predictor, x: Tensor) -> Callable[[], Tensor]:
    def answer() -> Tensor:
        with torch.inference_mode():
            return predictor(x.clone())  # some remember what they were asked last

    return answer


def _seconds(work: Callable[[], object], device: torch.device) -> float:
    """The median of what it takes."""
    work()
    found: list[float] = []
    while len(found) < FEWEST or (sum(found) < ENOUGH_SECONDS and len(found) < MOST):
        synchronize(device)
        start = time.perf_counter()
        work()
        synchronize(device)
        found.append(time.perf_counter() - start)
    return median(found)
