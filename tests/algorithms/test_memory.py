"""The memory-augmented network: its gradient, what queries see, and what can be known when."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from metacore.algorithms.base import TakesOneByOne
from metacore.algorithms.memory import MemoryAugmented, MemoryConfig
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.models.networks import Network, Params
from metacore.randomness import generator
from metacore.training.config import TrainingConfig
from metacore.training.optimisation import OuterOptimiser
from tests.algorithms.tasks import tiny_conv, tiny_curves, tiny_images, tiny_mlp

TINY = {"units": 6, "slots": 5, "key": 3, "heads": 2, "most_ways": 4}


def tiny(note: int = 2, *, curves: bool = False) -> tuple[MemoryAugmented, Params, Episode]:
    """An instance in float64 and tasks for it."""
    config = MemoryConfig(**TINY, note=note)
    network = tiny_mlp() if curves else tiny_conv(0)
    if curves:
        network.head = nn.Identity()
    algorithm = MemoryAugmented(config, network, regression=curves)
    params = algorithm.init(torch.Generator().manual_seed(0))
    episode = tiny_curves() if curves else tiny_images()
    return algorithm, {name: value.double() for name, value in params.items()}, episode


@pytest.mark.parametrize(("note", "curves"), [(2, False), (0, False), (2, True)])
def test_the_gradient_is_that_of_finite_differences(note: int, curves: bool) -> None:
    algorithm, params, episode = tiny(note, curves=curves)
    learned = algorithm.parts.learned(params)

    def step(at: Params) -> Tensor:
        return algorithm.meta_step(at, episode, generator=generator(0, "fd")).metrics["loss"]

    gradients = algorithm.meta_step(params, episode, generator=generator(0, "fd")).gradients
    assert gradients.keys() == learned.keys()
    for name, value in learned.items():
        way = torch.randn(value.shape, generator=generator(1, name)).double()
        ends = [step(params | {name: value + size * way}) for size in (1e-7, -1e-7)]
        measured = (ends[0] - ends[1]) / 2e-7
        assert torch.allclose((gradients[name] * way).sum(), measured, rtol=1e-4, atol=1e-7), name


@pytest.mark.parametrize("curves", [False, True])
def test_queries_never_see_each_other(curves: bool) -> None:
    algorithm, params, episode = tiny(curves=curves)
    *_, last = algorithm.adapt(params, episode)
    together = last(episode.query_x)
    for number in range(episode.query_x.shape[1]):
        alone = last(episode.query_x[:, number : number + 1])
        assert torch.allclose(alone[:, 0], together[:, number], atol=1e-5)


def test_there_is_a_predictor_after_every_example_and_each_goes_by_those_before_it() -> None:
    algorithm, params, episode = tiny()
    found = [predictor(episode.query_x) for predictor in algorithm.adapt(params, episode)]
    assert len(found) == episode.support_y.shape[1] + 1
    first_two = replace(
        episode, support_x=episode.support_x[:, :2], support_y=episode.support_y[:, :2]
    )
    *_, fewer = algorithm.adapt(params, first_two)
    assert torch.allclose(fewer(episode.query_x), found[2], atol=1e-10)
    assert not torch.allclose(found[3], found[2], atol=1e-6)


def test_a_stream_answers_as_the_predictors_do() -> None:
    algorithm, params, episode = tiny()
    assert isinstance(algorithm, TakesOneByOne)
    stream = algorithm.stream(params, episode)
    for taken, predictor in enumerate(algorithm.adapt(params, episode)):
        if taken < episode.support_y.shape[1]:
            alone = predictor(episode.support_x[:, taken : taken + 1])
            assert torch.allclose(alone[:, 0], stream.logits[:, taken], atol=1e-10)


def test_what_reads_looked_at_is_said_by_shares_of_the_support() -> None:
    algorithm, params, episode = tiny()
    *_, last = algorithm.adapt(params, episode)
    heads = last.explain(episode.query_x).heads
    assert heads is not None
    assert heads.shape == (3, 1, 2, 6, 6)  # tasks, one layer, reads, queries, support
    assert torch.allclose(heads.sum(-1), torch.ones(()).double())
    assert (heads >= 0).all()
    assert heads.std(-1).min() > 0


def test_a_stream_has_every_example_once_in_an_order_of_its_own() -> None:
    episode = tiny_images()
    stream = episode.shuffled(torch.Generator().manual_seed(0))
    x, y = stream.support_x, stream.support_y
    before = torch.cat([episode.support_x, episode.query_x], 1)
    places = torch.tensor([[int((before[t] == one).flatten(1).all(1).nonzero()) for one in x[t]]
                           for t in range(3)])  # fmt: skip
    assert all(sorted(row) == list(range(12)) for row in places.tolist())
    assert not torch.equal(places[0], places[1])
    assert torch.equal(y, torch.cat([episode.support_y, episode.query_y], 1).gather(1, places))


class Clouds:
    """Classes are points of a plane far from each other, drawn with a little noise."""

    @staticmethod
    def sample(tasks: int, number: int, showings: int = 4) -> Episode:
        chance = generator(number, "clouds")
        centres = torch.randn(tasks, 3, 1, 8, generator=chance)
        x = centres + 0.1 * torch.randn(tasks, 3, showings, 8, generator=chance)
        y = torch.arange(3).expand(tasks, -1)
        later = y.repeat_interleave(showings - 1, 1)
        return Episode(x[:, :, 0], y, x[:, :, 1:].flatten(1, 2), later, ways=3)


@pytest.fixture(scope="module")
def trained() -> tuple[MemoryAugmented, Params]:
    config = MemoryConfig(units=32, slots=16, key=8, note=8, heads=2, most_ways=4)
    algorithm = MemoryAugmented(config, Network(nn.Sequential(nn.Flatten()), 8, 0))
    params = algorithm.init(torch.Generator().manual_seed(0))
    optimiser = OuterOptimiser(TrainingConfig(learning_rate=0.01), algorithm.groups(), params)
    for number in range(150):
        step = algorithm.meta_step(
            params, Clouds.sample(16, number), generator=generator(number, "order")
        )
        optimiser.step(step.gradients, 0.01)
    return algorithm, params


def test_what_was_shown_once_is_remembered(trained: tuple[MemoryAugmented, Params]) -> None:
    algorithm, params = trained
    episode = Clouds.sample(200, 1000)
    *_, last = algorithm.adapt(params, episode)
    assert (last(episode.query_x).argmax(-1) == episode.query_y).float().mean() > 0.9


def test_before_anything_was_shown_every_answer_is_a_guess(
    trained: tuple[MemoryAugmented, Params],
) -> None:
    """Labels are drawn anew in every task: of 1800 answers, a third and four deviations at most."""
    algorithm, params = trained
    episode = Clouds.sample(600, 1001, showings=2)
    first = next(iter(algorithm.adapt(params, episode)))
    right = (first(episode.query_x).argmax(-1) == episode.query_y).float().mean()
    assert abs(float(right) - 1 / 3) < 0.045


def test_at_a_first_showing_nobody_can_do_better_than_leave_out_what_is_taken(
    trained: tuple[MemoryAugmented, Params],
) -> None:
    """Of three classes: a third, a half and all, 61% in the mean."""
    algorithm, params = trained
    stream = Clouds.sample(600, 1002).shuffled(generator(0, "order"))
    right = algorithm.stream(params, stream).logits.argmax(-1) == stream.support_y
    first, second = (float(right[stream.rank() == n].float().mean()) for n in (0, 1))
    assert first < 0.61 + 0.045
    assert second > 0.9


def test_more_classes_than_it_has_labels_for_are_refused_in_a_sentence() -> None:
    algorithm, params, _ = tiny()
    many = tiny_images(ways=5)
    for ask in asks(algorithm, params, many):
        with pytest.raises(UserError, match="at most 4 classes, and 5 were asked for"):
            ask()


def asks(
    algorithm: MemoryAugmented, params: Params, episode: Episode
) -> list[Callable[[], object]]:
    return [
        lambda: algorithm.meta_step(params, episode, generator=generator(0, "order")),
        lambda: list(algorithm.adapt(params, episode)),
        lambda: algorithm.stream(params, episode),
    ]


def test_memories_of_fewer_slots_than_examples_still_work() -> None:
    config = MemoryConfig(units=8, slots=2, heads=2, key=4, note=4)
    algorithm = MemoryAugmented(config, tiny_conv(0).float())
    params = algorithm.init(torch.Generator().manual_seed(0))
    episode = tiny_images()
    single = Episode(
        episode.support_x.float(), episode.support_y, episode.query_x.float(), episode.query_y, 3
    )
    step = algorithm.meta_step(params, single, generator=generator(0, "order"))
    assert step.metrics["loss"].isfinite()
