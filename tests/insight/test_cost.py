"""What a method keeps of a task is exactly what its answers need, and what it costs is measured."""

import math
from collections.abc import Mapping

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from metacore.algorithms import ALGORITHMS
from metacore.algorithms.logistic import Logistic
from metacore.algorithms.memory import MemoryAugmented
from metacore.algorithms.metric import EMBEDDED, LABELS, MetricAlgorithm
from metacore.algorithms.reader import Reader
from metacore.datasets import DATASETS
from metacore.episode import Episode
from metacore.insight.cost import cost, in_words, size
from metacore.models.normalisation import EXAMPLES, STATISTICS, query_features
from metacore.models.remembering import Memory, State
from metacore.models.stacked import stack
from metacore.training.config import able
from metacore.training.learner import Learner, build
from tests.training.small import small

WAYS, SHOTS, QUERIES, WIDTH = 4, 2, 3, 8
FEATURES = WIDTH * 2 * 2  # what four strides of 2 leave of 28 x 28
FLOAT, LABEL, PICTURE = 4, 8, 28 * 28 * 4  # bytes
BODY = WIDTH * 9 + 3 * WIDTH * WIDTH * 9 + 4 * 2 * WIDTH
HEAD = WAYS * FEATURES + WAYS
MOMENTS = 4 * 2 * WIDTH
EXAMPLES_THERE = WAYS * SHOTS


def learner_and_task(algorithm: str, tasks: int = 2) -> tuple[Learner, Episode]:
    learner = build(small(algorithm, "glyphs"))
    asked = {"ways": WAYS, "shots": SHOTS, "queries": QUERIES, "seed": 0}
    return learner, learner.dataset.episodes("test", **asked, numbers=range(tasks))


def kept_of(learner: Learner, episode: Episode, norm: str | None) -> Mapping[str, Tensor]:
    *_, last = learner.algorithm.adapt(learner.params, episode, norm=norm)
    return last.kept


@pytest.mark.parametrize(
    ("algorithm", "norm", "words", "numbers"),
    [
        ("maml", "transductive", "all its weights", FLOAT * (BODY + HEAD)),
        ("reptile", "transductive", "all its weights", FLOAT * (BODY + HEAD)),
        ("anil", "transductive", "its last layer", FLOAT * HEAD),
        ("finetune", "running", "its last layer", FLOAT * HEAD),
        (
            "anil",
            "support",
            "its last layer and 64 normalisation statistics",
            FLOAT * (HEAD + MOMENTS),
        ),
        (
            "maml",
            "support+query",
            "all its weights and 8 examples",
            FLOAT * (BODY + HEAD) + EXAMPLES_THERE * PICTURE,
        ),
        ("protonet", "running", "4 prototypes", FLOAT * WAYS * FEATURES),
        (
            "protonet",
            "support",
            "4 prototypes and 64 normalisation statistics",
            FLOAT * (WAYS * FEATURES + MOMENTS),
        ),
        (
            "protonet",
            "transductive",
            "8 examples and 8 labels",
            EXAMPLES_THERE * (PICTURE + LABEL),
        ),
        (
            "matching",
            "running",
            "8 embedded examples and 8 labels",
            EXAMPLES_THERE * (FLOAT * FEATURES + LABEL),
        ),
        (
            "reader",
            "running",
            "8 embedded examples and 8 labels",
            EXAMPLES_THERE * (FLOAT * FEATURES + LABEL),
        ),
        (
            "memory",
            "running",
            "128 slots, 4 keys, 4 reads, 200 units and 1 label",
            FLOAT * (128 * (80 + 1 + 4) + 4 * 40 + 4 * 80 + 200 * 2) + LABEL,
        ),
    ],
)
def test_a_task_leaves_so_many_bytes_behind(
    algorithm: str, norm: str, words: str, numbers: int
) -> None:
    learner, episode = learner_and_task(algorithm)
    kept = kept_of(learner, episode, norm)
    assert {len(value) for value in kept.values()} == {episode.tasks}
    assert size(kept) == numbers
    assert in_words(kept, learner.algorithm.network.learned) == words


@pytest.mark.parametrize(
    ("algorithm", "norm"),
    [
        (name, norm)
        for name, kind in ALGORITHMS.items()
        if able(kind, DATASETS["glyphs"])
        for norm in kind.norms
    ],
)
def test_what_is_kept_suffices(algorithm: str, norm: str) -> None:
    learner, episode = learner_and_task(algorithm)
    *_, last = learner.algorithm.adapt(learner.params, episode, norm=norm)
    answered = from_what_is_kept(learner, last.kept, episode.query_x, norm)
    assert torch.allclose(answered, last(episode.query_x), atol=1e-4)


def at_test(learner: Learner) -> Mapping[str, Tensor]:
    """What all tasks share; where norms have a row for every inner step, the last step's."""
    norms = tuple(f"{name}." for name in learner.algorithm.network.norms)
    return {
        name: value[-1] if value.dim() == 2 and name.startswith(norms) else value
        for name, value in learner.params.items()
    }


def from_what_is_kept(
    learner: Learner, kept: Mapping[str, Tensor], query: Tensor, norm: str
) -> Tensor:
    """The answers of somebody who has what all tasks share, and what was kept of these."""
    algorithm, network, tasks = learner.algorithm, learner.algorithm.network, len(query)
    if EXAMPLES in kept and LABELS in kept:
        episode = Episode.of_support(kept[EXAMPLES], kept[LABELS], WAYS)
        *_, last = algorithm.adapt(learner.params, episode, norm=norm)
        return last(query)
    own = {name: value for name, value in kept.items() if name in network.learned}
    theta = {name: value for name, value in at_test(learner).items() if name not in own}
    params = {**stack(theta, tasks), **own}
    if EXAMPLES in kept:
        features = query_features(network, params, kept[EXAMPLES], query, norm)
    elif STATISTICS in kept:
        sizes = [learner.params[f"{name}.weight"].shape[-1] for name in network.norms]
        moments = iter(kept[STATISTICS].split([size for size in sizes for _ in range(2)], 1))
        given = [(mean.flatten(), next(moments).flatten()) for mean in moments]
        features = network.features(params, query, statistics=given)
    else:
        running = network.running(params) if norm == "running" else None
        features = network.features(params, query, statistics=running)
    if isinstance(algorithm, MetricAlgorithm):
        labels = kept.get(LABELS, torch.arange(WAYS).expand(tasks, -1))
        examples = kept[EMBEDDED if EMBEDDED in kept else "prototypes"]
        return algorithm.explain(learner.params, examples, labels, features, WAYS).logits
    if isinstance(algorithm, Reader):
        slots = torch.arange(WAYS).expand(tasks, -1)
        given = (kept[EMBEDDED], kept[LABELS], features, slots)
        return algorithm.read(learner.params, *given)[-1].outputs
    if isinstance(algorithm, MemoryAugmented):
        label = F.one_hot(kept[LABELS], algorithm.config.most_ways)
        state = state_of(kept).each(features.shape[1])
        heard = label.repeat_interleave(features.shape[1], 0)
        told = algorithm.run(learner.params, features.flatten(0, 1)[:, None], heard, state)
        return told.outputs[:, 0, :WAYS].unflatten(0, (tasks, -1))
    if isinstance(algorithm, Logistic):
        features = F.normalize(features, dim=-1)
    return network.head(params, features)


def state_of(kept: Mapping[str, Tensor]) -> State:
    """The state of a memory from its slots with their uses, and the rest of it."""
    heads = kept["keys"].shape[1]
    wide = kept["slots"].shape[-1] - 1 - heads
    slots, usage, looked = kept["slots"].split((wide, 1, heads), -1)
    memory = Memory(slots, usage[..., 0], looked.mT, looked.mT, torch.ones_like(usage[..., 0]))
    return State(memory, kept["keys"], kept["reads"].flatten(1), *kept["units"].unbind(-1))


@pytest.mark.parametrize("algorithm", [*ALGORITHMS])
def test_every_cost_is_measured(algorithm: str) -> None:
    curves = not able(ALGORITHMS[algorithm], DATASETS["glyphs"])
    dataset = "sinusoid" if curves else "glyphs"
    learner = build(small(algorithm, dataset))
    asked = {"ways": 1 if curves else WAYS, "shots": SHOTS, "queries": QUERIES, "seed": 0}
    found = cost(learner, learner.dataset.episodes("test", **asked, numbers=range(1)))
    times = found.take_in_ms, found.answer_ms, found.batch_ms
    assert all(math.isfinite(each) and each > 0 for each in times)
    assert found.batch == asked["ways"] * QUERIES
    assert found.parameters == sum(
        value.numel()
        for name, value in learner.params.items()
        if name not in learner.algorithm.parts.state
    )
    assert found.kept_bytes > 0
    assert found.kept


def test_many_steps_take_longer_to_take_in_and_leave_no_more() -> None:
    learner, episode = learner_and_task("maml")
    few, many = (cost(learner, episode, steps=steps) for steps in (1, 20))
    assert many.take_in_ms > 2 * few.take_in_ms
    assert many.kept_bytes == few.kept_bytes


def test_part_of_the_layers_is_said_as_such() -> None:
    network = ("features.conv1.weight", "features.norm1.weight", "head.weight", "head.bias")
    kept = {"features.norm1.weight": torch.zeros(1, 3), "prototypes": torch.zeros(1, 1, 5)}
    assert in_words(kept, network) == "1 of its 3 layers and 1 prototype"
