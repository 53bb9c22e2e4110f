"""Smooth random functions: draws from a Gaussian process whose kernel is known.

So it is known, too, how well anyone could predict them: the posterior given the points seen.

    k(x, x') = s^2 exp(-(x - x')^2 / 2 l^2),   K = k(X, X) + noise^2 I
    posterior mean k(x, X) K^-1 y,  variance s^2 - k(x, X) K^-1 k(X, x)

The points seen carry noise, what is asked about is the function itself. (Without noise, two points
that nearly touch tell a slope to many digits, and whoever takes the points to be off by 0.01 is
already a tenth worse than the best: a contest of digits, not of learning.)

A function is its values at knots so close together that they fix it between them (to 1e-7 of its
variance), so that it may be asked for anywhere.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from metacore.datasets.regression import HIGH, LOW, CurveDataset, Posterior
from metacore.episode import Episode
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
    noise: float = setting(
        0.1, "Standard deviation of the noise on the points seen.", low=0, high=10, step=0.1
    )


class GaussianProcess(CurveDataset):
    name = "gp"
    title = "Random curves"
    summary = "Smooth functions from a Gaussian process: how well anyone could do is known exactly."
    Config = GaussianProcessConfig

    config: GaussianProcessConfig

    def draw(self, tasks: int, generator: torch.Generator) -> Tensor:
        """Weights [T, knots] of the kernel around every knot."""
        whole = torch.randn(tasks, len(self._knots), generator=generator, dtype=torch.float64)
        return torch.linalg.solve_triangular(self._root.mT, whole.mT, upper=True).mT

    def curve(self, parameters: Tensor, x: Tensor) -> Tensor:
        near = self.kernel(x[..., 0].double(), self._knots)
        return (near @ parameters[..., None]).to(x.dtype)

    def sample(
        self,
        split: str,
        *,
        tasks: int,
        ways: int = 1,
        shots: int,
        queries: int,
        generator: torch.Generator,
    ) -> Episode:
        task = {"tasks": tasks, "ways": ways, "shots": shots, "queries": queries}
        found = super().sample(split, **task, generator=generator)
        off = torch.randn(tasks, shots, 1, generator=generator).to(self.device)
        return replace(found, support_y=found.support_y + self.config.noise * off)

    def kernel(self, one: Tensor, other: Tensor) -> Tensor:
        """[..., A], [..., B] -> [..., A, B]."""
        away = (one[..., :, None] - other[..., None, :]) / self.config.length
        return self.config.scale**2 * torch.exp(-away.square() / 2)

    def posterior(self, support_x: Tensor, support_y: Tensor, x: Tensor) -> Posterior:
        """What points [T, K, 1] leave open at places [T, B, 1]: nobody can know more."""
        seen, asked = support_x[..., 0].double(), x[..., 0].double()
        own = torch.eye(seen.shape[-1], dtype=seen.dtype, device=seen.device)
        root = self._rooted(self.kernel(seen, seen) + self.config.noise**2 * own)
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
