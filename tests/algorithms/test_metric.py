"""Prototypical and Matching Networks against numbers worked out by hand."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from metacore.algorithms.matching import Matching, MatchingConfig, vote
from metacore.algorithms.metric import Embedding
from metacore.algorithms.protonet import (
    COSINE_SCALE,
    ProtoNet,
    ProtoNetConfig,
    prototypes,
    squared_distances,
)
from metacore.episode import Episode
from metacore.models.networks import Network, initial_params
from tests.algorithms.tasks import tiny_conv, tiny_images


def test_prototypes_are_class_means_whatever_the_order_and_number_of_examples() -> None:
    support = torch.tensor([[[0.0, 0.0], [4.0, 2.0], [2.0, 0.0]]])
    labels = torch.tensor([[0, 1, 0]])
    assert prototypes(support, labels, 2).tolist() == [[[1.0, 0.0], [4.0, 2.0]]]


def test_squared_distances_are_what_they_say() -> None:
    a, b = torch.tensor([[[0.0, 0.0], [1.0, 1.0]]]), torch.tensor([[[3.0, 4.0]]])
    assert squared_distances(a, b).tolist() == [[[25.0], [13.0]]]


def identity_network() -> Network:
    """Features are the two input numbers themselves."""
    return Network(nn.Sequential(nn.Flatten()), 2, 0)


def test_protonet_gives_the_softmax_of_negative_squared_distances() -> None:
    support = torch.tensor([[[0.0, 0.0], [2.0, 0.0]]])
    (predictor,) = ProtoNet(ProtoNetConfig(), identity_network()).adapt(
        {"unused": torch.zeros(1)}, Episode.of_support(support, torch.tensor([[0, 1]]), 2)
    )
    logits = predictor(torch.tensor([[[0.5, 0.0]]]))
    assert logits.softmax(-1)[0, 0, 0].item() == pytest.approx(1 / (1 + torch.e ** (0.25 - 2.25)))


def test_cosine_protonet_ignores_length() -> None:
    algorithm = ProtoNet(ProtoNetConfig(distance="cosine"), identity_network())
    support, labels = torch.tensor([[[0.1, 0.0], [0.0, 9.0]]]), torch.tensor([[0, 1]])
    found = algorithm.explain({}, support, labels, torch.tensor([[[5.0, 0.0]]]), 2)
    assert found.logits.tolist() == [[[COSINE_SCALE, 0.0]]]
    assert found.distances.tolist() == [[[0.0, 1.0]]]


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_no_distance_that_is_shown_is_negative_by_rounding(distance: str) -> None:
    algorithm = ProtoNet(ProtoNetConfig(distance=distance), identity_network())
    same = torch.rand(1, 200, 2, generator=torch.Generator().manual_seed(0)) + 5
    found = algorithm.explain({}, same, torch.arange(200)[None], same, 200)
    assert found.distances is not None
    assert (found.logits > (0 if distance == "euclidean" else COSINE_SCALE)).any(), "by rounding"
    assert (found.distances >= 0).all()


def test_matching_attention_sums_to_one_and_votes() -> None:
    algorithm = Matching(MatchingConfig(scale=1.0), identity_network())
    support = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [0.0, 2.0]]])
    attention = algorithm.attention(torch.tensor([[[3.0, 0.0]]]), support)
    weights = torch.tensor([1.0, 0.0, 0.0]).softmax(-1)
    assert torch.allclose(attention[0, 0], weights)
    probabilities = vote(attention, torch.tensor([[0, 1, 1]]), 2).exp()[0, 0]
    assert torch.allclose(probabilities, torch.stack([weights[0], weights[1] + weights[2]]))


@pytest.mark.parametrize("kind", [ProtoNet, Matching])
@pytest.mark.parametrize("tasks", [1, 2])
def test_the_gradient_and_running_statistics_are_those_of_a_plain_module(
    kind: type, tasks: int
) -> None:
    network, episode = tiny_conv(0), tiny_images(tasks=tasks)
    params = initial_params(network, torch.Generator().manual_seed(0))
    params = {name: value.double() for name, value in params.items()}
    algorithm = kind(kind.Config(), network)
    step = algorithm.meta_step(params, episode)

    network.load_state_dict(params, strict=False)
    network.train()
    loss = torch.zeros((), dtype=torch.float64)
    for task in range(tasks):
        features = network(torch.cat([episode.support_x[task], episode.query_x[task]]))
        support, query = features.split([6, 6])
        logits = plain_logits(kind, algorithm, support, query)
        loss = loss + F.cross_entropy(logits, episode.query_y[task]) / tasks
    loss.backward()
    for name, parameter in network.named_parameters():
        assert torch.allclose(step.gradients[name], parameter.grad, atol=1e-10), name
    if tasks == 1:  # with one task our average over tasks is the module's own update
        batch = network.get_buffer("features.norm1.running_mean")
        assert torch.allclose(step.running["features.norm1.running_mean"], batch)


def plain_logits(
    kind: type, algorithm: ProtoNet | Matching, support: torch.Tensor, query: torch.Tensor
) -> torch.Tensor:
    if kind is ProtoNet:
        centres = support.view(3, 2, -1).mean(1)
        return -torch.cdist(query, centres).pow(2)
    similarity = F.cosine_similarity(query[:, None], support[None], dim=-1)
    weights = (algorithm.config.scale * similarity).softmax(-1)
    return torch.stack([weights[:, [2 * n, 2 * n + 1]].sum(1) for n in range(3)], 1).log()


@pytest.mark.parametrize("norm", ["running", "transductive", "support+query", "support"])
def test_every_norm_mode_gives_one_embedding_per_picture(norm: str) -> None:
    network, episode = tiny_conv(0), tiny_images()
    params = initial_params(network, torch.Generator().manual_seed(0))
    params = {name: value.double() for name, value in params.items()}
    algorithm = ProtoNet(ProtoNetConfig(), network)
    embedding = Embedding(algorithm.network, params, episode.support_x, norm)
    support, query = embedding.both(episode.query_x)
    assert support.shape[:2] == (3, 6)
    assert query.shape[:2] == (3, 6)
    assert algorithm.parts.learned(params).keys() < params.keys()
