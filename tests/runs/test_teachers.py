"""Runs that teach: found before a run exists, named in its record, and needed for training only."""

import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import metacore as mc
from metacore.algorithms import ALGORITHMS
from metacore.errors import UserError
from metacore.insight.probe import measure
from metacore.runs import Run, Store, execute, export, import_, resume, teachers
from metacore.training.config import RunConfig
from tests.runs.test_execution import At
from tests.training.small import small

SMALL: dict[str, Any] = {"iterations": 4, "validation_episodes": 4}


def student(algorithm: str = "distil", **settings: Any) -> RunConfig:
    """A small run that is taught."""
    config = small(algorithm, "glyphs", **SMALL)
    return config.replace(algorithm=replace(config.algorithm, **{"weight": 0.5, **settings}))


def trained(algorithm: str, name: str, **training: Any) -> Run:
    store = Store()
    return execute(store, store.create(small(algorithm, "glyphs", **SMALL | training), name))


@pytest.fixture
def protonet() -> Run:
    return trained("protonet", "knows much")


def test_the_best_there_is_teaches_and_is_named_in_the_record(protonet: Run) -> None:
    worse = trained("protonet", "knows little", iterations=1)
    best = max((protonet, worse), key=lambda run: run.best_value or 0)
    run = Store().create(student())
    assert run.values["algorithm"]["teacher"] == best.name
    assert mc.RunConfig.from_dict(run.values).teacher == best.name


def test_a_teacher_is_named_by_id_too_and_its_lesson_changes_what_is_learned(
    protonet: Run,
) -> None:
    taught = mc.train(student(teacher=protonet.id), name="taught")
    alone = mc.train(student(weight=0.0), name="alone")
    assert (taught.status, alone.status) == ("finished", "finished")
    assert taught.values["algorithm"]["teacher"] == protonet.name
    weights, others = (mc.load(run, which="last").params for run in (taught, alone))
    assert any(not value.equal(others[name]) for name, value in weights.items())
    store = Store()
    found = teachers.untaught_twin(store.runs(), taught)
    assert found is not None
    assert found.id == alone.id
    mc.train(student(weight=0.0).replace(seed=1), name="of another seed")
    assert teachers.untaught_twin([store.get("of another seed")], taught) is None


def test_nobody_is_needed_to_learn_alone() -> None:
    assert mc.train(student(weight=0.0)).values["algorithm"]["teacher"] == ""


@pytest.mark.parametrize("algorithm", ["distil", "distil-classes"])
def test_without_any_teacher_no_run_is_made(algorithm: str) -> None:
    with pytest.raises(UserError, match=r"no finished run on Glyphs that .* could learn from"):
        mc.train(student(algorithm))
    assert not Store().runs()


def test_every_unfit_teacher_is_refused_by_name(protonet: Run) -> None:
    store = Store()
    store.create(small("protonet", "glyphs"), "waits")
    trained("maml", "of five ways")
    trained("scratch", "knows nothing")
    other = small("protonet", "glyphs", **SMALL)
    other = other.replace(dataset=replace(other.dataset, drawings=10))
    execute(store, store.create(other, "elsewhere"))
    for name, algorithm, why in (
        ("nobody", "distil", "There is no run 'nobody' to learn from"),
        ("waits", "distil", "it is queued, not finished"),
        ("of five ways", "distil", "answers tasks of 5 ways, and the training tasks have 10"),
        ("knows nothing", "distil", "it has not learned anything beforehand"),
        ("elsewhere", "distil", "trained on Glyphs with other settings"),
        (
            "knows much",
            "distil-classes",
            "Prototypical Networks knows no classes but those",
        ),
    ):
        before = len(store.runs())
        for attempt in (store.create, mc.train):
            with pytest.raises(UserError, match=why):
                attempt(student(algorithm, teacher=name))
        assert len(store.runs()) == before
    fitting = teachers.fitting(store.runs(), student())
    assert [run.name for run in fitting] == ["knows much"]


def test_who_came_without_its_classes_cannot_teach_them() -> None:
    """As a run that is shipped without what only its training needed."""
    learner, kind = mc.load(trained("logistic", "whole")), ALGORITHMS["distil-classes"]
    assert not kind.lacking(type(learner.algorithm), lambda: learner.params)
    shipped = learner.algorithm.needed_at_test(learner.params)
    why = kind.lacking(type(learner.algorithm), lambda: shipped)
    assert why.startswith("it came without the last layer")


def test_generation_by_generation() -> None:
    trained("finetune", "first")
    second = mc.train(student("distil-classes", teacher="first"), name="second")
    third = mc.train(student("distil-classes", teacher="second"), name="third")
    assert second.status == third.status == "finished"
    assert 0 <= mc.evaluate(third, episodes=4).mean <= 1


def test_a_resumed_run_ends_as_if_it_had_not_been_stopped(protonet: Run) -> None:
    store = Store()
    config = student(teacher=protonet.name)
    whole = execute(store, store.create(config, "whole"))
    stop = At(2, lambda: signal.raise_signal(signal.SIGTERM))
    half = execute(store, store.create(config, "half"), [stop])
    assert (half.status, half.iteration) == ("cancelled", 2)
    rest = execute(store, resume(store, half))
    assert rest.status == "finished"
    ours, theirs = (mc.load(run, which="last").params for run in (whole, rest))
    assert all(value.equal(theirs[name]) for name, value in ours.items())


def test_a_finished_student_needs_its_teacher_only_to_go_on(protonet: Run) -> None:
    store, run = Store(), mc.train(student(), name="taught")
    store.delete(protonet)
    assert 0 <= mc.evaluate(run, episodes=4).mean <= 1
    with pytest.raises(UserError, match="There is no run 'knows much' to learn from"):
        resume(store, run, iterations=9)
    assert store.get(run.id).status == "finished"


def test_who_arrives_without_its_teacher_says_so(protonet: Run, tmp_path: Path) -> None:
    store, run = Store(), mc.train(student(), name="taught")
    file = export(store, run, tmp_path / "student")
    assert import_(store, file).message == "Imported from a file."
    elsewhere = Store(tmp_path / "elsewhere")
    arrived = import_(elsewhere, file)
    assert "Its teacher, knows much, is not here: it answers without" in arrived.message
    assert 0 <= mc.evaluate(arrived, episodes=4).mean <= 1
    import_(elsewhere, export(store, protonet, tmp_path / "teacher"))
    longer = execute(elsewhere, resume(elsewhere, arrived, iterations=6))
    assert (longer.status, longer.iteration) == ("finished", 6)


def test_what_a_taught_run_costs_is_measured_with_its_teacher() -> None:
    found = measure(student(), small("protonet", "glyphs"))
    assert found.seconds > 0
    with pytest.raises(UserError, match="was handed none"):
        measure(student())
