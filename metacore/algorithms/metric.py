"""What the metric methods share: one embedding for all tasks, trained on one episode at a time.

A method of this family says how embedded queries are answered from embedded support examples
(`explain`); the rest is here.
"""

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from metacore.algorithms.base import (
    Algorithm,
    Explanation,
    MetaStep,
    Predictor,
    step_metrics,
    task_losses,
    task_scores,
)
from metacore.algorithms.inner import fixed_statistics, leaves
from metacore.algorithms.recipes import LARGE_TASKS, Recipe, Wanted
from metacore.episode import Episode
from metacore.models.networks import Conv4Pool, Params
from metacore.models.normalisation import EXAMPLES, QueryFeatures
from metacore.models.stacked import Stacked, Statistics, stack
from metacore.settings import Config

RUNNING_MOMENTUM = 0.1
EMBEDDED, LABELS = "embedded examples", "labels"  # what a task leaves behind


class MetricAlgorithm(Algorithm):
    """Answers by nearness in one learned space."""

    family = "metric"
    regression = False
    fixed_ways = False
    in_steps = False
    embeds = True
    norms = ("running", "transductive", "support+query", "support")
    measures: ClassVar[tuple[str, ...]]  # the distances it can go by: euclidean, cosine

    @staticmethod
    def outputs(ways: int, training_classes: int) -> int:
        return 0

    @classmethod
    @abstractmethod
    def measure_of(cls, config: Config) -> str:
        """The distance such a method goes by, one of `measures`."""

    @property
    def measure(self) -> str:
        return self.measure_of(self.config)

    def measured_by(self, measure: str) -> Self:
        """The same method going by another distance."""
        return self

    @abstractmethod
    def explain(
        self, theta: Params, support: Tensor, labels: Tensor, query: Tensor, ways: int
    ) -> Explanation:
        """The answers to embedded queries [T, Q, F], given embedded examples [T, S, F].

        `theta` is all that was learned, for a method that learns more than its network.
        """

    def losses(self, logits: Tensor, task: Episode) -> Tensor:
        """Of each task, given the answers to its queries [T, Q, N]: [T]."""
        return task_losses(logits, task.query_y)

    def keeps(self, support: Tensor, labels: Tensor, ways: int) -> Mapping[str, Tensor]:
        """What must be stored of embedded examples [T, S, F] to answer later: all of them, unless
        the method says."""
        return {EMBEDDED: support, LABELS: labels}

    def meta_step(
        self, params: Params, episode: Episode, *, generator: torch.Generator | None = None
    ) -> MetaStep:
        total: Params = {}
        loss, score = episode.query_x.new_zeros(()), episode.query_x.new_zeros(())
        statistics: list[Statistics] = []
        for task in episode.split(1):
            theta = leaves(params, but=self.parts.state)
            learned = self.parts.learned(theta)
            record: Statistics = []
            joint = torch.cat([task.support_x, task.query_x], 1)
            features = self.network.features(stack(theta, 1), joint, record=record)
            support, query = features.split([task.support_x.shape[1], task.query_x.shape[1]], dim=1)
            logits = self.explain(theta, support, task.support_y, query, episode.ways).logits
            part = self.losses(logits, task).sum()
            gradients = torch.autograd.grad(part, list(learned.values()))
            for name, value in zip(learned, gradients, strict=True):
                total[name] = total[name] + value if name in total else value
            loss = loss + part.detach()
            score = score + task_scores(logits.detach(), task.query_y).sum()
            statistics.append(record)
        count = episode.tasks
        return MetaStep(
            {name: value / count for name, value in total.items()},
            step_metrics(loss / count, score / count, regression=episode.regression),
            updated_running(self.network, params, statistics),
        )

    def predictors(
        self, params: Params, episode: Episode, steps: int, norm: str
    ) -> Iterator[Predictor]:
        yield NearnessPredictor(
            self, Embedding(self.network, params, episode.support_x, norm), episode
        )

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        """Many ways and one task per meta-step, as published for ProtoNet."""
        settings: dict[str, Any] = {"tasks": 1, "train_ways": 60, "train_queries": 5}
        if wanted.paper:
            settings |= {"schedule": "step", "step_every": 2000}
        else:
            settings |= {"learning_rate": 2e-3}
        training = wanted.training(LARGE_TASKS, 6 / (wanted.shots + 5), **settings)
        model = Conv4Pool() if wanted.paper else wanted.model
        return Recipe(cls.Config(), model, training)


@dataclass
class NearnessPredictor:
    """Answers by nearness to one support set."""

    algorithm: MetricAlgorithm
    embedding: "Embedding"
    episode: Episode
    params: None = None

    def features(self, x: Tensor) -> Tensor:
        return self.embedding.both(x)[1]

    def explain(self, query_x: Tensor) -> Explanation:
        support, query = self.embedding.both(query_x)
        found = self._answers(support, query)
        return replace(found, support=support, query=query)

    def __call__(self, query_x: Tensor) -> Tensor:
        return self.explain(query_x).logits

    @property
    def kept(self) -> Mapping[str, Tensor]:
        kept = self.embedding.kept(self.episode.support_y)
        if EMBEDDED not in kept:
            return kept
        own = self.algorithm.keeps(kept.pop(EMBEDDED), kept.pop(LABELS), self.episode.ways)
        return {**own, **kept}

    def support_loss(self) -> Tensor:
        support = self.embedding.support()
        return task_losses(self._answers(support, support).logits, self.episode.support_y)

    def _answers(self, support: Tensor, query: Tensor) -> Explanation:
        labels, ways = self.episode.support_y, self.episode.ways
        return self.algorithm.explain(self.embedding.theta, support, labels, query, ways)


@dataclass
class Embedding:
    """One network for T tasks; how a task's pictures are normalised is the mode `norm`.

    The support set is embedded once, however often queries come.
    """

    network: Stacked
    theta: Params
    support_x: Tensor
    norm: str

    def support(self) -> Tensor:
        """[T, S, F]."""
        return self._support

    @cached_property
    def _support(self) -> Tensor:
        with torch.no_grad():
            params = self._params()
            statistics = fixed_statistics(self.network, params, self.norm)
            return self.network.features(params, self.support_x, statistics=statistics)

    def query(self, x: Tensor) -> Tensor:
        """[T, Q, F]."""
        with torch.no_grad():
            return self._query(x)

    @cached_property
    def _query(self) -> QueryFeatures:
        return QueryFeatures(self.network, self._params(), self.support_x, self.norm)

    def kept(self, labels: Tensor) -> dict[str, Tensor]:
        """The embedded examples with their labels, and what embeds later queries beside them."""
        if self.norm in ("transductive", "support+query"):  # embedded anew with every query
            return {EXAMPLES: self.support_x, LABELS: labels}
        with torch.no_grad():
            return {EMBEDDED: self.support(), LABELS: labels, **self._query.kept}

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Support and query embeddings; when transductive, normalised together as in training."""
        if self.norm != "transductive":
            return self.support(), self.query(x)
        with torch.no_grad():
            joint = torch.cat([self.support_x, x], 1)
            features = self.network.features(self._params(), joint)
        split = self.support_x.shape[1]
        return features[:, :split], features[:, split:]

    def _params(self) -> Params:
        """Modes whose statistics differ from task to task need a parameter set per task."""
        shared = self.norm in ("running", "none", "transductive")
        return stack(self.theta, 1 if shared else len(self.support_x))


def updated_running(network: Stacked, params: Params, seen: list[Statistics]) -> Params:
    """Running statistics moved a little towards the mean of those just seen."""
    new: Params = {}
    for layer, name in enumerate(network.norms):
        for part, key in enumerate(("running_mean", "running_var")):
            old = params[f"{name}.{key}"]
            batch = torch.stack([statistics[layer][part].detach() for statistics in seen]).mean(0)
            new[f"{name}.{key}"] = old.lerp(batch, RUNNING_MOMENTUM)
    return new
