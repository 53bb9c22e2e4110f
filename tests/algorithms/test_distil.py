"""Distillation: its gradient, what the teacher says, and that without weight it changes nothing."""

import pytest
import torch
from torch import Tensor

from metacore.algorithms.base import Algorithm, Teacher
from metacore.algorithms.baselines import Finetune, FinetuneConfig
from metacore.algorithms.distil import (
    Distil,
    DistilClasses,
    DistilClassesConfig,
    DistilConfig,
    softened_divergence,
)
from metacore.algorithms.logistic import Logistic, LogisticConfig
from metacore.algorithms.maml import MAML, MAMLConfig
from metacore.algorithms.protonet import ProtoNet, ProtoNetConfig
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.models.networks import Conv4, Params
from tests.algorithms.tasks import tiny_images

CLASSES = 10  # those of tiny_images
KINDS = pytest.mark.parametrize("kind", ["answers", "classes of the batch", "all classes"])


def started(algorithm: Algorithm, seed: int) -> Params:
    params = algorithm.init(torch.Generator().manual_seed(seed))
    return {name: value.double() for name, value in params.items()}


def case(kind: str, *, weight: float = 0.7, norm: str = "batch") -> tuple[Algorithm, Params]:
    """A student and what it starts from; its teacher has twice its width."""

    def network(width: int, outputs: int) -> torch.nn.Module:
        return Conv4(width=width, norm=norm).build((1, 8, 8), outputs).double()

    student: Algorithm
    teacher: Algorithm
    if kind == "answers":
        student = Distil(DistilConfig(weight=weight, temperature=2.0), network(4, 0))
        teacher = MAML(MAMLConfig(), network(8, 3))
    else:
        against = kind.removeprefix("classes of the ").removesuffix(" classes")
        config = DistilClassesConfig(weight=weight, temperature=2.0, against=against)
        student = DistilClasses(config, network(4, CLASSES))
        teacher = Finetune(FinetuneConfig(), network(8, CLASSES))
    student.teacher = Teacher(teacher, started(teacher, 1))
    return student, started(student, 0)


def untaught(student: Algorithm) -> Algorithm:
    network = student.network.network
    if isinstance(student, Distil):
        return ProtoNet(ProtoNetConfig(), network)
    return Logistic(LogisticConfig(against=student.config.against), network)


@KINDS
def test_the_gradient_is_that_of_the_loss(kind: str) -> None:
    student, params = case(kind)
    episode, chance = tiny_images(), torch.Generator().manual_seed(3)
    step = student.meta_step(params, episode)
    for _ in range(3):
        way = {
            n: torch.randn(g.shape, generator=chance).double() for n, g in step.gradients.items()
        }
        slope = sum(float((step.gradients[name] * way[name]).sum()) for name in way)
        size = 1e-6
        losses = [
            student.meta_step(
                {name: v + sign * size * way.get(name, 0.0) for name, v in params.items()}, episode
            ).metrics["loss"]
            for sign in (1, -1)
        ]
        assert float(losses[0] - losses[1]) / (2 * size) == pytest.approx(slope, rel=1e-4)


@KINDS
def test_without_weight_it_is_the_untaught_method(kind: str) -> None:
    student, params = case(kind, weight=0.0)
    student.teacher = None  # none is needed
    found, expected = (
        each.meta_step(params, tiny_images()) for each in (student, untaught(student))
    )
    for part in ("gradients", "metrics", "running"):
        ours, theirs = getattr(found, part), getattr(expected, part)
        assert ours.keys() == theirs.keys()
        assert all(value.equal(theirs[name]) for name, value in ours.items()), part


@KINDS
def test_with_weight_it_is_not(kind: str) -> None:
    student, params = case(kind)
    found, other = (each.meta_step(params, tiny_images()) for each in (student, untaught(student)))
    assert found.metrics["loss"] != other.metrics["loss"]
    assert any(not value.equal(other.gradients[name]) for name, value in found.gradients.items())


def test_the_divergence_is_the_textbooks() -> None:
    logits, taught = (torch.randn(2, 5, 4, dtype=torch.float64) for _ in range(2))
    p, q = ((each / 3).softmax(-1) for each in (taught, logits))
    expected = 9 * (p * (p / q).log()).sum(-1).mean(1)
    assert torch.allclose(softened_divergence(logits, taught, 3.0), expected)
    assert torch.allclose(softened_divergence(taught, taught, 3.0), torch.zeros(2).double())


def test_at_high_temperatures_it_is_half_the_squared_difference_of_centred_logits() -> None:
    """Hinton et al. 2015, eq. 4: what remains in the limit, over the number of classes."""
    logits, taught = (torch.randn(1, 5, 4, dtype=torch.float64) for _ in range(2))
    centred = [each - each.mean(-1, keepdim=True) for each in (logits, taught)]
    limit = (centred[0] - centred[1]).square().mean(-1).mean(1) / 2
    assert torch.allclose(softened_divergence(logits, taught, 1e4), limit, rtol=1e-3)


@pytest.mark.parametrize("steps", [1, 4])
def test_the_teacher_answers_as_it_adapts(steps: int) -> None:
    student, _ = case("answers")
    assert student.teacher is not None
    kind = student.teacher.algorithm
    kind.config = MAMLConfig(test_steps=steps)
    episode = tiny_images()
    *_, adapted = kind.adapt(student.teacher.params, episode)
    assert student.taught(episode).equal(adapted(episode.query_x))


@KINDS
def test_who_knows_all_its_teacher_knows_has_nothing_to_learn(kind: str) -> None:
    """Taught by itself, with layer norm, which needs no batch: loss and gradient are zero."""
    student, params = case(kind, weight=1.0, norm="layer")
    twin = untaught(student)
    student.teacher = Teacher(twin, params)
    step = student.meta_step(params, tiny_images())
    assert float(step.metrics["loss"]) == pytest.approx(0, abs=1e-12)
    assert all(value.abs().max() < 1e-9 for value in step.gradients.values())


def halves(episode: Episode, student: Algorithm, params: Params) -> list[dict[str, Tensor]]:
    cuts = ((slice(0, 1), 1 / 3), (slice(1, 3), 2 / 3))
    return [
        {n: share * g for n, g in student.meta_step(params, episode[cut]).gradients.items()}
        for cut, share in cuts
    ]


def test_many_processes_share_the_tasks_of_a_taught_step() -> None:
    student, params = case("answers")
    whole = student.meta_step(params, tiny_images()).gradients
    parts = halves(tiny_images(), student, params)
    for name, value in whole.items():
        assert torch.allclose(value, parts[0][name] + parts[1][name], atol=1e-10), name


@KINDS
def test_without_its_teacher_it_says_so(kind: str) -> None:
    student, params = case(kind)
    student.teacher = None
    with pytest.raises(UserError, match="learns from a teacher, and was handed none"):
        student.meta_step(params, tiny_images())
