"""Tasks that are curves: sine waves, and straight lines for the two-parameter introduction.

Their splits differ by the random stream that draws them: there is a continuum of tasks, and no two
streams share one.
"""

import math
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from metacore.datasets.base import SPLITS, Dataset
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.models.networks import Linear, ModelConfig, SineMlp
from metacore.settings import Config, setting

LOW, HIGH = -5.0, 5.0
GRID_POINTS = 101  # where curves are drawn


class Posterior(NamedTuple):
    """What is known of a curve at some places, given points of it: [T, B, 1] each."""

    mean: Tensor
    deviation: Tensor


class CurveDataset(Dataset):
    """y = f(x; parameters of the task), with x uniform in [-5, 5]."""

    item = "point"
    regression = True
    usual_model: ClassVar[ModelConfig] = SineMlp()

    @classmethod
    def shape(cls, config: Config) -> tuple[int, ...]:
        return (1,)

    @classmethod
    def described(cls, config: Config) -> str:
        return "curves"

    @abstractmethod
    def draw(self, tasks: int, generator: torch.Generator) -> Tensor:
        """Parameters [T, P] of random tasks."""

    @abstractmethod
    def curve(self, parameters: Tensor, x: Tensor) -> Tensor:
        """The values [T, B, 1] of tasks [T, P] at x [T, B, 1]."""

    def posterior(self, support_x: Tensor, support_y: Tensor, x: Tensor) -> Posterior | None:
        """The best anyone could answer at x [T, B, 1] after points [T, K, 1]; None if not known."""
        return None

    def classes(self, split: str) -> int:
        return 1

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
        if split not in SPLITS:
            raise UserError(f"split must be one of {', '.join(SPLITS)}, not {split!r}.")
        if shots < 1 or queries < 0:
            raise UserError(f"A curve needs at least 1 shot, not {shots}.")
        parameters = self.draw(tasks, generator)
        x = torch.empty(tasks, shots + queries, 1).uniform_(LOW, HIGH, generator=generator)
        y = self.curve(parameters, x)
        return Episode(x[:, :shots], y[:, :shots], x[:, shots:], y[:, shots:], ways=1).to(
            self.device
        )

    def parameters(self, split: str, *, seed: int, number: int) -> Tensor:
        """The true parameters [1, P] of the episode with this number, for drawing it."""
        return self.draw(1, self.episode_generator(split, seed, number))


def curve_grid(episode: Episode) -> Tensor:
    """Where the curves of an episode are drawn: [T, G, 1]."""
    span = torch.linspace(LOW, HIGH, GRID_POINTS, device=episode.query_x.device)
    return span[None, :, None].expand(episode.tasks, -1, -1)


@dataclass(frozen=True, kw_only=True)
class SinusoidConfig(Config):
    largest_amplitude: float = setting(
        5.0, "Amplitudes lie between 0.1 and this.", low=0.2, high=50, step=0.5
    )


class Sinusoid(CurveDataset):
    name = "sinusoid"
    title = "Sine waves"
    summary = "y = A sin(x - phase): each task is one wave, seen at a few points."
    Config = SinusoidConfig

    config: SinusoidConfig

    def draw(self, tasks: int, generator: torch.Generator) -> Tensor:
        amplitude = torch.empty(tasks, 1).uniform_(
            0.1, self.config.largest_amplitude, generator=generator
        )
        phase = torch.empty(tasks, 1).uniform_(0, math.pi, generator=generator)
        return torch.cat([amplitude, phase], 1)

    def curve(self, parameters: Tensor, x: Tensor) -> Tensor:
        amplitude, phase = parameters[:, None, :1], parameters[:, None, 1:]
        return amplitude * torch.sin(x - phase)


@dataclass(frozen=True, kw_only=True)
class LineConfig(Config):
    largest_slope: float = setting(
        2.0, "Slopes lie between minus this and this.", low=0.1, high=10, step=0.5
    )
    largest_intercept: float = setting(
        3.0, "Intercepts lie between minus this and this.", low=0.1, high=10, step=0.5
    )


class Line(CurveDataset):
    name = "line"
    title = "Straight lines"
    summary = "y = a x + b: the two-parameter example of every introduction."
    usual_model = Linear()
    inner_rate = 0.05
    Config = LineConfig

    config: LineConfig

    def draw(self, tasks: int, generator: torch.Generator) -> Tensor:
        largest = torch.tensor([self.config.largest_slope, self.config.largest_intercept])
        return largest * torch.empty(tasks, 2).uniform_(-1, 1, generator=generator)

    def curve(self, parameters: Tensor, x: Tensor) -> Tensor:
        return parameters[:, None, :1] * x + parameters[:, None, 1:]
