"""What a notebook calls."""

from dataclasses import replace

import pytest

import metacore as mc


def tiny(algorithm: str = "maml", **training: float) -> mc.RunConfig:
    config = mc.preset(algorithm, "sinusoid", "demo")
    small = {"iterations": 10, "seconds": 0.0, "validate_every": 5, "validation_episodes": 4}
    return config.replace(training=replace(config.training, **{**small, **training}))


def test_train_evaluate_and_trace_a_run() -> None:
    run = mc.train(tiny(), name="wave")
    assert (run.name, run.status, run.iteration) == ("wave", "finished", 10)
    evaluation = mc.evaluate(run, episodes=4, steps=2)
    assert evaluation.protocol.episodes == 4
    assert mc.evaluate("wave", episodes=4, steps=2).mean == evaluation.mean
    assert mc.evaluate(mc.load(run), episodes=4, steps=2).mean == evaluation.mean
    trace = mc.trace(run, steps=2)
    assert trace.steps == [0, 1, 2]


def test_a_trace_is_of_the_episode_the_evaluation_saw() -> None:
    run = mc.train(tiny())
    evaluation = mc.evaluate(run, episodes=3, steps=2, seed=4)
    trace = mc.trace(run, steps=2, seed=4, numbers=range(3))
    assert trace.query_score[-1].tolist() == pytest.approx(evaluation.values.tolist(), rel=1e-4)


def test_best_and_last_are_different_weights() -> None:
    run = mc.train(tiny(validate_every=5, iterations=12))
    last = mc.load(run, which="last")
    assert last.params.keys() == mc.load(run).params.keys()


def test_compare_asks_all_what_the_first_was_trained_for() -> None:
    runs = [mc.train(tiny()), mc.train(tiny("scratch"))]
    heard: list[int] = []
    found = mc.compare(runs, episodes=6, progress=heard.append)
    assert found.names == [run.name for run in runs]
    assert [len(e.values) for e in found.evaluations] == [6, 6]
    assert len(found.differences) == 1
    assert heard == sorted(heard)
    assert heard[-1] == 12
    with pytest.raises(mc.UserError, match="at least two runs"):
        mc.compare(runs[:1])


def test_what_cannot_be_trained_leaves_no_run() -> None:
    glyphs = mc.DATASETS["glyphs"].Config(train_classes=20, test_classes=20, drawings=4)
    config = mc.preset("protonet", "glyphs").replace(dataset=glyphs)
    with pytest.raises(mc.UserError, match="6 drawings of a class"):
        mc.train(config)
    assert mc.Store().runs() == []


def test_a_run_that_fails_raises_its_sentence() -> None:
    config = tiny(learning_rate=10.0, iterations=300)
    config = config.replace(training=replace(config.training, optimiser="sgd"))
    with pytest.raises(mc.UserError, match="step"):
        mc.train(config)
    assert mc.Store().runs()[0].status == "failed"


def test_every_public_name_is_there() -> None:
    assert all(hasattr(mc, name) for name in mc.__all__)
