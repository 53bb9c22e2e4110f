"""Matching Networks (Vinyals, Blundell, Lillicrap, Kavukcuoglu, Wierstra 2016, eq. 1).

    p(y | x) = sum_i a(x, x_i) y_i,   a = softmax_i(scale * cos(f(x), f(x_i)))

Departures: no full context embeddings, and similarities are multiplied by a scale before the
softmax (the paper's is 1, with which attention can hardly become sharp).
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

SMALLEST = 1e-8


@dataclass(frozen=True, kw_only=True)
class MatchingConfig(Config):
    scale: float = setting(
        10.0, "How sharp the attention is: similarities are multiplied by it.", low=0.1, high=100
    )


class Matching(Algorithm):
    name = "matching"
    title = "Matching Networks"
    family = "metric"
    summary = "Answers a query by attending to the labelled examples that resemble it."
    formula = r"p(y \mid x) = \sum_i a(x, x_i)\, y_i"
    paper = "Vinyals et al. 2016, arXiv:1606.04080"
    regression = False
    fixed_ways = False
    norms = ("running", "transductive", "support+query", "support")
    Config = MatchingConfig

    config: MatchingConfig

    @staticmethod
    def outputs(ways: int, training_classes: int) -> int:
        return 0

    def meta_step(
        self, params: Params, episode: Episode, *, generator: torch.Generator | None = None
    ) -> MetaStep:
        def classify(support: Tensor, labels: Tensor, query: Tensor) -> Tensor:
            return vote(self.attention(query, support), labels, episode.ways)

        return metric_meta_step(self.network, params, episode, classify)

    def attention(self, query: Tensor, support: Tensor) -> Tensor:
        """Weights [T, Q, S] that sum to 1 over the support examples."""
        similarity = F.normalize(query, dim=-1) @ F.normalize(support, dim=-1).mT
        return (self.config.scale * similarity).softmax(-1)

    def predictors(
        self, params: Params, support: Support, steps: int, norm: str
    ) -> Iterator[Predictor]:
        embedding = Embedding(self.network, params, support.x, norm)
        yield AttentionPredictor(self, embedding, support.y, support.ways)


@dataclass
class AttentionPredictor:
    """Answers by a vote of the support set, weighted by attention."""

    algorithm: Matching
    embedding: Embedding
    support_y: Tensor
    ways: int
    params: None = None

    def features(self, x: Tensor) -> Tensor:
        return self.embedding.both(x)[1]

    def attention(self, query_x: Tensor) -> Tensor:
        """[T, Q, S]."""
        support, query = self.embedding.both(query_x)
        return self.algorithm.attention(query, support)

    def __call__(self, query_x: Tensor) -> Tensor:
        return vote(self.attention(query_x), self.support_y, self.ways)

    def support_loss(self) -> Tensor:
        support = self.embedding.support()
        weights = self.algorithm.attention(support, support)
        return task_losses(vote(weights, self.support_y, self.ways), self.support_y)


def vote(attention: Tensor, labels: Tensor, ways: int) -> Tensor:
    """Log-probabilities [T, Q, N] from attention [T, Q, S] over labels [T, S]."""
    return (attention @ one_hot(labels, ways, attention)).clamp_min(SMALLEST).log()
