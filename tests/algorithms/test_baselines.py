"""The rivals: labels that hold across tasks, a new head, and written-out head gradients."""

import pytest
import torch
from torch.nn import functional as F

from metacore.algorithms.baselines import Finetune, FinetuneConfig, Scratch, ScratchConfig
from metacore.algorithms.inner import head_error
from metacore.errors import UserError
from metacore.models.networks import initial_params
from tests.algorithms.tasks import tiny_conv, tiny_curves, tiny_images, tiny_mlp


def doubles(network: torch.nn.Module) -> dict[str, torch.Tensor]:
    params = initial_params(network, torch.Generator().manual_seed(0))
    return {name: value.double() for name, value in params.items()}


def test_finetune_learns_the_true_classes_of_all_examples_at_once() -> None:
    network, episode = tiny_conv(10), tiny_images()
    params = doubles(network)
    step = Finetune(FinetuneConfig(), network).meta_step(params, episode)

    network.load_state_dict(params, strict=False)
    images = torch.cat([episode.support_x, episode.query_x], 1).flatten(0, 1)
    labels = torch.cat(
        [
            episode.classes[task, label]
            for task in range(3)
            for label in (episode.support_y[task], episode.query_y[task])
        ]
    )
    F.cross_entropy(network.train()(images), labels).backward()
    for name, parameter in network.named_parameters():
        assert torch.allclose(step.gradients[name], parameter.grad, atol=1e-10), name


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_the_written_out_head_gradient_is_autograds(kind: str) -> None:
    torch.manual_seed(0)
    outputs = torch.randn(2, 6, 3, dtype=torch.float64, requires_grad=True)
    if kind == "regression":
        targets = torch.randn(2, 6, 3, dtype=torch.float64)
        loss = (outputs - targets).pow(2).mean((1, 2)).sum()
    else:
        targets = torch.randint(3, (2, 6))
        loss = sum(F.cross_entropy(outputs[task], targets[task]) for task in range(2))
    (expected,) = torch.autograd.grad(loss, outputs)
    assert torch.allclose(head_error(outputs.detach(), targets), expected)


def test_a_new_head_starts_without_an_opinion_and_fits_the_support_set() -> None:
    network, episode = tiny_conv(10), tiny_images()
    predictors = list(
        Finetune(FinetuneConfig(inner_rate=0.1), network).adapt(doubles(network), episode, steps=50)
    )
    assert predictors[0](episode.query_x).abs().max() == 0
    assert (predictors[-1].support_loss() < predictors[0].support_loss()).all()


def test_fitting_all_layers_moves_the_body_and_fitting_the_head_does_not() -> None:
    network, episode = tiny_conv(10), tiny_images()
    params = doubles(network)
    for layers, moves in (("head", False), ("all", True)):
        algorithm = Finetune(FinetuneConfig(layers=layers), network)
        *_, last = algorithm.adapt(params, episode, steps=2)
        moved = last.params["features.conv4.weight"] - params["features.conv4.weight"]
        assert bool(moved.abs().max() > 0) is moves


def test_regression_keeps_the_pretrained_head() -> None:
    network, episode = tiny_mlp(), tiny_curves()
    params = doubles(network)
    algorithm = Finetune(FinetuneConfig(layers="all"), network)
    first, *_ = algorithm.adapt(params, episode, steps=1)
    assert torch.equal(first.params["head.weight"][0], params["head.weight"])


def test_scratch_refuses_to_train() -> None:
    network = tiny_conv(3)
    with pytest.raises(UserError, match="no meta-training"):
        Scratch(ScratchConfig(), network).meta_step(doubles(network), tiny_images())
