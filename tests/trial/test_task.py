"""A trial as a task, and what runs answer to it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import metacore as mc
from metacore.algorithms.protonet import ProtoNet
from metacore.errors import UserError
from metacore.insight.trace import trace
from metacore.runs.bundled import PRETRAINED
from metacore.training.learner import Learner
from metacore.trial.drawn import picture
from metacore.trial.picture import Picture
from metacore.trial.task import UNKNOWN, Adapted, Settings, Trial, adapt, answer, episode

LINE, CORNER = (((0.0, 0.0), (9.0, 9.0)),), (((0.0, 0.0), (0.0, 9.0), (9.0, 9.0)),)
SEEN = Picture("a.png", picture([CORNER])[0].numpy().tobytes())
TRIAL = Trial(
    classes=("line", "corner"),
    support=((LINE, LINE), (SEEN,)),
    query=(CORNER, LINE, SEEN),
    labels=(1, None, None),
)
ON_PICTURES = sorted(folder.name for folder in PRETRAINED.glob("*-glyphs"))


def learner(run: str) -> Learner:
    return mc.load(run, device="cpu")


def test_drawings_and_pictures_make_one_task() -> None:
    task = episode(TRIAL)
    assert task.ways == 2
    assert task.support_x.shape == (1, 3, 1, 28, 28)
    assert task.support_y.tolist() == [[0, 0, 1]]
    assert task.query_y.tolist() == [[1, UNKNOWN, UNKNOWN]]
    assert torch.equal(task.query_x[0, 0], task.support_x[0, 2])  # drawn and photographed alike
    assert torch.equal(task.query_x[0, 1], task.support_x[0, 0])
    assert 0.9 < float(task.support_x.max()) <= 1.0
    assert episode(replace(TRIAL, query=(), labels=())).query_x.shape == (1, 0, 1, 28, 28)


def test_one_class_is_no_task_yet() -> None:
    growing = Trial(classes=("line",), support=((LINE,),))
    with pytest.raises(UserError, match=r"between 2 and 10 classes, not 1\."):
        episode(growing)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"classes": tuple("abcdefghijk")}, "between 2 and 10 classes, not 11."),
        ({"classes": ("line", "line")}, "Two classes are named 'line'"),
        ({"classes": ("line", " ")}, "A class needs a name"),
        ({"classes": ("line", "a\nb")}, "printable characters"),
        ({"classes": ("line", "x" * 41)}, "1 to 40 printable"),
        ({"support": ((LINE,),)}, "a support set for each of its classes"),
        ({"support": ((LINE,), (LINE,) * 21)}, "'corner' has more than 20 examples"),
        ({"query": (LINE,) * 201, "labels": ()}, "at most 200 queries, not 201."),
        ({"labels": (1,)}, "one label, or none, for each query"),
        ({"labels": (1, 2, None)}, "label is 2, and there is no such class."),
    ],
)
def test_what_is_no_trial(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        replace(TRIAL, **change)


def test_every_class_needs_an_example() -> None:
    with pytest.raises(UserError, match="Class 'corner' has no example yet"):
        episode(replace(TRIAL, support=((LINE,), ())))
    with pytest.raises(UserError, match="draw at least one stroke"):
        episode(replace(TRIAL, support=((LINE,), ((),))))


@pytest.mark.usefixtures("pretrained")
@pytest.mark.parametrize("run", ON_PICTURES)
def test_every_run_on_pictures_answers(run: str) -> None:
    """Uneven shots, two ways where five were trained, queries with and without a label."""
    who = learner(run)
    found = answer(who, episode(TRIAL))
    moments = len(found.steps)
    assert found.probabilities.shape == (moments, 3, 2)
    np.testing.assert_allclose(found.probabilities.sum(-1), 1, rtol=1e-5)
    assert found.support_loss.shape == (moments,)
    assert found.norm in ("support+query", "running")
    assert (found.distances is not None) == isinstance(who.algorithm, ProtoNet)
    assert len(found.choices) == 3


@pytest.mark.usefixtures("pretrained")
@pytest.mark.parametrize("run", ON_PICTURES)
def test_a_query_is_answered_alike_alone_and_among_others(run: str) -> None:
    task, who = episode(TRIAL), learner(run)
    ready = adapt(who, task.support_x[0], [0, 0, 1], ways=2)
    together = ready.answer(task.query_x[0])
    for number in range(3):
        alone = ready.answer(task.query_x[0, number : number + 1])
        np.testing.assert_allclose(
            alone.probabilities[:, 0], together.probabilities[:, number], atol=1e-4
        )


@pytest.mark.usefixtures("pretrained")
@pytest.mark.parametrize("run", ["maml-glyphs", "protonet-glyphs", "reptile-glyphs"])
def test_answers_are_those_of_the_trace(run: str) -> None:
    who = learner(run)
    task = who.dataset.episodes("test", ways=5, shots=1, queries=3, seed=3, numbers=range(1))
    found = answer(who, task)
    seen = trace(who, task, norm=found.norm)
    assert seen.query_probabilities is not None
    assert list(found.steps) == seen.steps
    np.testing.assert_allclose(found.probabilities, seen.query_probabilities[:, 0], atol=1e-5)
    np.testing.assert_allclose(found.support_loss, seen.support_loss[:, 0], atol=1e-5)
    if found.distances is not None:
        assert seen.explained is not None
        assert seen.explained.distances is not None
        np.testing.assert_allclose(found.distances, seen.explained.distances[0], rtol=1e-3)


@pytest.mark.usefixtures("pretrained")
def test_a_lone_query_is_never_normalised_by_itself() -> None:
    task, who = episode(TRIAL), learner("maml-glyphs")

    def ready(norm: str | None) -> Adapted:
        return adapt(who, task.support_x[0], [0, 0, 1], ways=2, norm=norm)

    one = task.query_x[0, :1]
    asked, usual = ready("transductive").answer(one), ready(None).answer(one)
    assert asked.norm == usual.norm == "support+query"
    np.testing.assert_array_equal(asked.probabilities, usual.probabilities)
    assert ready("transductive").answer(task.query_x[0]).norm == "transductive"


@pytest.mark.usefixtures("pretrained")
def test_long_adaptations_show_some_of_their_steps() -> None:
    found = answer(learner("reptile-glyphs"), episode(TRIAL), steps=40)
    assert found.steps == (0, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40)
    assert len(found.support_loss) == len(found.steps)


@pytest.mark.usefixtures("pretrained")
def test_pictures_as_bytes_and_as_numbers_are_the_same() -> None:
    task, who = episode(TRIAL), learner("protonet-glyphs")
    seen = (task.support_x[0] * 255).round().byte()
    asked = (task.query_x[0] * 255).round().byte()
    found = adapt(who, seen, (0, 0, 1), ways=2).answer(asked)
    np.testing.assert_allclose(found.probabilities, answer(who, task).probabilities, atol=1e-6)


@pytest.mark.usefixtures("pretrained")
def test_what_cannot_be_asked() -> None:
    task = episode(TRIAL)
    with pytest.raises(UserError, match="A run trained on sinusoid cannot take part"):
        answer(learner("maml-sinusoid"), task)
    with pytest.raises(UserError, match="steps must be between 0 and 1000"):
        answer(learner("maml-glyphs"), task, steps=-1)
    with pytest.raises(UserError, match="norm must be one of"):
        answer(learner("maml-glyphs"), task, norm="running")
    with pytest.raises(UserError, match="Every class needs at least one example"):
        adapt(learner("maml-glyphs"), task.support_x[0], [0, 0, 0], ways=2)


def test_settings_are_the_runs_own_unless_given() -> None:
    assert TRIAL.settings == Settings(runs=(), steps=None, norm=None)
