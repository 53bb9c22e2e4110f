"""Matching Networks (Vinyals, Blundell, Lillicrap, Kavukcuoglu, Wierstra 2016, eq. 1).

    p(y | x) = sum_i a(x, x_i) y_i,   a = softmax_i(scale * cos(f(x), f(x_i)))

Departures: no full context embeddings, and similarities are multiplied by a scale before the
softmax (the paper's is 1, with which attention can hardly become sharp).
"""

from dataclasses import dataclass

from torch import Tensor
from torch.nn import functional as F

from metacore import settings
from metacore.algorithms.base import Explanation, one_hot
from metacore.algorithms.metric import MetricAlgorithm
from metacore.models.networks import Params
from metacore.settings import Config, setting

SMALLEST = 1e-8


@dataclass(frozen=True, kw_only=True)
class MatchingConfig(Config):
    scale: float = setting(
        10.0, "How sharp the attention is: similarities are multiplied by it.", low=0.1, high=100
    )


class Matching(MetricAlgorithm):
    name = "matching"
    title = "Matching Networks"
    summary = "Answers a query by attending to the labelled examples that resemble it."
    formula = (r"p(y \mid x) = \sum_i a(x, x_i)\, y_i",)
    paper = "Vinyals et al. 2016, arXiv:1606.04080"
    color = ("#B87A00", "#F2C14E")
    dash = "dash"
    Config = MatchingConfig
    measures = ("cosine",)

    config: MatchingConfig

    @classmethod
    def measure_of(cls, config: settings.Config) -> str:
        return "cosine"

    def explain(
        self, theta: Params, support: Tensor, labels: Tensor, query: Tensor, ways: int
    ) -> Explanation:
        attention = self.attention(query, support)
        return Explanation(vote(attention, labels, ways), attention=attention)

    def attention(self, query: Tensor, support: Tensor) -> Tensor:
        """Weights [T, Q, S] that sum to 1 over the support examples."""
        similarity = F.normalize(query, dim=-1) @ F.normalize(support, dim=-1).mT
        return (self.config.scale * similarity).softmax(-1)


def vote(attention: Tensor, labels: Tensor, ways: int) -> Tensor:
    """Log-probabilities [T, Q, N] from attention [T, Q, S] over labels [T, S]."""
    return (attention @ one_hot(labels, ways, attention)).clamp_min(SMALLEST).log()
