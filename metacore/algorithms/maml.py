"""MAML and its first-order approximation (Finn, Abbeel, Levine 2017, algorithms 1 and 2).

    phi_i = theta - alpha * grad L_i^support(theta)                       (inner step, repeated)
    theta <- theta - beta * grad_theta sum_i L_i^query(phi_i)             (eq. 1)

Departures from the published code: batch normalisation's scale and shift adapt in the inner loop
like every other parameter; gradients are averaged, not summed, over tasks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from metacore.algorithms.base import Algorithm, MetaStep, Predictor, Support, step_metrics
from metacore.algorithms.inner import (
    adapted_networks,
    descend,
    gradient,
    leaves,
    query_gradients,
    with_ways,
)
from metacore.capacity import inputs_at_once, parameter_sets_at_once
from metacore.episode import Episode
from metacore.models.networks import Params, trainable
from metacore.models.stacked import stack
from metacore.settings import Config, setting


@dataclass(frozen=True, kw_only=True)
class InnerLoopConfig(Config):
    inner_rate: float = setting(
        0.4, "Size of a gradient step on the support set (alpha).", low=1e-5, high=10, step=0.05
    )
    inner_steps: int = setting(
        1, "Gradient steps on the support set while meta-training.", low=1, high=100, step=1
    )
    test_steps: int = setting(
        3, "Gradient steps on the support set at test.", low=0, high=500, step=1
    )


@dataclass(frozen=True, kw_only=True)
class MAMLConfig(InnerLoopConfig):
    """Second order."""


@dataclass(frozen=True, kw_only=True)
class FOMAMLConfig(InnerLoopConfig):
    """First order."""


class MAML(Algorithm):
    name = "maml"
    title = "MAML"
    family = "optimisation"
    summary = "Learns a starting point from which a few gradient steps solve a new task."
    formula = (
        r"\theta \leftarrow \theta - \beta \nabla_\theta \sum_i"
        r" L_i(\theta - \alpha \nabla_\theta L_i(\theta))"
    )
    paper = "Finn, Abbeel, Levine 2017, arXiv:1703.03400"
    Config: ClassVar[type[InnerLoopConfig]] = MAMLConfig
    second_order: ClassVar[bool] = True

    config: InnerLoopConfig

    def meta_step(
        self, params: Params, episode: Episode, *, generator: torch.Generator | None = None
    ) -> MetaStep:
        theta = trainable(params)
        total = {name: torch.zeros_like(value) for name, value in theta.items()}
        loss, score = episode.query_x.new_zeros(()), episode.query_x.new_zeros(())
        for tasks in episode.split(self._tasks_at_once(theta, episode)):
            gradients, part_loss, part_score = self._meta_gradient(theta, tasks)
            for name, value in gradients.items():
                total[name] += value / episode.tasks
            loss, score = loss + part_loss, score + part_score
        metrics = step_metrics(
            loss / episode.tasks, score / episode.tasks, regression=episode.regression
        )
        return MetaStep(total, metrics)

    def _tasks_at_once(self, theta: Params, episode: Episode) -> int:
        """How many tasks' inner graphs are held together: more is faster and takes more memory."""
        graph_inputs = episode.support_x.shape[1] * self.config.inner_steps
        by_inputs = inputs_at_once(episode.support_x) // graph_inputs
        return max(1, min(by_inputs, parameter_sets_at_once(theta)))

    def _meta_gradient(self, theta: Params, episode: Episode) -> tuple[Params, Tensor, Tensor]:
        """d/dtheta of the summed query loss of a few tasks."""
        theta = leaves(theta)
        phi = stack(theta, episode.tasks)
        for _ in range(self.config.inner_steps):
            gradients = gradient(
                self.network,
                phi if self.second_order else leaves(phi),
                episode.support_x,
                episode.support_y,
                second_order=self.second_order,
            )
            phi = descend(phi, gradients, self.config.inner_rate)
        dphi, loss, score = query_gradients(
            self.network, phi, episode, at_once=inputs_at_once(episode.query_x)
        )
        dtheta = torch.autograd.grad(list(phi.values()), list(theta.values()), list(dphi.values()))
        return dict(zip(theta, dtheta, strict=True)), loss, score

    def predictors(
        self, params: Params, support: Support, steps: int, norm: str
    ) -> Iterator[Predictor]:
        return adapted_networks(
            self.network,
            with_ways(trainable(params), support.ways),
            support,
            alpha=self.config.inner_rate,
            steps=steps,
            norm=norm,
        )


class FOMAML(MAML):
    """MAML with d phi / d theta taken as the identity (section 5.2)."""

    name = "fomaml"
    title = "First-order MAML"
    summary = "MAML that takes the gradient where adaptation ends, as if the steps were constants."
    formula = r"\theta \leftarrow \theta - \beta \sum_i \nabla_{\phi_i} L_i(\phi_i)"
    Config = FOMAMLConfig
    second_order = False
