"""The outer loop's optimiser and schedule, and their state as flat tensors."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from metacore.models.networks import Params
from metacore.models.parts import Group
from metacore.training.config import TrainingConfig


class OuterOptimiser:
    """A `torch.optim` optimiser over named meta-parameters, fed with functional gradients."""

    def __init__(self, config: TrainingConfig, groups: Sequence[Group], params: Params) -> None:
        self.groups = groups
        self.params = {name: params[name] for group in groups for name in group.names}
        self.optimiser = _make(config, [_tensors(group, config, params) for group in groups])

    def step(self, gradients: Params, rate: float) -> None:
        """One step with learning rate `rate`, in place."""
        for group, tensors in zip(self.groups, self.optimiser.param_groups, strict=True):
            tensors["lr"] = rate * group.rate
        for name, value in self.params.items():
            value.grad = gradients[name]
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)

    def state(self) -> dict[str, Tensor]:
        """`name/key` -> tensor."""
        state = self.optimiser.state_dict()["state"]
        return {
            f"{name}/{key}": value
            for number, name in enumerate(self.params)
            for key, value in state.get(number, {}).items()
            if isinstance(value, Tensor)
        }

    def restore(self, tensors: dict[str, Tensor]) -> None:
        state: dict[int, dict[str, Any]] = {}
        numbers = {name: number for number, name in enumerate(self.params)}
        for path, value in tensors.items():
            name, key = path.rsplit("/", 1)
            state.setdefault(numbers[name], {})[key] = value.clone()
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": state, "param_groups": groups})


def _tensors(group: Group, config: TrainingConfig, params: Params) -> dict[str, Any]:
    decay = config.weight_decay if group.decays else 0.0
    return {"params": [params[name] for name in group.names], "weight_decay": decay}


def _make(config: TrainingConfig, groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
    rate = config.learning_rate
    # one call instead of a dozen per tensor
    devices = {value.device.type for group in groups for value in group["params"]}
    fused = devices <= {"cpu", "cuda"}
    match config.optimiser:
        case "sgd":
            momentum = config.momentum
            return torch.optim.SGD(groups, rate, momentum=momentum, fused=fused)
        case "rmsprop":
            return torch.optim.RMSprop(groups, rate, momentum=config.momentum)
        case "adagrad":
            return torch.optim.Adagrad(groups, rate)
        case "adamw":
            return torch.optim.AdamW(groups, rate, fused=fused)
    return torch.optim.Adam(groups, rate, fused=fused)


def remembered(config: TrainingConfig) -> tuple[str, ...]:
    """What the optimiser keeps of each parameter once it has made a step.

    `step` is one number, the others are shaped like the parameter. Known without making one, which
    would load half of PyTorch.
    """
    momentum = ("momentum_buffer",) if config.momentum else ()
    return {
        "adam": ("step", "exp_avg", "exp_avg_sq"),
        "adamw": ("step", "exp_avg", "exp_avg_sq"),
        "sgd": momentum,
        "rmsprop": ("step", "square_avg", *momentum),
        "adagrad": ("step", "sum"),
    }[config.optimiser]


def learning_rate(config: TrainingConfig, iteration: int, progress: float) -> float:
    """The rate at this iteration; `progress` is the share of the budget used, 0 to 1."""
    rate = config.learning_rate * min(1.0, (iteration + 1) / (config.warm_up + 1))
    match config.schedule:
        case "step":
            return rate * 0.5 ** (iteration // config.step_every)
        case "linear":
            return rate * (1 - progress)
        case "cosine":
            return rate * (1 + math.cos(math.pi * progress)) / 2
    return rate


def total_norm(gradients: Params) -> Tensor:
    return torch.stack(torch._foreach_norm(list(gradients.values()))).norm()
