"""Meta-SGD's gradients, of weights and rates, against a hand-written loop and finite differences.

The loop knows nothing of stacking: one plain module per task, PyTorch's own second derivatives.
"""

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from metacore.algorithms.maml import MAML, MAMLConfig
from metacore.algorithms.metasgd import MetaSGD, MetaSGDConfig, rate_of
from metacore.episode import Episode
from metacore.models.networks import Params
from tests.algorithms.tasks import tiny_images
from tests.algorithms.test_maml import KINDS, STEPS, case, loss_of


def looped_loss(network: nn.Module, learned: Params, episode: Episode, steps: int) -> Tensor:
    """The mean query loss after inner steps of learned rates, task by task."""
    names = [name for name, _ in network.named_parameters()]
    total = torch.zeros((), dtype=torch.float64)
    for task in range(episode.tasks):
        phi = {name: learned[name] for name in names}
        for _ in range(steps):
            outputs = functional_call(network, phi, (episode.support_x[task],))
            loss = loss_of(outputs, episode.support_y[task])
            gradients = torch.autograd.grad(loss, list(phi.values()), create_graph=True)
            phi = {
                name: phi[name] - learned[rate_of(name)] * gradient
                for name, gradient in zip(names, gradients, strict=True)
            }
        outputs = functional_call(network, phi, (episode.query_x[task],))
        total = total + loss_of(outputs, episode.query_y[task])
    return total / episode.tasks


def with_rates(kind: str, steps: int, alpha: float) -> tuple[MetaSGD, Episode, Params]:
    """Rates that differ from number to number, some of them negative."""
    network, episode, params = case(kind)
    algorithm = MetaSGD(MetaSGDConfig(inner_rate=alpha, inner_steps=steps), network)
    torch.manual_seed(3)
    for name in algorithm.parts.adapted:
        params[rate_of(name)] = alpha * torch.randn_like(params[name])
    return algorithm, episode, params


@KINDS
@STEPS
def test_both_gradients_equal_a_hand_written_loop(kind: str, steps: int) -> None:
    algorithm, episode, params = with_rates(kind, steps, 0.1)
    found = algorithm.meta_step(params, episode).gradients
    learned = {name: params[name].clone().requires_grad_() for name in found}
    network = algorithm.network.network.train()
    loss = looped_loss(network, learned, episode, steps)
    expected = torch.autograd.grad(loss, list(learned.values()))
    for name, gradient in zip(learned, expected, strict=True):
        assert torch.allclose(found[name], gradient, atol=1e-9), name
    assert any(found[rate_of(name)].abs().max() > 1e-4 for name in algorithm.parts.adapted)


@KINDS
def test_both_gradients_equal_a_finite_difference(kind: str) -> None:
    algorithm, episode, params = with_rates(kind, 2, 0.02)
    gradients = algorithm.meta_step(params, episode).gradients
    torch.manual_seed(4)
    direction = {name: torch.randn_like(value) for name, value in gradients.items()}
    length = torch.cat([value.flatten() for value in direction.values()]).norm()

    def loss_at(distance: float) -> Tensor:
        moved = {n: params[n] + distance * direction[n] / length for n in gradients}
        leaves = {name: value.requires_grad_() for name, value in moved.items()}
        return looped_loss(algorithm.network.network.train(), leaves, episode, 2).detach()

    h = 1e-5
    expected = (loss_at(h) - loss_at(-h)) / (2 * h)
    found = sum((gradients[name] * direction[name]).sum() / length for name in gradients)
    assert found == pytest.approx(expected.item(), rel=1e-5, abs=1e-8)


def test_with_equal_rates_it_takes_mamls_steps() -> None:
    network, episode, params = case("batch")
    config = {"inner_rate": 0.2, "inner_steps": 2}
    maml, metasgd = MAML(MAMLConfig(**config), network), MetaSGD(MetaSGDConfig(**config), network)
    rates = {rate_of(n): torch.full_like(params[n], 0.2) for n in metasgd.parts.adapted}
    theirs = maml.meta_step(params, episode).gradients
    ours = metasgd.meta_step(params | rates, episode).gradients
    assert all(torch.allclose(ours[name], value, atol=1e-12) for name, value in theirs.items())


def test_it_adapts_to_another_number_of_ways() -> None:
    algorithm, _, params = with_rates("batch", 1, 0.1)
    episode = tiny_images(ways=4)
    *_, last = algorithm.adapt(params, episode, steps=2)
    assert last(episode.query_x).shape == (3, 8, 4)


def test_its_rates_are_shown_by_layer_and_start_alike() -> None:
    network, _, _ = case("none")
    algorithm = MetaSGD(MetaSGDConfig(inner_rate=0.3), network)
    shown = algorithm.learned_by_layer(algorithm.init(torch.Generator().manual_seed(0)))
    assert list(shown.values) == ["conv1", "conv2", "conv3", "conv4", "head"]
    assert all(bool((values == 0.3).all()) for values in shown.values.values())
