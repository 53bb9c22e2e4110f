"""Meta-SGD (Li, Zhou, Chen, Li 2017, algorithm 1): MAML that learns its inner rates, too.

    phi_i = theta - alpha * grad L_i^support(theta)      (alpha like theta, product by element)
    (theta, alpha) <- (theta, alpha) - beta * grad_(theta, alpha) sum_i L_i^query(phi_i)

Departures: all rates start alike, where the paper draws them; weight decay spares them.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import torch

from metacore.algorithms.base import ByLayer
from metacore.algorithms.inner import Rule, with_ways
from metacore.algorithms.maml import BUDGET, MAML, InnerLoopConfig, inner_loop_recipe
from metacore.algorithms.recipes import Recipe, Wanted
from metacore.models.networks import Params, by_layer
from metacore.models.parts import Group, Parts


@dataclass(frozen=True, kw_only=True)
class MetaSGDConfig(InnerLoopConfig):
    """The inner rate is what every learned rate starts from."""


class MetaSGD(MAML):
    name = "meta-sgd"
    title = "Meta-SGD"
    summary = "MAML that also learns how far each parameter goes in an inner step, and which way."
    formula = (
        r"(\theta,\alpha) \leftarrow (\theta,\alpha) - \beta \nabla_{\theta,\alpha} \sum_i"
        r" L_i(\theta - \alpha \circ \nabla_\theta L_i(\theta))",
    )
    paper = "Li, Zhou, Chen, Li 2017, arXiv:1707.09835"
    color = ("#2E4A9E", "#8FA8FF")
    dash = "longdash"
    Config = MetaSGDConfig

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        """One inner step, as published, at test too: learned rates are those of so many steps.

        (On sine waves the mean squared error is 0.55 after one step and infinite after ten.)
        """
        return inner_loop_recipe(cls.Config, wanted, BUDGET, inner_steps=1, test_steps=1)

    @cached_property
    def parts(self) -> Parts:
        network = super().parts
        return replace(network, shared=tuple(map(rate_of, network.adapted)))

    def groups(self) -> list[Group]:
        return [Group(self.parts.adapted), Group(self.parts.shared, decays=False)]

    def init(self, generator: torch.Generator) -> Params:
        params = super().init(generator)
        alpha = self.config.inner_rate
        rates = {rate_of(name): torch.full_like(params[name], alpha) for name in self.parts.adapted}
        return params | rates

    def rule(self, theta: Params) -> Rule:
        def step(phi: Params, gradients: Params, _: int) -> Params:
            alpha = with_ways(self._rates(theta), phi["head.bias"].shape[-1])
            return {name: phi[name] - alpha[name] * gradients[name] for name in phi}

        return step

    def learned_by_layer(self, params: Params) -> ByLayer:
        return ByLayer(
            "learned inner rates",
            "rate",
            "Where rates are large, tasks are told apart; below 0, a step goes uphill.",
            by_layer(self._rates(params)),
        )

    def _rates(self, theta: Params) -> Params:
        return {name: theta[rate_of(name)] for name in self.parts.adapted}


def rate_of(name: str) -> str:
    """The name of a parameter's learned rate."""
    return f"rate.{name}"
