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

from metacore.algorithms.base import Algorithm
from metacore.algorithms.matching import Matching, vote
from metacore.algorithms.protonet import ProtoNet, ProtoNetConfig, prototypes
from metacore.errors import UserError
from metacore.insight import projection
from metacore.insight.projection import Array, Labels


@dataclass(frozen=True)
class Space:
    """A support set in the space of a method; its labels may be any, as long as no class is empty.

    Axes: S support drawings, N ways, F features; B drawings asked about.
    """

    algorithm: ProtoNet | Matching
    support: Array  # [S, F]
    labels: Labels  # [S]
    ways: int

    def probabilities(self, asked: ArrayLike) -> Array:
        """What the method answers: [B, N] for drawings [B, F]."""
        return _array(self._logits(_one_task(asked)).softmax(-1))

    def decide(self, asked: ArrayLike) -> Labels:
        """The class [B] it decides for; the real decision, not one made in a picture."""
        return self._logits(_one_task(asked))[0].argmax(-1).numpy()

    @property
    def prototypes(self) -> Array | None:
        """[N, F]; None for a method that has none."""
        return _array(self._centres) if isinstance(self.algorithm, ProtoNet) else None

    def distances(self, asked: Array) -> Array | None:
        """To every prototype [B, N]: Euclidean lengths, or 1 - cosine."""
        centres = self.prototypes
        if centres is None:
            return None
        rows = [dict(projection.nearest(one, centres, self.ways, self.distance)) for one in asked]
        return np.array([[row[n] for n in range(self.ways)] for row in rows], np.float32)

    def attention(self, asked: ArrayLike) -> Array | None:
        """Weights over the support set [B, S]; None for a method that pays none."""
        if not isinstance(self.algorithm, Matching):
            return None
        return _array(self.algorithm.attention(_one_task(asked), _one_task(self.support)))

    @property
    def distance(self) -> str:
        """What the method measures by."""
        algorithm = self.algorithm
        return algorithm.config.distance if isinstance(algorithm, ProtoNet) else "cosine"

    def nearest(self, asked: ArrayLike, count: int) -> list[tuple[int, float]]:
        """The support drawings nearest to one [F]: index and distance."""
        return projection.nearest(asked, self.support, count, self.distance)

    def _logits(self, asked: Tensor) -> Tensor:
        if isinstance(self.algorithm, ProtoNet):
            return self.algorithm.logits(asked, self._centres)
        weights = self.algorithm.attention(asked, _one_task(self.support))
        return vote(weights, torch.from_numpy(self.labels)[None], self.ways)

    @cached_property
    def _centres(self) -> Tensor:
        labels = torch.from_numpy(self.labels)[None]
        return prototypes(_one_task(self.support), labels, self.ways)


def space(
    algorithm: Algorithm, support: Array, labels: ArrayLike, ways: int, distance: str | None = None
) -> Space:
    """The method's space, or (ProtoNet) the same features measured by another distance."""
    if isinstance(algorithm, ProtoNet) and distance is not None:
        algorithm = ProtoNet(ProtoNetConfig(distance=distance), algorithm.network.network)
    if not isinstance(algorithm, ProtoNet | Matching):
        raise UserError(f"{algorithm.title} does not answer by distances.")
    return Space(algorithm, support, np.asarray(labels, np.int64), ways)


def _one_task(features: ArrayLike) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(features, np.float32))[None]


def _array(tensor: Tensor) -> Array:
    return tensor[0].numpy()
