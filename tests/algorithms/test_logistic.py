"""Logistic regression on a frozen network: the fit is the best there is, and scikit-learn's."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from metacore.algorithms.baselines import Finetune, FinetuneConfig
from metacore.algorithms.logistic import Logistic, LogisticConfig, fit
from metacore.models.networks import Params
from tests.algorithms.tasks import tiny_conv, tiny_images


def examples(tasks: int, ways: int, shots: int, width: int = 12) -> tuple[Tensor, Tensor]:
    """Directions that gather by class, [T, N*K, F], and their labels."""
    chance = torch.Generator().manual_seed(ways * shots)
    places = torch.randn(tasks, ways, 1, width, generator=chance, dtype=torch.float64)
    noise = torch.randn(tasks, ways, shots, width, generator=chance, dtype=torch.float64)
    labels = torch.arange(ways).repeat_interleave(shots).expand(tasks, -1)
    return F.normalize((places + noise).flatten(1, 2), dim=-1), labels


def objective(x: Tensor, y: Tensor, weight: Tensor, bias: Tensor, strength: float) -> Tensor:
    outputs = x @ weight.T + bias
    return weight.square().sum() / 2 + strength * F.cross_entropy(outputs, y, reduction="sum")


@pytest.mark.parametrize("strength", [0.1, 1.0, 10.0, 1000.0])
@pytest.mark.parametrize(("ways", "shots"), [(5, 1), (5, 5), (20, 2), (2, 3)])
def test_the_gradient_vanishes_where_it_ends(ways: int, shots: int, strength: float) -> None:
    """Autograd's gradient, so the formulas are checked as well; several tasks that differ."""
    x, y = examples(3, ways, shots)
    weight, bias = fit(x, y, ways, strength)
    for task in range(3):
        w, b = weight[task].requires_grad_(), bias[task].requires_grad_()
        there = torch.autograd.grad(objective(x[task], y[task], w, b, strength), [w, b])
        assert max(one.abs().max() for one in there) < 1e-8 * max(1.0, strength)


def test_every_small_change_of_the_fit_makes_it_worse() -> None:
    x, y = examples(1, 5, 2)
    weight, bias = fit(x, y, 5, 10.0)
    least = objective(x[0], y[0], weight[0], bias[0], 10.0)
    torch.manual_seed(0)
    for _ in range(20):
        other = weight[0] + 1e-3 * torch.randn_like(weight[0])
        offset = bias[0] + 1e-3 * torch.randn_like(bias[0])
        assert objective(x[0], y[0], other, offset, 10.0) > least


@pytest.mark.parametrize("strength", [0.1, 1.0, 10.0, 100.0])
@pytest.mark.parametrize(("ways", "shots"), [(5, 1), (5, 5), (20, 2)])
def test_it_is_scikit_learns_fit(ways: int, shots: int, strength: float) -> None:
    """The program with which the method was published, with the same C."""
    linear_model = pytest.importorskip("sklearn.linear_model", reason="needs scikit-learn")
    x, y = examples(2, ways, shots)
    weight, bias = fit(x, y, ways, strength)
    for task in range(2):
        theirs = linear_model.LogisticRegression(C=strength, tol=1e-10, max_iter=20_000)
        theirs.fit(x[task].numpy(), y[task].numpy())
        assert torch.allclose(weight[task], torch.tensor(theirs.coef_), atol=1e-5 * (1 + strength))
        query = examples(1, ways, 3)[0][0]
        ours = (query @ weight[task].T + bias[task]).softmax(-1)
        assert torch.allclose(ours, torch.tensor(theirs.predict_proba(query.numpy())), atol=1e-6)


def test_each_task_is_fitted_as_if_it_were_alone_and_in_any_order() -> None:
    x, y = examples(4, 5, 3)
    together = fit(x, y, 5, 10.0)
    order = torch.randperm(15, generator=torch.Generator().manual_seed(0))
    for task in range(4):
        alone = fit(x[task : task + 1, order], y[task : task + 1, order], 5, 10.0)
        assert torch.allclose(alone[0][0], together[0][task], atol=1e-7)
        assert torch.allclose(alone[1][0], together[1][task], atol=1e-7)


def test_examples_that_are_all_alike_are_answered_evenly() -> None:
    x = torch.ones(1, 4, 3)
    weight, bias = fit(x, torch.arange(4)[None], 4, 100.0)
    assert weight.abs().max() < 1e-6
    assert bias.abs().max() < 1e-6


def made(network: torch.nn.Module, **settings: object) -> tuple[Logistic, Params]:
    algorithm = Logistic(LogisticConfig(**settings), network)
    params = algorithm.init(torch.Generator().manual_seed(0))
    return algorithm, {name: value.double() for name, value in params.items()}


def test_told_from_all_classes_it_trains_as_fine_tuning_does() -> None:
    network, episode = tiny_conv(10), tiny_images()
    algorithm, params = made(network, against="all", scale=0.0)
    step = algorithm.meta_step(params, episode)
    expected = Finetune(FinetuneConfig(), network).meta_step(params, episode)
    assert step.gradients.keys() == expected.gradients.keys()
    for name, value in expected.gradients.items():
        assert torch.equal(step.gradients[name], value), name


def test_cosines_told_from_their_batch_compete_with_the_classes_of_their_task() -> None:
    network, episode = tiny_conv(10), tiny_images()
    algorithm, params = made(network, scale=7.0)
    step = algorithm.meta_step(params, episode)

    network.load_state_dict(params, strict=False)
    images = torch.cat([episode.support_x, episode.query_x], 1)
    features = network.train().features(images.flatten(0, 1))
    cosines = F.cosine_similarity(features[:, None], network.head.weight[None], dim=-1)
    outputs = (7 * cosines + network.head.bias).unflatten(0, (3, -1))
    losses = [
        F.cross_entropy(
            outputs[task][:, episode.classes[task]],
            torch.cat([episode.support_y[task], episode.query_y[task]]),
        )
        for task in range(3)
    ]
    torch.stack(losses).mean().backward()
    for name, parameter in network.named_parameters():
        assert torch.allclose(step.gradients[name], parameter.grad, atol=1e-10), name
    assert torch.allclose(step.metrics["loss"], torch.stack(losses).mean())


@pytest.mark.parametrize("normalise", [True, False])
def test_it_answers_by_what_it_says(normalise: bool) -> None:
    network, episode = tiny_conv(10), tiny_images()
    algorithm, params = made(network, normalise=normalise)
    (predictor,) = algorithm.adapt(params, episode)

    network.load_state_dict(params, strict=False)
    network.eval()

    def placed(x: Tensor) -> Tensor:
        features = torch.stack([network.features(one) for one in x])
        return F.normalize(features, dim=-1) if normalise else features

    support, query = placed(episode.support_x), placed(episode.query_x)
    weight, bias = fit(support, episode.support_y, 3, 10.0)
    expected = query @ weight.mT + bias[:, None]
    found = predictor.explain(episode.query_x)
    assert torch.allclose(found.logits, expected)
    assert torch.allclose(predictor(episode.query_x), expected)
    assert torch.allclose(found.support, support)
    assert torch.allclose(found.query, query)
    assert torch.allclose(predictor.features(episode.query_x), query)
    losses = torch.stack(
        [
            F.cross_entropy(s @ w.T + b, y)
            for s, w, b, y in zip(support, weight, bias, episode.support_y, strict=True)
        ]
    )
    assert torch.allclose(predictor.support_loss(), losses)
    assert set(predictor.kept) == {"head.weight", "head.bias"}
    assert torch.equal(predictor.params["head.weight"], predictor.kept["head.weight"])


def test_the_head_of_the_training_classes_is_not_needed_at_test() -> None:
    episode = tiny_images()
    algorithm, params = made(tiny_conv(10))
    shipped = algorithm.needed_at_test(params)
    assert shipped["head.weight"].shape[0] == 1
    (whole,), (less,) = (
        algorithm.adapt(params, episode),
        made(tiny_conv(1))[0].adapt(shipped, episode),
    )
    assert torch.equal(whole(episode.query_x), less(episode.query_x))
