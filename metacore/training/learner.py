"""A config brought to life: its dataset on a device and its algorithm over its network."""

from dataclasses import dataclass

import torch

from metacore import datasets
from metacore.algorithms.base import Algorithm, Teacher
from metacore.datasets.base import Dataset
from metacore.device import resolve
from metacore.models.networks import Params
from metacore.randomness import generator
from metacore.training.config import RunConfig


@dataclass
class Learner:
    """What was learned so far, and what is needed to use it."""

    config: RunConfig
    algorithm: Algorithm
    params: Params
    dataset: Dataset
    device: torch.device
    teacher: "Learner | None" = None  # of a run that learns from another

    @property
    def parameters(self) -> int:
        """How many numbers are learned."""
        if self.algorithm.trains and not self.algorithm.learns:
            return 0
        learned = self.algorithm.parts.learned(self.params)
        return sum(value.numel() for value in learned.values())

    def on(self, device: torch.device) -> "Learner":
        """The same on another device."""
        if device == self.device:
            return self
        return build(self.config, self.params, str(device), teacher=self.teacher)


def build(
    config: RunConfig,
    params: Params | None = None,
    device: str | None = None,
    *,
    teacher: Learner | None = None,
) -> Learner:
    """Fresh (or given) parameters, on the config's device unless another is named.

    A teacher is needed for training only, by a config that asks for one.
    """
    config.model.refuse_missing()
    where = resolve(device or config.device)
    dataset = datasets.load(config.dataset, where)
    algorithm = config.algorithm_for(dataset.classes("train"))
    if params is None:
        params = algorithm.init(generator(config.seed, "init"))
    on_device = {name: value.to(where) for name, value in params.items()}
    if teacher is not None:
        teacher = teacher.on(where)
        algorithm.teacher = Teacher(teacher.algorithm, teacher.params)
    return Learner(config, algorithm, on_device, dataset, where, teacher)
