"""Every network, run for many tasks at once the fast way: values, statistics, second derivatives.

All against one ordinary module per task and plain autograd, in float64.
"""

from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from metacore.errors import UserError
from metacore.models import MODELS
from metacore.models.networks import Network, Params
from metacore.models.normalisation import NORM_MODES, query_features
from metacore.models.proof import prove, uses_batch_statistics
from metacore.models.residual import Residual, ResNet12
from metacore.models.stacked import Stacked, stack
from tests.models.reference import (
    alone,
    different_params,
    loss_after_one_step,
    module_of,
    normalised_by,
)

TASKS, SHOTS, QUERIES, WAYS = 2, 5, 4, 3
EXACT = {"rtol": 0.0, "atol": 1e-9}
PICTURES = [name for name, config in MODELS.items() if not config.regression]
NORMALISED = [name for name in PICTURES if uses_batch_statistics(MODELS[name](), (1, 28, 28))]


def built(name: str, side: int = 28) -> Network:
    config = MODELS[name]
    smallest = {"width": 4, "input_size": 32}
    small = config(**{k: v for k, v in smallest.items() if k in config.__dataclass_fields__})
    torch.manual_seed(0)
    return small.build((1, side, side), WAYS).double()


def pictures(count: int, side: int = 28) -> Tensor:
    return torch.rand(TASKS, count, 1, side, side, dtype=torch.float64)


@pytest.mark.parametrize("name", MODELS)
def test_every_network_runs_the_fast_way(name: str) -> None:
    config = MODELS[name]()
    assert Stacked(config.build((1,) if config.regression else (1, 28, 28), 2)).fast


@pytest.mark.parametrize("side", [16, 28, 31, 84])
@pytest.mark.parametrize("name", PICTURES)
def test_pictures_of_any_size_are_taken(name: str, side: int) -> None:
    network = built(name, side)
    params, x = different_params(network, TASKS), pictures(2, side)
    outputs = Stacked(network)(params, x)
    assert outputs.shape == (TASKS, 2, WAYS)
    assert torch.allclose(outputs[1], alone(network, params, 1, x[1]), **EXACT)


@pytest.mark.parametrize("mode", NORM_MODES)
@pytest.mark.parametrize("name", NORMALISED)
def test_every_mode_normalises_as_a_plain_module_would(name: str, mode: str) -> None:
    network = built(name)
    params, support, query = different_params(network, TASKS), pictures(SHOTS), pictures(QUERIES)
    stacked = Stacked(network)
    found = query_features(stacked, params, support, query, mode)
    for task in range(TASKS):
        module, s, q = module_of(network, params, task), support[task], query[task]
        if mode == "transductive":
            expected = module.train().features(q)
        elif mode == "running":
            expected = module.eval().features(q)
        elif mode == "support":
            expected = normalised_by(module, s).features(q)
        else:
            batches = [torch.cat([s, one[None]]) for one in q]
            expected = torch.stack([module.train().features(batch)[-1] for batch in batches])
        assert torch.allclose(found[task], expected, **EXACT)


@pytest.mark.parametrize("tasks", [1, TASKS], ids=["channels last", "grouped"])
@pytest.mark.parametrize("name", PICTURES)
def test_the_meta_gradient_is_plain_autograds(name: str, tasks: int) -> None:
    """Through one inner step, so that every layer's second derivative takes part."""
    network = built(name)
    support, query = pictures(SHOTS)[:tasks], pictures(QUERIES)[:tasks]
    targets = torch.rand(2, TASKS, 1, WAYS, dtype=torch.float64)[:, :tasks]
    theta = {n: p.detach().clone().requires_grad_() for n, p in network.named_parameters()}

    losses = [
        loss_after_one_step(network, theta, (support[t], targets[0, t]), (query[t], targets[1, t]))
        for t in range(tasks)
    ]
    expected = torch.autograd.grad(torch.stack(losses).sum(), list(theta.values()))

    found = meta_gradient(Stacked(network), theta, (support, targets[0]), (query, targets[1]))
    for parameter, one, other in zip(theta, found, expected, strict=True):
        assert torch.allclose(one, other, **EXACT), parameter
    assert max(one.abs().max() for one in found) > 1e-3


def meta_gradient(
    network: Stacked, theta: Params, support: tuple[Tensor, Tensor], query: tuple[Tensor, Tensor]
) -> tuple[Tensor, ...]:
    def loss(phi: Params, part: tuple[Tensor, Tensor]) -> Tensor:
        return (network(phi, part[0]) - part[1]).square().mean((1, 2)).sum()

    phi = stack(theta, len(support[0]))
    first = torch.autograd.grad(loss(phi, support), list(phi.values()), create_graph=True)
    phi = {n: v - 0.1 * g for (n, v), g in zip(phi.items(), first, strict=True)}
    return torch.autograd.grad(loss(phi, query), list(theta.values()))


@pytest.mark.parametrize("name", ["conv4-pool", "conv6", "lenet", "resnet12"])
def test_pictures_that_are_too_small_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=r"at least 16 x 16 pixels.*these are 20 x 15"):
        prove(MODELS[name](), (3, 15, 20))


def test_the_fields_networks_have_their_well_known_sizes() -> None:
    assert ResNet12(width=64).parameter_count((3, 84, 84), 0) == 12_424_320  # Lee et al. 2019
    conv6 = MODELS["conv6"]()
    own = 3 * 64 * 9 + 5 * 64 * 64 * 9 + 6 * 2 * 64  # no biases: normalisation has them
    assert conv6.parameter_count((3, 84, 84), 0) == own
    assert conv6.build((3, 84, 84), 0).features(torch.rand(2, 3, 84, 84)).shape == (2, 1600)
    courses = 10 * 25 + 20 + 20 * 10 * 25 + 40 + 320 * 50 + 50 + 50 * 5 + 5
    assert MODELS["lenet"]().parameter_count((1, 28, 28), 5) == courses


def test_a_block_that_begins_with_an_activation_leaves_its_shortcut_alone() -> None:
    path = nn.Sequential(nn.ReLU(), nn.Conv2d(2, 2, 3, padding=1, bias=False))
    layers = [nn.Conv2d(1, 2, 3), Residual(path, nn.Sequential()), nn.LeakyReLU(0.1), nn.Flatten()]
    check(nn.Sequential(*layers))


def test_layers_may_be_nested_and_one_activation_used_twice() -> None:
    relu = nn.ReLU()
    inner = nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 2, 3), norm=nn.BatchNorm2d(2), relu=relu))
    body = nn.Sequential(inner, nn.MaxPool2d(2), nn.Conv2d(2, 2, 3), relu, nn.Flatten())
    assert check(body).norms == ["features.0.norm"]


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(2, 2, 3, groups=2),
        nn.Conv2d(2, 2, 3, dilation=2),
        nn.Conv2d(2, 2, 3, padding="same"),
        nn.Conv2d(2, 2, 3, padding=1, padding_mode="reflect"),
        nn.MaxPool2d(3, ceil_mode=True),
        nn.MaxPool2d(3, dilation=2),
        nn.GroupNorm(1, 2, affine=False),
    ],
    ids=str,
)
def test_unusual_options_take_the_other_way(layer: nn.Module) -> None:
    assert not check(nn.Sequential(nn.Conv2d(1, 2, 3), layer, nn.Flatten())).fast


def test_one_convolution_used_twice_takes_the_other_way() -> None:
    twice = nn.Conv2d(1, 1, 3, padding=1)
    assert not check(nn.Sequential(twice, nn.ReLU(), twice, nn.Flatten())).fast


def check(body: nn.Sequential) -> Stacked:
    """Outputs and first gradients of two tasks are those of plain modules."""
    network = Network(body, 1, 0).double()
    params, x = different_params(network, TASKS), pictures(3, 8)
    modules = [module_of(network, params, task).train() for task in range(TASKS)]
    stacked = Stacked(network)
    learned = {n: params[n].requires_grad_() for n in stacked.learned}
    outputs = stacked(params, x)
    gradients = torch.autograd.grad(outputs.square().sum(), list(learned.values()))
    for task, module in enumerate(modules):
        module(x[task]).square().sum().backward()
        assert torch.allclose(outputs[task], module(x[task]), **EXACT)
        for (name, parameter), gradient in zip(module.named_parameters(), gradients, strict=True):
            assert torch.allclose(gradient[task], parameter.grad, rtol=1e-9), name
    return stacked
