"""Nearest centroid (SimpleShot: Wang, Chao, Weinberger, van der Maaten 2019) on features as they
come, without any meta-training.

    c_n = mean of f(x) over the support examples of class n
    answer: the class whose c_n has the direction nearest to that of f(x)

Directions by default: on EfficientNet-Lite0's features of Quick, Draw! (52 validation classes,
5-way, 1000 tasks) they answer 61.2 ± 0.8% of 1-shot queries, squared distances 58.2%; with 5 shots
78.8 ± 0.6% and 78.0%. Features minus the mean of the support set were no better (60.9%, 77.7%).
Raw pixels of colour pictures are better told apart by squared distances.
"""

from dataclasses import dataclass

import torch

from metacore.algorithms.base import MetaStep
from metacore.algorithms.protonet import ProtoNet, ProtoNetConfig
from metacore.algorithms.recipes import Recipe, Wanted
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.models.backbone import Backbone
from metacore.models.networks import Params
from metacore.settings import setting


@dataclass(frozen=True, kw_only=True)
class CentroidConfig(ProtoNetConfig):
    distance: str = setting(
        "cosine",
        "How far a query is from a class: squared Euclidean distance or cosine similarity.",
        choices=("euclidean", "cosine"),
    )


class Centroid(ProtoNet):
    name = "centroid"
    title = "Nearest centroid"
    family = "baseline"
    summary = "No meta-training: a class is the mean of its examples' features, pretrained or raw."
    formula = (r"\hat y(x) = \arg\max_n \cos(f(x), c_n)",)
    paper = "Wang, Chao, Weinberger, van der Maaten 2019, arXiv:1911.04623"
    color = ("#1F7A7A", "#6FC7C2")
    dash = "dot"
    trains = False
    Config = CentroidConfig

    config: CentroidConfig

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        """Whatever the dataset's usual network is: untrained, its features would mean little."""
        return Recipe(CentroidConfig(), Backbone(), {})

    def meta_step(
        self, params: Params, episode: Episode, *, generator: torch.Generator | None = None
    ) -> MetaStep:
        raise UserError("Nearest centroid learns nothing beforehand: there is no step to take.")
