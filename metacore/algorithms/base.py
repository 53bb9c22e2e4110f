"""What an algorithm is: three verbs on plain tensors.

`init` draws meta-parameters, `meta_step` says how a batch of tasks wants to change them, `adapt`
turns a support set into a predictor, step by step. Optimisers, schedules, evaluation and
checkpoints are shared by all and live in `training/`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from metacore import settings
from metacore.episode import Episode
from metacore.models.networks import Network, Params, initial_params
from metacore.models.normalisation import resolve
from metacore.models.stacked import Stacked


@dataclass(frozen=True)
class MetaStep:
    """What one batch of tasks asks for."""

    gradients: Params  # by name of the learned parameters, averaged over the tasks
    metrics: dict[str, Tensor]  # loss, and accuracy or mse
    running: Params = field(default_factory=dict)  # new running statistics, if the method keeps any


@dataclass(frozen=True)
class Support:
    """T support sets."""

    x: Tensor  # [T, S, ...]
    y: Tensor  # [T, S]
    ways: int


class Predictor(Protocol):
    """A network adapted to T support sets, after some number of inner steps."""

    def __call__(self, query_x: Tensor) -> Tensor:
        """Logits (regression: values) [T, Q, N] for queries [T, Q, ...]."""
        ...

    def features(self, x: Tensor) -> Tensor:
        """What the layer before the head sees: [T, Q, F]."""
        ...

    def support_loss(self) -> Tensor:
        """The loss on the support set the adaptation goes by: [T]."""
        ...

    @property
    def params(self) -> Params | None:
        """The adapted parameters [T, ...]; None where adaptation changes none."""
        ...


class Algorithm(ABC):
    name: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[str]  # optimisation, metric or baseline
    summary: ClassVar[str]  # one line in words
    formula: ClassVar[str]  # one line of LaTeX
    paper: ClassVar[str]
    regression: ClassVar[bool] = True  # whether it can learn real-valued tasks
    fixed_ways: ClassVar[bool] = True  # whether training tasks need the test tasks' ways
    trains: ClassVar[bool] = True
    norms: ClassVar[tuple[str, ...]] = ("transductive", "support+query", "support")
    Config: ClassVar[type[settings.Config]]

    config: Any

    def __init__(self, config: settings.Config, network: Network) -> None:
        self.config = config
        self.network = Stacked(network)

    @staticmethod
    def outputs(ways: int, training_classes: int) -> int:
        """Outputs of the network's head for tasks of N ways; 0 for no head."""
        return ways

    def init(self, generator: torch.Generator) -> Params:
        return initial_params(self.network.network, generator)

    @abstractmethod
    def meta_step(
        self, params: Params, episode: Episode, *, generator: torch.Generator
    ) -> MetaStep:
        """The meta-gradient of T tasks."""

    @abstractmethod
    def predictors(
        self, params: Params, support: Support, steps: int, norm: str
    ) -> Iterator[Predictor]:
        """What `adapt` yields, with everything that may be left out decided."""

    def adapt(
        self,
        params: Params,
        support_x: Tensor,
        support_y: Tensor,
        *,
        ways: int,
        steps: int | None = None,
        norm: str | None = None,
    ) -> Iterator[Predictor]:
        """Predictors for T support sets [T, N*K, ...] after 0, 1, …, `steps` inner steps.

        Without `steps` and `norm` it is what the method does at test.
        """
        support = Support(support_x, support_y, ways)
        steps = self.test_steps if steps is None else steps
        return self.predictors(params, support, steps, resolve(norm, self.norms, self.network))

    @property
    def test_steps(self) -> int:
        """Inner steps at test; none where adaptation is a single computation."""
        return int(getattr(self.config, "test_steps", 0))


def task_losses(outputs: Tensor, targets: Tensor) -> Tensor:
    """Cross-entropy or mean squared error of each task: [T, B, N] and [T, B] (or like) -> [T]."""
    if targets.is_floating_point():
        return (outputs - targets).pow(2).flatten(1).mean(1)
    losses = F.cross_entropy(outputs.flatten(0, 1), targets.flatten(), reduction="none")
    return losses.view(targets.shape).mean(1)


def task_scores(outputs: Tensor, targets: Tensor) -> Tensor:
    """Accuracy, or mean squared error for regression, of each task: [T]."""
    if targets.is_floating_point():
        return (outputs - targets).pow(2).flatten(1).mean(1)
    return (outputs.argmax(-1) == targets).float().mean(1)


def step_metrics(loss: Tensor, score: Tensor, *, regression: bool) -> dict[str, Tensor]:
    return {"loss": loss.detach(), "mse" if regression else "accuracy": score.detach()}


def one_hot(labels: Tensor, ways: int, like: Tensor) -> Tensor:
    """[T, B] -> [T, B, N] in the dtype of `like`."""
    return F.one_hot(labels, ways).to(like.dtype)
