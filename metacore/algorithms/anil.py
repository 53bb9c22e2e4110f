"""ANIL: almost no inner loop (Raghu, Raghu, Bengio, Vinyals 2020, section 5).

MAML whose inner loop moves the head only; the body is learned by the outer loop alone:

    w_i = w - alpha * grad_w L_i^support(w, body)
    (w, body) <- (w, body) - beta * grad sum_i L_i^query(w_i, body)

The body's features are computed once, so inner steps cost almost nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from metacore.algorithms.base import Predictor, task_losses, task_scores
from metacore.algorithms.inner import FrozenBody, head_error, head_steps, leaves, with_ways
from metacore.algorithms.maml import MAML, InnerLoopConfig, inner_loop_recipe
from metacore.algorithms.recipes import Budget, Recipe, Wanted
from metacore.capacity import inputs_at_once
from metacore.episode import Episode
from metacore.models.networks import HEAD, Params
from metacore.models.parts import Parts
from metacore.models.stacked import stack

# Two idle cores make about 13.5 meta-steps per second on glyphs.
BUDGET = Budget(demo=400, good=2800, paper=60_000)


@dataclass(frozen=True, kw_only=True)
class ANILConfig(InnerLoopConfig):
    """Over the head."""


class ANIL(MAML):
    name = "anil"
    title = "ANIL"
    summary = "MAML whose inner loop adapts the last layer only, over features learned outside it."
    formula = (
        r"w_i = w - \alpha \nabla_w L_i(w, \theta)",
        r"(w,\theta) \leftarrow (w,\theta) - \beta \nabla \sum_i L_i(w_i, \theta)",
    )
    paper = "Raghu, Raghu, Bengio, Vinyals 2020, arXiv:1909.09157"
    Config = ANILConfig

    color = ("#6B4C9A", "#B79BE0")
    dash = "dashdot"

    config: InnerLoopConfig

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        """With one inner step, the head diverges on some curves in the ten of the test.

        (Mean squared error on sine waves 0.37 with five instead of 5.0.)
        """
        several = {"inner_steps": 5} if wanted.curves and not wanted.paper else {}
        return inner_loop_recipe(cls.Config, wanted, BUDGET, **several)

    @cached_property
    def parts(self) -> Parts:
        network = self.network
        body = tuple(name for name in network.learned if name not in HEAD)
        return Parts(adapted=HEAD, shared=body, state=network.state)

    def _tasks_at_once(self, theta: Params, episode: Episode) -> int:
        images = episode.support_x.shape[1] + episode.query_x.shape[1]
        return max(1, inputs_at_once(episode.support_x) // images)

    def _meta_gradient(self, theta: Params, episode: Episode) -> tuple[Params, Tensor, Tensor]:
        theta = leaves(theta)
        outputs = self._query_outputs(theta, episode)
        loss = task_losses(outputs, episode.query_y).sum()
        gradients = torch.autograd.grad(loss, list(theta.values()))
        score = task_scores(outputs.detach(), episode.query_y).sum()
        return dict(zip(theta, gradients, strict=True)), loss.detach(), score

    def _query_outputs(self, theta: Params, episode: Episode) -> Tensor:
        """Outputs [T, Q, N] after the inner loop, differentiable in theta to second order."""
        stacked = stack(theta, episode.tasks)
        support = self.network.features(stacked, episode.support_x)
        query = self.network.features(stacked, episode.query_x)
        weight, bias = stacked["head.weight"], stacked["head.bias"]
        for _ in range(self.config.inner_steps):
            outputs = torch.baddbmm(bias[:, None], support, weight.mT)
            error = head_error(outputs, episode.support_y)
            weight = weight - self.config.inner_rate * error.mT @ support
            bias = bias - self.config.inner_rate * error.sum(1)
        return torch.baddbmm(bias[:, None], query, weight.mT)

    def predictors(
        self, params: Params, episode: Episode, steps: int, norm: str
    ) -> Iterator[Predictor]:
        theta = stack(with_ways(self.parts.learned(params), episode.ways), episode.tasks)
        return head_steps(
            FrozenBody(self.network, theta, episode.support_x, norm),
            theta["head.weight"],
            theta["head.bias"],
            episode.support_y,
            alpha=self.config.inner_rate,
            steps=steps,
        )
