"""What an algorithm is: three verbs on plain tensors, and what it says of itself.

`init` draws meta-parameters, `meta_step` says how a batch of tasks wants to change them, `adapt`
turns a support set into a predictor, step by step. Optimisers, schedules, evaluation and
checkpoints are shared by all and live in `training/`. Everything a page, a preset or the command
line needs to know of an algorithm stands in its class: nobody asks for its name.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional as F

from metacore import settings
from metacore.algorithms.recipes import Recipe, Wanted
from metacore.episode import Episode
from metacore.models.networks import ModelConfig, Network, Params, initial_params
from metacore.models.normalisation import resolve
from metacore.models.parts import Group, Parts
from metacore.models.stacked import Stacked


@dataclass(frozen=True)
class MetaStep:
    """What one batch of tasks asks for."""

    gradients: Params  # by name of the learned parameters, averaged over the tasks
    metrics: dict[str, Tensor]  # loss, and accuracy or mse
    running: Params = field(default_factory=dict)  # new running statistics, if the method keeps any


@dataclass(frozen=True)
class Explanation:
    """How answers came about; what a method does not go by is None.

    Axes: T tasks, S support examples, Q queries, N ways, F features.
    """

    logits: Tensor  # [T, Q, N]
    support: Tensor | None = None  # embeddings [T, S, F]
    query: Tensor | None = None  # embeddings [T, Q, F]
    prototypes: Tensor | None = None  # [T, N, F]
    distances: Tensor | None = None  # of queries to prototypes, as the method measures [T, Q, N]
    attention: Tensor | None = None  # of queries to support examples [T, Q, S]; rows sum to 1
    heads: Tensor | None = None  # the same of every layer and head it was read with [T, L, H, Q, S]
    spread: Tensor | None = None  # standard deviations of predicted values [T, Q, 1]
    measure: str = ""  # what the distances are


@dataclass(frozen=True)
class ByLayer:
    """Numbers an algorithm has learned beside a network, layer by layer, for looking at."""

    title: str
    axis: str
    about: str  # what to see in it, in a sentence
    values: dict[str, Tensor]  # layer -> [n]


@dataclass(frozen=True)
class Stream:
    """What became of L examples that came one at a time, each answered before its label was told.

    H is how many places of a memory of M slots are read at a time.
    """

    logits: Tensor  # [T, L, N]
    looked: Tensor  # at which earlier examples each read looked, by what they wrote [T, L, H, L]
    held: Tensor  # how much of each slot which example had written after each moment [T, L, M, L]


@runtime_checkable
class TakesOneByOne(Protocol):
    """An algorithm whose examples come one at a time."""

    def stream(self, params: Params, episode: Episode, *, norm: str | None = None) -> Stream:
        """The support set as a stream, in its order."""
        ...


class Predictor(Protocol):
    """A network adapted to T support sets, after some number of inner steps."""

    def __call__(self, query_x: Tensor) -> Tensor:
        """Logits (regression: values) [T, Q, N] for queries [T, Q, ...]."""
        ...

    def features(self, x: Tensor) -> Tensor:
        """What the layer before the head sees: [T, Q, F]."""
        ...

    def explain(self, query_x: Tensor) -> Explanation:
        """The answers, and what they go by."""
        ...

    def support_loss(self) -> Tensor:
        """The loss on the support set the adaptation goes by: [T]."""
        ...

    @property
    def params(self) -> Params | None:
        """The adapted parameters [T, ...]; None where adaptation changes none."""
        ...

    @property
    def kept(self) -> Mapping[str, Tensor]:
        """What must be stored of the T tasks to answer later queries: [T, ...] by name.

        All that the answers go by and that other tasks do not share. Adapted parameters have their
        names; anything else is named in the plural, and its second axis counts it: `prototypes`
        [T, N, F]. Where queries are normalised by support sets, that is something to keep, too.
        """
        ...


@dataclass(frozen=True)
class Teacher:
    """What another run has learned, handed to an algorithm that learns from it."""

    algorithm: "Algorithm"
    params: Params


class Algorithm(ABC):
    name: ClassVar[str]
    title: ClassVar[str]
    family: ClassVar[str]  # one of FAMILIES
    summary: ClassVar[str]  # one line in words
    formula: ClassVar[tuple[str, ...]]  # lines of LaTeX
    paper: ClassVar[str]
    watch: ClassVar[str] = ""  # what to look out for while it trains, if anything is peculiar
    color: ClassVar[tuple[str, str]] = ("#3B3F46", "#D8D8D8")  # on light and on dark
    dash: ClassVar[str] = "solid"  # of its lines; or dash, dashdot, longdash, dot
    regression: ClassVar[bool] = True  # whether it can learn real-valued tasks
    classification: ClassVar[bool] = True  # and whether tasks of classes
    fixed_ways: ClassVar[bool] = True  # whether training tasks need the test tasks' ways
    trains: ClassVar[bool] = True
    in_steps: ClassVar[bool] = True  # whether one chooses how many inner steps adaptation takes
    moment: ClassVar[str] = "inner step"  # what lies between two predictors: a layer, an example
    embeds: ClassVar[bool] = False  # whether it answers by nearness in one space
    norms: ClassVar[tuple[str, ...]] = ("transductive", "support+query", "support")
    learns_from: ClassVar[str] = ""  # in words, of one that wants a teacher
    Config: ClassVar[type[settings.Config]]

    config: Any
    teacher: Teacher | None = None  # handed in before meta-steps to whoever asks for one

    def __init__(
        self, config: settings.Config, network: Network, *, regression: bool = False
    ) -> None:
        self.config = config
        self.network = Stacked(network)
        self.on_curves = regression

    @staticmethod
    def outputs(ways: int, training_classes: int) -> int:
        """Outputs of the network's head for tasks of N ways; 0 for no head."""
        return ways

    @classmethod
    def fits(cls, model: type[ModelConfig]) -> bool:
        """Whether it can work with such a network: any of features and a head, unless it says."""
        return model.role == "features"

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        """What its preset is made of; None where it has none for such tasks."""
        return None

    @classmethod
    def wanted_teacher(cls, config: settings.Config) -> str | None:
        """The run it learns from, or "" for the best there is; None where it learns alone."""
        return None

    @classmethod
    def untaught(cls, config: settings.Config) -> settings.Config:
        """The same method learning alone."""
        return config

    @classmethod
    def lacking(cls, teacher: "type[Algorithm]", params: Callable[[], Params]) -> str:
        """What such a teacher lacks to teach it, as the end of a sentence; empty: nothing."""
        return ""

    @classmethod
    def can_answer(cls, config: settings.Config, *, trained: int, ways: int) -> bool:
        """Whether, trained for tasks of so many ways, it has learned to answer tasks of others."""
        return not cls.fixed_ways or ways == trained

    def init(self, generator: torch.Generator) -> Params:
        return initial_params(self.network.network, generator)

    def needed_at_test(self, params: Params) -> Params:
        """What is worth shipping of what was learned: all, unless some serves training alone."""
        return params

    @cached_property
    def parts(self) -> Parts:
        """Which of its parameters adapt, which are only learned, and which are statistics."""
        return Parts(adapted=self.network.learned, state=self.network.state)

    @property
    def learns(self) -> bool:
        """Whether there is anything to learn before a task comes: a method that trains has nothing
        to do where all of its network is pretrained, or the pixels themselves."""
        return self.trains and bool(self.parts.adapted or self.parts.shared)

    def groups(self) -> Sequence[Group]:
        """How the outer optimiser treats what is learned: all alike, unless an algorithm says."""
        return [Group((*self.parts.adapted, *self.parts.shared))]

    def learned_by_layer(self, params: Params) -> ByLayer | None:
        """What it has learned beside its network, for looking at."""
        return None

    def during(self, progress: float) -> Self:
        """The method as it is at this share of the budget (0 to 1); most do not change."""
        return self

    @abstractmethod
    def meta_step(
        self, params: Params, episode: Episode, *, generator: torch.Generator
    ) -> MetaStep:
        """The meta-gradient of T tasks."""

    @abstractmethod
    def predictors(
        self, params: Params, episode: Episode, steps: int, norm: str
    ) -> Iterator[Predictor]:
        """What `adapt` yields, with everything that may be left out decided."""

    def adapt(
        self,
        params: Params,
        episode: Episode,
        *,
        steps: int | None = None,
        norm: str | None = None,
    ) -> Iterator[Predictor]:
        """Predictors for the episode's support sets after 0, 1, …, `steps` inner steps.

        A method without inner steps yields one, or one after each moment of its own, such as the
        layers of a network that reads. Without `steps` and `norm` it is what the method does at
        test. The queries are not looked at.
        """
        steps = self.test_steps if steps is None else steps
        return self.predictors(params, episode, steps, resolve(norm, self.norms, self.network))

    @property
    def test_steps(self) -> int:
        return steps_at_test(self.config)


def steps_at_test(config: settings.Config) -> int:
    """Inner steps at test; none where adaptation is a single computation."""
    return int(getattr(config, "test_steps", 0))


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
