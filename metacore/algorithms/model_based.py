"""What methods share whose network is the learner: a module of their own behind the embedding.

Labels of classes are slots, drawn anew for every training task, so that no class has a name and
tasks may have any number of ways up to `most_ways`.
"""

from abc import abstractmethod
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from metacore import settings
from metacore.algorithms.base import Algorithm
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.models.networks import Params, initial_params
from metacore.models.parts import Parts


class ModelBased(Algorithm):
    """Takes in a support set and answers, without a gradient and without a prototype."""

    family = "model"
    fixed_ways = False
    in_steps = False
    norms = ("running", "transductive", "support+query", "support")

    @staticmethod
    def outputs(ways: int, training_classes: int) -> int:
        return 0

    @classmethod
    def can_answer(cls, config: settings.Config, *, trained: int, ways: int) -> bool:
        return ways <= int(getattr(config, "most_ways", ways))

    @property
    @abstractmethod
    def module(self) -> nn.Module:
        """What it learns beside the embedding; the weights are in the parameters."""

    @property
    def _prefix(self) -> str:
        return f"{self.name}."

    @cached_property
    def parts(self) -> Parts:
        own = tuple(self._prefix + name for name, _ in self.module.named_parameters())
        return Parts(adapted=(), shared=(*self.network.learned, *own), state=self.network.state)

    def init(self, generator: torch.Generator) -> Params:
        own = self.first_weights(generator)
        return super().init(generator) | {self._prefix + name: own[name] for name in own}

    def first_weights(self, generator: torch.Generator) -> Params:
        """Of its module."""
        return initial_params(self.module, generator)

    def run_module(self, theta: Params, *given: Any) -> Any:
        """The module with the weights that are in theta."""
        names = [name for name in theta if name.startswith(self._prefix)]
        own = {name.removeprefix(self._prefix): theta[name] for name in names}
        return torch.func.functional_call(self.module, own, given)

    def drawn_slots(self, episode: Episode, generator: torch.Generator) -> Tensor:
        """Which label slots stand for the classes of each task [T, N]: in training, any."""
        self._refuse_more_ways(episode.ways)
        chance = episode.chance(self.config.most_ways, generator)
        return chance.argsort(1)[:, : episode.ways].to(episode.query_x.device)

    def first_slots(self, episode: Episode) -> Tensor:
        """And at test: the first ones."""
        self._refuse_more_ways(episode.ways)
        return torch.arange(episode.ways, device=episode.support_x.device).expand(episode.tasks, -1)

    def _refuse_more_ways(self, ways: int) -> None:
        if not self.on_curves and ways > self.config.most_ways:
            raise UserError(
                f"This {self.name} knows labels for at most {self.config.most_ways} classes, and"
                f" {ways} were asked for: ask for fewer ways, or train one with a larger most_ways."
            )
