"""Prototypical Networks (Snell, Swersky, Zemel 2017).

    c_n = mean of f(x) over the support examples of class n                (eq. 1)
    p(y = n | x) = softmax_n(-d(f(x), c_n))                                (eq. 2)

Departure: the cosine variant multiplies similarities by a fixed scale before the softmax.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from metacore.algorithms.base import Algorithm, MetaStep, Predictor, Support, one_hot, task_losses
from metacore.algorithms.embedding import Embedding, metric_meta_step
from metacore.episode import Episode
from metacore.models.networks import Params
from metacore.settings import Config, setting

COSINE_SCALE = 10.0


@dataclass(frozen=True, kw_only=True)
class ProtoNetConfig(Config):
    distance: str = setting(
        "euclidean",
        "How far a query is from a prototype: squared Euclidean distance or cosine similarity.",
        choices=("euclidean", "cosine"),
    )


class ProtoNet(Algorithm):
    name = "protonet"
    title = "Prototypical Networks"
    family = "metric"
    summary = "Learns a space in which each class gathers around the mean of its examples."
    formula = r"p(y=n \mid x) \propto \exp\left(-\lVert f_\theta(x) - c_n \rVert^2\right)"
    paper = "Snell, Swersky, Zemel 2017, arXiv:1703.05175"
    regression = False
    fixed_ways = False
    norms = ("running", "transductive", "support+query", "support")
    Config = ProtoNetConfig

    config: ProtoNetConfig

    @staticmethod
    def outputs(ways: int, training_classes: int) -> int:
        return 0

    def meta_step(
        self, params: Params, episode: Episode, *, generator: torch.Generator | None = None
    ) -> MetaStep:
        def classify(support: Tensor, labels: Tensor, query: Tensor) -> Tensor:
            return self.logits(query, prototypes(support, labels, episode.ways))

        return metric_meta_step(self.network, params, episode, classify)

    def logits(self, query: Tensor, centres: Tensor) -> Tensor:
        """Closeness [T, Q, N] of query features [T, Q, F] to prototypes [T, N, F]."""
        if self.config.distance == "cosine":
            return COSINE_SCALE * F.normalize(query, dim=-1) @ F.normalize(centres, dim=-1).mT
        return -squared_distances(query, centres)

    def predictors(
        self, params: Params, support: Support, steps: int, norm: str
    ) -> Iterator[Predictor]:
        embedding = Embedding(self.network, params, support.x, norm)
        yield PrototypePredictor(self, embedding, support.y, support.ways)


@dataclass
class PrototypePredictor:
    """Answers by the nearest prototype."""

    algorithm: ProtoNet
    embedding: Embedding
    support_y: Tensor
    ways: int
    params: None = None

    def features(self, x: Tensor) -> Tensor:
        return self.embedding.both(x)[1]

    def prototypes_of(self, support: Tensor) -> Tensor:
        """[T, N, F] from support embeddings [T, S, F]."""
        return prototypes(support, self.support_y, self.ways)

    def __call__(self, query_x: Tensor) -> Tensor:
        support, query = self.embedding.both(query_x)
        return self.algorithm.logits(query, self.prototypes_of(support))

    def support_loss(self) -> Tensor:
        support = self.embedding.support()
        logits = self.algorithm.logits(support, self.prototypes_of(support))
        return task_losses(logits, self.support_y)


def prototypes(support: Tensor, labels: Tensor, ways: int) -> Tensor:
    """Class means [T, N, F] of support features [T, S, F] with labels [T, S], in any order."""
    members = one_hot(labels, ways, support)  # [T, S, N]
    counts = members.sum(1).clamp_min(1)[..., None]
    return members.mT @ support / counts


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """[T, A, F] and [T, B, F] -> [T, A, B]."""
    squares = a.pow(2).sum(-1)[:, :, None] + b.pow(2).sum(-1)[:, None]
    return torch.baddbmm(squares, a, b.mT, alpha=-2)
