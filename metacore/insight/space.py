"""A metric method in its own space: what it answers once drawings are embedded.

Its network normalises by what it has learned, so where a drawing lies does not depend on its
company: any support set made of embedded drawings can be tried without running the network again.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from metacore.algorithms.base import Explanation
from metacore.algorithms.metric import MetricAlgorithm
from metacore.errors import UserError
from metacore.insight import projection
from metacore.insight.projection import Array, Labels
from metacore.models.networks import Params
from metacore.training.learner import Learner


@dataclass(frozen=True)
class Space:
    """A support set in the space of a method; its labels may be any, as long as no class is empty.

    Axes: S support drawings, N ways, F features; B drawings asked about.
    """

    algorithm: MetricAlgorithm
    theta: Params  # all it has learned
    support: Array  # [S, F]
    labels: Labels  # [S]
    ways: int

    def explain(self, asked: ArrayLike) -> Explanation:
        """The answers to drawings [B, F] and what they go by, of one task."""
        labels, support = torch.from_numpy(self.labels)[None], _one_task(self.support)
        return self.algorithm.explain(self.theta, support, labels, _one_task(asked), self.ways)

    def probabilities(self, asked: ArrayLike) -> Array:
        """What the method answers: [B, N] for drawings [B, F]."""
        return _array(self.explain(asked).logits.softmax(-1))

    def decide(self, asked: ArrayLike) -> Labels:
        """The class [B] it decides for; the real decision, not one made in a picture."""
        return self.explain(asked).logits[0].argmax(-1).numpy()

    @cached_property
    def prototypes(self) -> Array | None:
        """[N, F]; None for a method that has none."""
        centres = self.explain(self.support[:1]).prototypes
        return None if centres is None else _array(centres)

    def distances(self, asked: ArrayLike) -> Array | None:
        """To every prototype [B, N]: Euclidean lengths, or 1 - cosine."""
        found = self.explain(asked).distances
        if found is None:
            return None
        return _array(found.clamp_min(0).sqrt() if self.distance == "euclidean" else found)

    def attention(self, asked: ArrayLike) -> Array | None:
        """Weights over the support set [B, S]; None for a method that pays none."""
        found = self.explain(asked).attention
        return None if found is None else _array(found)

    @property
    def distance(self) -> str:
        """What the method measures by."""
        return self.algorithm.measure

    def nearest(self, asked: ArrayLike, count: int) -> list[tuple[int, float]]:
        """The support drawings nearest to one [F]: index and distance."""
        return projection.nearest(asked, self.support, count, self.distance)


def space(
    learner: Learner, support: Array, labels: ArrayLike, ways: int, distance: str | None = None
) -> Space:
    """The method's space, or the same features measured by another distance."""
    algorithm = learner.algorithm
    if not isinstance(algorithm, MetricAlgorithm):
        raise UserError(f"{algorithm.title} does not answer by distances.")
    if distance is not None and distance != algorithm.measure:
        algorithm = algorithm.measured_by(distance)
    theta = {name: value.cpu() for name, value in learner.params.items()}
    return Space(algorithm, theta, support, np.asarray(labels, np.int64), ways)


def _one_task(features: ArrayLike) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(features, np.float32))[None]


def _array(tensor: Tensor) -> Array:
    return tensor[0].numpy()
