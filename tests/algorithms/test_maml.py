"""MAML's meta-gradient against an independent hand-written loop and finite differences (float64).

The loop knows nothing of stacking: one deep copy of a plain module per task, `functional_call`,
PyTorch's own second derivatives.
"""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from metacore.algorithms import ALGORITHMS
from metacore.algorithms.base import Algorithm
from metacore.episode import Episode
from metacore.models.networks import Network, Params, initial_params
from tests.algorithms.tasks import learned, tiny_conv, tiny_curves, tiny_images, tiny_mlp

ALPHA = 0.3
GENTLE_ALPHA = 0.02  # keeps a perturbed inner loop on the same side of every ReLU


def loss_of(outputs: Tensor, targets: Tensor) -> Tensor:
    if targets.is_floating_point():
        return F.mse_loss(outputs, targets)
    return F.cross_entropy(outputs, targets)


def looped_meta_loss(
    network: nn.Module,
    params: Params,
    episode: Episode,
    steps: int,
    *,
    head_only: bool = False,
    alpha: float = ALPHA,
) -> Tensor:
    """The mean query loss after `steps` gradient steps, task by task; the graph is kept."""
    total = torch.zeros((), dtype=torch.float64)
    for task in range(episode.tasks):
        module = copy.deepcopy(network).train()
        phi = dict(params)
        for _ in range(steps):
            outputs = functional_call(module, phi, (episode.support_x[task],))
            names = [n for n in phi if not head_only or n.startswith("head")]
            gradients = torch.autograd.grad(
                loss_of(outputs, episode.support_y[task]),
                [phi[name] for name in names],
                create_graph=True,
            )
            stepped = zip(names, gradients, strict=True)
            phi = {**phi, **{name: phi[name] - alpha * g for name, g in stepped}}
        outputs = functional_call(module, phi, (episode.query_x[task],))
        total = total + loss_of(outputs, episode.query_y[task])
    return total / episode.tasks


def looped_meta_gradient(
    network: nn.Module, params: Params, episode: Episode, steps: int, *, head_only: bool = False
) -> Params:
    theta = {name: value.clone().requires_grad_() for name, value in params.items()}
    loss = looped_meta_loss(network, theta, episode, steps, head_only=head_only)
    return dict(zip(theta, torch.autograd.grad(loss, list(theta.values())), strict=True))


def case(kind: str) -> tuple[Network, Episode, Params]:
    network = tiny_mlp() if kind == "curve" else tiny_conv(3, kind)
    episode = tiny_curves() if kind == "curve" else tiny_images()
    params = initial_params(network, torch.Generator().manual_seed(0))
    return network, episode, {name: value.double() for name, value in params.items()}


def algorithm(name: str, network: Network, steps: int, alpha: float = ALPHA) -> Algorithm:
    kind = ALGORITHMS[name]
    return kind(kind.Config(inner_rate=alpha, inner_steps=steps), network)


KINDS = pytest.mark.parametrize("kind", ["batch", "layer", "none", "curve"])
STEPS = pytest.mark.parametrize("steps", [1, 5])


@KINDS
@STEPS
@pytest.mark.parametrize("name", ["maml", "anil"])
def test_the_meta_gradient_equals_a_hand_written_loop(name: str, kind: str, steps: int) -> None:
    network, episode, params = case(kind)
    found = algorithm(name, network, steps).meta_step(params, episode).gradients
    expected = looped_meta_gradient(
        network, learned(network, params), episode, steps, head_only=name == "anil"
    )
    for parameter, gradient in expected.items():
        assert torch.allclose(found[parameter], gradient, atol=1e-9), parameter


@KINDS
@STEPS
def test_the_meta_gradient_equals_a_finite_difference(kind: str, steps: int) -> None:
    """Along a random direction of length 1."""
    network, episode, params = case(kind)
    theta = learned(network, params)
    maml = algorithm("maml", network, steps, GENTLE_ALPHA)
    gradient = maml.meta_step(params, episode).gradients
    torch.manual_seed(2)
    direction = {name: torch.randn_like(value) for name, value in theta.items()}
    length = torch.cat([value.flatten() for value in direction.values()]).norm()
    direction = {name: value / length for name, value in direction.items()}

    def loss_at(distance: float) -> Tensor:
        moved = {name: value + distance * direction[name] for name, value in theta.items()}
        leaves = {name: value.requires_grad_() for name, value in moved.items()}
        loss = looped_meta_loss(network, leaves, episode, steps, alpha=GENTLE_ALPHA)
        return loss.detach()

    h = 1e-5
    expected = (loss_at(h) - loss_at(-h)) / (2 * h)
    found = sum((gradient[name] * direction[name]).sum() for name in theta)
    assert found == pytest.approx(expected.item(), rel=1e-6, abs=1e-8)


@KINDS
def test_first_order_maml_differs_and_is_the_gradient_at_phi(kind: str) -> None:
    network, episode, params = case(kind)
    second = algorithm("maml", network, 2).meta_step(params, episode).gradients
    first = algorithm("fomaml", network, 2).meta_step(params, episode).gradients
    assert any(not torch.allclose(first[name], second[name], rtol=1e-2) for name in first)

    expected = {name: torch.zeros_like(value) for name, value in learned(network, params).items()}
    for task in range(episode.tasks):
        module = copy.deepcopy(network).train()
        module.load_state_dict(params, strict=False)
        optimiser = torch.optim.SGD(module.parameters(), ALPHA)
        for _ in range(2):
            optimiser.zero_grad()
            loss_of(module(episode.support_x[task]), episode.support_y[task]).backward()
            optimiser.step()
        optimiser.zero_grad()
        loss_of(module(episode.query_x[task]), episode.query_y[task]).backward()
        for name, parameter in module.named_parameters():
            expected[name] += parameter.grad / episode.tasks
    for name, gradient in expected.items():
        assert torch.allclose(first[name], gradient, atol=1e-10), name


@pytest.mark.parametrize("name", ["maml", "fomaml", "anil"])
def test_splitting_the_tasks_to_save_memory_changes_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    network, episode, params = case("batch")
    whole = algorithm(name, network, 2).meta_step(params, episode)
    module = "metacore.algorithms.anil" if name == "anil" else "metacore.algorithms.maml"
    monkeypatch.setattr(f"{module}.inputs_at_once", lambda x: 1)
    pieces = algorithm(name, network, 2).meta_step(params, episode)
    assert pieces.metrics["loss"] == pytest.approx(whole.metrics["loss"].item())
    for parameter, gradient in whole.gradients.items():
        assert torch.allclose(pieces.gradients[parameter], gradient, atol=1e-12)


@pytest.mark.parametrize("name", ["maml", "anil", "reptile", "scratch"])
def test_adapting_to_other_ways_starts_all_classes_alike(name: str) -> None:
    network, _, params = case("batch")
    kind = ALGORITHMS[name]
    episode = tiny_images(ways=7)
    predictors = list(kind(kind.Config(), network).adapt(params, episode, steps=2))
    before, after = predictors[0](episode.query_x), predictors[-1](episode.query_x)
    assert before.shape == (3, 14, 7)
    assert torch.allclose(before, before[..., :1].expand_as(before))
    assert not torch.allclose(after, after[..., :1].expand_as(after))


def test_adapting_follows_the_inner_loop_of_training() -> None:
    network, episode, params = case("none")
    predictors = algorithm("maml", network, 1).adapt(params, episode, steps=2)
    losses = torch.stack([predictor.support_loss() for predictor in predictors])
    assert losses.shape == (3, 3)
    assert (losses[1:] < losses[:-1]).all()
