"""One ordinary module per task, and statistics put into its layers by hand: to compare with."""

import copy

import torch
from torch import Tensor, nn
from torch.func import functional_call

from metacore.models.networks import Params, initial_params


def different_params(network: nn.Module, tasks: int) -> Params:
    """Another draw for every task, with scales and shifts that are not 1 and 0."""
    draws = [initial_params(network, torch.Generator().manual_seed(task)) for task in range(tasks)]
    return {
        name: torch.stack([draw[name].double() + 0.1 * t for t, draw in enumerate(draws)])
        for name in draws[0]
    }


def module_of(network: nn.Module, params: Params, task: int) -> nn.Module:
    """A copy of the network with the parameters and statistics of one task."""
    module = copy.deepcopy(network)
    module.load_state_dict({name: value[task] for name, value in params.items()}, strict=False)
    return module


def alone(network: nn.Module, params: Params, task: int, x: Tensor) -> Tensor:
    """The task's outputs from a plain copy of the module."""
    outputs: Tensor = module_of(network, params, task).train()(x)
    return outputs


def normalised_by(module: nn.Module, support: Tensor) -> nn.Module:
    """The module, evaluating with the statistics that its layers see of the support set."""

    def remember(layer: nn.BatchNorm2d, inputs: tuple[Tensor]) -> None:
        layer.running_mean = inputs[0].detach().mean((0, 2, 3))
        layer.running_var = inputs[0].detach().var((0, 2, 3), correction=0)

    norms = [layer for layer in module.modules() if isinstance(layer, nn.BatchNorm2d)]
    hooks = [layer.register_forward_pre_hook(remember) for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
    module.train()(support)
    for hook in hooks:
        hook.remove()
    return module.eval()


def loss_after_one_step(
    module: nn.Module, theta: Params, support: tuple[Tensor, Tensor], query: tuple[Tensor, Tensor]
) -> Tensor:
    """The query loss of one task after an inner step of 0.1, its graph kept: plain autograd."""

    def loss(params: Params, part: tuple[Tensor, Tensor]) -> Tensor:
        outputs: Tensor = functional_call(module, params, (part[0],))
        return (outputs - part[1]).square().mean()

    module.train()
    first = torch.autograd.grad(loss(theta, support), list(theta.values()), create_graph=True)
    phi = {
        name: value - 0.1 * gradient
        for (name, value), gradient in zip(theta.items(), first, strict=True)
    }
    return loss(phi, query)
