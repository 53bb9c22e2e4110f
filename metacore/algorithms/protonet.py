"""Prototypical Networks (Snell, Swersky, Zemel 2017).

    c_n = mean of f(x) over the support examples of class n                (eq. 1)
    p(y = n | x) = softmax_n(-d(f(x), c_n))                                (eq. 2)

Departure: the cosine variant multiplies similarities by a fixed scale before the softmax.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from metacore import settings
from metacore.algorithms.base import Explanation, one_hot
from metacore.algorithms.metric import MetricAlgorithm
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


class ProtoNet(MetricAlgorithm):
    name = "protonet"
    title = "Prototypical Networks"
    summary = "Learns a space in which each class gathers around the mean of its examples."
    formula = (r"p(y=n \mid x) \propto \exp\left(-\lVert f_\theta(x) - c_n \rVert^2\right)",)
    paper = "Snell, Swersky, Zemel 2017, arXiv:1703.05175"
    color = ("#D55E00", "#FF8F4D")
    Config = ProtoNetConfig
    measures = ("euclidean", "cosine")

    config: ProtoNetConfig

    @classmethod
    def measure_of(cls, config: settings.Config) -> str:
        assert isinstance(config, ProtoNetConfig)
        return config.distance

    def measured_by(self, measure: str) -> "ProtoNet":
        return ProtoNet(ProtoNetConfig(distance=measure), self.network.network)

    def explain(
        self, theta: Params, support: Tensor, labels: Tensor, query: Tensor, ways: int
    ) -> Explanation:
        centres = prototypes(support, labels, ways)
        if self.config.distance == "cosine":
            similarity = F.normalize(query, dim=-1) @ F.normalize(centres, dim=-1).mT
            logits, away = COSINE_SCALE * similarity, 1 - similarity
            measure = "cosine distance"
        else:
            away, measure = squared_distances(query, centres), "squared distance"
            logits = -away
        shown = away.clamp_min(0)  # rounding may leave a hair less
        return Explanation(logits, prototypes=centres, distances=shown, measure=measure)

    def keeps(self, support: Tensor, labels: Tensor, ways: int) -> Mapping[str, Tensor]:
        return {"prototypes": prototypes(support, labels, ways)}


def prototypes(support: Tensor, labels: Tensor, ways: int) -> Tensor:
    """Class means [T, N, F] of support features [T, S, F] with labels [T, S], in any order."""
    members = one_hot(labels, ways, support)  # [T, S, N]
    counts = members.sum(1).clamp_min(1)[..., None]
    return members.mT @ support / counts


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """[T, A, F] and [T, B, F] -> [T, A, B]."""
    squares = a.pow(2).sum(-1)[:, :, None] + b.pow(2).sum(-1)[:, None]
    return torch.baddbmm(squares, a, b.mT, alpha=-2)
