"""Smooth random functions: draws from a Gaussian process whose kernel is known.

So it is known, too, how well anyone could predict them: the posterior given the points seen.

    k(x, x') = s^2 exp(-(x - x')^2 / 2 l^2)
    posterior mean k(x, X) k(X, X)^-1 y,  variance s^2 - k(x, X) k(X, X)^-1 k(X, x)

A function is its values at knots so close together that they fix it between them (to 1e-7 of its
variance), so that it may be asked for anywhere.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from metacore.datasets.regression import HIGH, LOW, CurveDataset, Posterior
from metacore.errors import UserError
from metacore.settings import Config, setting

JITTER = 1e-9  # of the variance: what is added to a covariance so that it can be factored
KNOTS_PER_LENGTH = 2.0
MARGIN = 1.0  # lengths that knots go beyond the ends


@dataclass(frozen=True, kw_only=True)
class GaussianProcessConfig(Config):
    length: float = setting(
        1.0, "How far apart values still resemble each other (l).", low=0.3, high=10, step=0.1
    )
    scale: float = setting(1.0, "Standard deviation of the values (s).", low=0.1, high=10, step=0.5)


class GaussianProcess(CurveDataset):
    name = "gp"
    title = "Smooth random functions"
    summary = "Draws from a Gaussian process: how well anyone could do is known exactly."
    Config = GaussianProcessConfig

    config: GaussianProcessConfig

    def draw(self, tasks: int, generator: torch.Generator) -> Tensor:
        """Weights [T, knots] of the kernel around every knot."""
        whole = torch.randn(tasks, len(self._knots), generator=generator, dtype=torch.float64)
        return torch.linalg.solve_triangular(self._root.mT, whole.mT, upper=True).mT

    def curve(self, parameters: Tensor, x: Tensor) -> Tensor:
        near = self.kernel(x[..., 0].double(), self._knots)
        return (near @ parameters[..., None]).to(x.dtype)

    def kernel(self, one: Tensor, other: Tensor) -> Tensor:
        """[..., A], [..., B] -> [..., A, B]."""
        away = (one[..., :, None] - other[..., None, :]) / self.config.length
        return self.config.scale**2 * torch.exp(-away.square() / 2)

    def posterior(self, support_x: Tensor, support_y: Tensor, x: Tensor) -> Posterior:
        """What points [T, K, 1] leave open at places [T, B, 1]: nobody can know more."""
        seen, asked = support_x[..., 0].double(), x[..., 0].double()
        root = self._rooted(self.kernel(seen, seen))
        half = torch.linalg.solve_triangular(root, self.kernel(seen, asked), upper=False)
        known = torch.linalg.solve_triangular(root, support_y.double(), upper=False)
        variance = self.config.scale**2 - half.square().sum(-2)
        found = Posterior(half.mT @ known, variance.clamp_min(0).sqrt()[..., None])
        return Posterior(*(part.to(x.dtype) for part in found))

    @cached_property
    def _knots(self) -> Tensor:
        beyond = MARGIN * self.config.length
        span = HIGH - LOW + 2 * beyond
        count = round(KNOTS_PER_LENGTH * span / self.config.length) + 1
        return torch.linspace(LOW - beyond, HIGH + beyond, count, dtype=torch.float64)

    @cached_property
    def _root(self) -> Tensor:
        return self._rooted(self.kernel(self._knots, self._knots))

    def _rooted(self, covariance: Tensor) -> Tensor:
        """The lower factor; points that lie on one another tell no more than one of them."""
        own = torch.eye(covariance.shape[-1], dtype=covariance.dtype, device=covariance.device)
        root, failed = torch.linalg.cholesky_ex(
            covariance + JITTER * self.config.scale**2 * own, check_errors=False
        )
        if bool((failed > 0).any()):
            raise UserError("These points lie too close together for the exact posterior.")
        return root
