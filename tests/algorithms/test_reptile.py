"""Reptile against its definition, spelled out with `torch.optim` on one module per task."""

import copy

import pytest
import torch
from torch.nn import functional as F

from metacore.algorithms.reptile import Reptile, ReptileConfig, shuffled_batches
from metacore.models.networks import initial_params
from tests.algorithms.tasks import learned, tiny_conv, tiny_images


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("sgd", {}), ("adam", {"betas": (0.0, 0.999)})],
)
def test_the_gradient_is_theta_minus_the_mean_of_phi(kind: str, settings: dict) -> None:
    network, episode = tiny_conv(3), tiny_images(shots=4)
    params = initial_params(network, torch.Generator().manual_seed(0))
    params = {name: value.double() for name, value in params.items()}
    config = ReptileConfig(inner_optimiser=kind, inner_rate=0.01, inner_steps=4, inner_batch=5)
    step = Reptile(config, network).meta_step(
        params, episode, generator=torch.Generator().manual_seed(3)
    )

    batches = shuffled_batches(12, 5, 4, torch.Generator().manual_seed(3))
    phis = []
    for task in range(episode.tasks):
        module = copy.deepcopy(network).train()
        module.load_state_dict(params, strict=False)
        optimiser = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[kind](
            module.parameters(), lr=0.01, **settings
        )
        for batch in batches:
            optimiser.zero_grad()
            x, y = episode.support_x[task, batch], episode.support_y[task, batch]
            F.cross_entropy(module(x), y).backward()
            optimiser.step()
        phis.append({name: p.detach() for name, p in module.named_parameters()})
    for name, theta in learned(network, params).items():
        expected = theta - torch.stack([phi[name] for phi in phis]).mean(0)
        assert torch.allclose(step.gradients[name], expected, atol=1e-9), name


def test_an_outer_sgd_step_of_one_moves_to_the_mean_of_phi() -> None:
    """theta - 1 * (theta - mean phi) = mean phi: the published update with epsilon 1."""
    network, episode = tiny_conv(3), tiny_images()
    params = initial_params(network, torch.Generator().manual_seed(0))
    params = {name: value.double() for name, value in params.items()}
    algorithm = Reptile(ReptileConfig(inner_steps=2, inner_rate=0.01), network)
    step = algorithm.meta_step(params, episode, generator=torch.Generator().manual_seed(0))
    moved = {name: params[name] - gradient for name, gradient in step.gradients.items()}
    *_, last = algorithm.adapt(params, episode, steps=2)
    for name, value in moved.items():
        assert torch.allclose(value, last.params[name].mean(0), atol=1e-9)


def test_mini_batches_go_through_all_examples_before_repeating() -> None:
    batches = shuffled_batches(6, 2, 6, torch.Generator().manual_seed(0))
    first, second = torch.cat(batches[:3]), torch.cat(batches[3:])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(6))


def test_a_batch_larger_than_the_set_is_the_set() -> None:
    (batch,) = shuffled_batches(4, 10, 1, torch.Generator())
    assert batch.tolist() == [0, 1, 2, 3]
