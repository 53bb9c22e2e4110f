"""The reader: its gradient, and that it is a function of sets: no order, no company, any ways."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from metacore.algorithms.reader import Reader, ReaderConfig
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.models.networks import Conv4, Params, SineMlp
from tests.algorithms.tasks import tiny_curves, tiny_images

CONFIG = ReaderConfig(layers=2, heads=2, head_width=4, most_ways=5, deep=0.5)
KINDS = pytest.mark.parametrize("kind", ["images", "images, layer norm", "curves"])


def case(kind: str) -> tuple[Reader, Episode, Params]:
    curves = kind == "curves"
    if curves:
        network = SineMlp(width=6).build((1,), 0)
    else:
        network = Conv4(width=4, norm="layer" if "layer" in kind else "batch").build((1, 8, 8), 0)
    algorithm = Reader(CONFIG, network.double(), regression=curves)
    algorithm.module.double()
    params = algorithm.init(torch.Generator().manual_seed(0))
    return (
        algorithm,
        tiny_curves() if curves else tiny_images(),
        {name: value.double() for name, value in params.items()},
    )


def seed(number: int = 4) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def wanted(algorithm: Reader, params: Params, episode: Episode) -> Tensor:
    """What a meta-step descends, written down once more, example by example."""
    joint = torch.cat([episode.support_x, episode.query_x], 1)
    network, record = algorithm.network, []
    theta = {name: value[None] for name, value in params.items()}
    features = network.features(theta, joint.flatten(0, 1)[None], record=record)[0]
    features = features.unflatten(0, joint.shape[:2])
    shown = episode.support_x.shape[1]
    slots = algorithm.drawn_slots(episode, seed())
    layers = algorithm.read(
        params, features[:, :shown], episode.support_y, features[:, shown:], slots
    )
    losses = []
    for layer in layers[1:]:
        parts = []
        for task in range(episode.tasks):
            for query in range(episode.query_y.shape[1]):
                out, y = layer.outputs[task, query], episode.query_y[task, query]
                if layer.spread is None:
                    parts.append(-out.log_softmax(-1)[y])
                else:
                    normal = torch.distributions.Normal(out, layer.spread[task, query])
                    parts.append(
                        -normal.log_prob(y).sum() - 0.5 * torch.log(torch.tensor(2 * torch.pi))
                    )
        losses.append(torch.stack(parts).mean())
    return losses[-1] + CONFIG.deep * losses[0]


@KINDS
def test_the_gradient_equals_finite_differences(kind: str) -> None:
    algorithm, episode, params = case(kind)
    found = algorithm.meta_step(params, episode, generator=seed()).gradients
    assert set(found) == set(algorithm.parts.learned(params))
    torch.manual_seed(7)
    for _ in range(4):
        direction = {name: torch.randn_like(value) for name, value in found.items()}
        ahead, behind = (
            wanted(
                algorithm,
                {
                    n: v + sign * 1e-6 * direction[n] if n in direction else v
                    for n, v in params.items()
                },
                episode,
            )
            for sign in (1, -1)
        )
        slope = sum((found[name] * direction[name]).sum() for name in found)
        assert ((ahead - behind) / 2e-6).item() == pytest.approx(slope.item(), rel=1e-5)


@KINDS
def test_a_query_alone_is_answered_as_in_company(kind: str) -> None:
    algorithm, episode, params = case(kind)
    for together in answers(algorithm, params, episode):
        for query in range(episode.query_x.shape[1]):
            alone = together(episode.query_x[:, query : query + 1])
            assert torch.allclose(alone[:, 0], together(episode.query_x)[:, query], atol=1e-5)


@KINDS
def test_the_order_of_the_support_set_does_not_matter(kind: str) -> None:
    algorithm, episode, params = case(kind)
    order = torch.randperm(episode.support_x.shape[1], generator=seed())
    turned = Episode(
        episode.support_x[:, order],
        episode.support_y[:, order],
        episode.query_x,
        episode.query_y,
        episode.ways,
    )
    both = zip(answers(algorithm, params, episode), answers(algorithm, params, turned), strict=True)
    for one, other in both:
        assert torch.allclose(one(episode.query_x), other(episode.query_x), atol=1e-9)


@KINDS
def test_the_support_set_matters_from_the_first_layer_on(kind: str) -> None:
    algorithm, episode, params = case(kind)
    other = Episode(
        episode.support_x,
        episode.support_y.flip(1),
        episode.query_x,
        episode.query_y,
        episode.ways,
    )
    both = zip(answers(algorithm, params, episode), answers(algorithm, params, other), strict=True)
    same = [torch.allclose(one(episode.query_x), two(episode.query_x)) for one, two in both]
    assert same == [True, False, False]


@KINDS
def test_attention_is_a_share_of_what_a_query_looks_at(kind: str) -> None:
    algorithm, episode, params = case(kind)
    before, *after = answers(algorithm, params, episode)
    assert before.explain(episode.query_x).heads is None
    for number, predictor in enumerate(after, 1):
        heads = predictor.explain(episode.query_x).heads
        tasks, shown = episode.support_x.shape[:2]
        assert heads.shape == (tasks, number, 2, episode.query_x.shape[1], shown)
        total = heads.sum(-1)  # the rest of its attention is on itself
        assert (heads >= 0).all()
        assert (total < 1).all()


def test_any_ways_up_to_the_largest_with_one_set_of_weights() -> None:
    algorithm, _, params = case("images")
    for ways in (2, 4, 5):
        episode = tiny_images(ways=ways)
        *_, last = answers(algorithm, params, episode)
        assert last(episode.query_x).shape == (3, 2 * ways, ways)
    with pytest.raises(UserError, match="at most 5 classes, and 6 were asked for"):
        list(answers(algorithm, params, tiny_images(ways=6)))
    with pytest.raises(UserError, match="at most 5 classes, and 6 were asked for"):
        algorithm.meta_step(params, tiny_images(ways=6), generator=seed())


def test_training_uses_every_label_slot() -> None:
    algorithm, episode, _ = case("images")
    used = {
        int(slot)
        for number in range(20)
        for slot in algorithm.drawn_slots(episode, seed(number)).flatten()
    }
    assert used == set(range(5))
    assert all(len(set(row)) == 3 for row in algorithm.drawn_slots(episode, seed()).tolist())


def test_tasks_spread_over_processes_are_learned_alike() -> None:
    """With a norm that looks at one example at a time; a batch's statistics are a process's own."""
    algorithm, episode, params = case("images, layer norm")
    whole = algorithm.meta_step(params, episode, generator=seed()).gradients
    pieces = [
        (piece.tasks, algorithm.meta_step(params, piece, generator=seed()).gradients)
        for piece in (episode[:1], episode[1:])
    ]
    for name, gradient in whole.items():
        mean = sum(tasks * found[name] for tasks, found in pieces) / episode.tasks
        assert torch.allclose(mean, gradient, atol=1e-12), name


def test_its_own_weights_stand_beside_the_networks() -> None:
    algorithm, _, params = case("images")
    own = {name for name in params if name.startswith("reader.")}
    assert own
    assert set(params) - own == {
        *algorithm.network.learned,
        *algorithm.network.state,
    }
    again = algorithm.init(seed(0))
    assert all(torch.equal(again[name].double(), value) for name, value in params.items())


def answers(algorithm: Reader, params: Params, episode: Episode) -> Iterator:
    return algorithm.adapt(params, episode)
