"""Runs on pretrained features: their record says whose they are, and they carry none of them."""

from dataclasses import replace
from pathlib import Path

import pytest

import metacore as mc
from metacore.errors import UserError
from metacore.insight.forecast import Forecast, advice
from metacore.models.backbone import Backbone
from metacore.models.pixels import Pixels
from metacore.models.weights import WEIGHTS, Weights
from metacore.runs import Store, export, import_
from metacore.runs.bundled import BundledRuns, bundle
from metacore.training.config import RunConfig
from tests.training.small import TINY_GLYPHS

LITE = "efficientnet-lite0"


def config(algorithm: str, **model: int) -> RunConfig:
    usual = mc.preset(algorithm, "glyphs", "demo")
    training = replace(usual.training, validation_episodes=5)
    return usual.replace(
        model=Backbone(input_size=32, **model), dataset=TINY_GLYPHS, training=training
    )


@pytest.mark.parametrize("algorithm", ["centroid", "protonet", "logistic", "finetune"])
def test_a_run_with_nothing_to_learn_is_finished_at_once(algorithm: str, store: Store) -> None:
    run = mc.train(config(algorithm), store=store)
    assert (run.status, run.iteration) == ("finished", 0)
    assert run.best_value > 0.4  # five classes
    assert run.environment["weights"] == f"{LITE} {WEIGHTS[LITE].sha256}"
    learner = mc.load(run)
    assert learner.parameters == 0
    assert mc.evaluate(learner, split="val", episodes=5).mean == run.best_value
    assert mc.cost(learner).kept_bytes >= 5 * 1280 * 4


def test_one_whose_last_block_learns_is_trained(store: Store) -> None:
    usual = config("finetune", tuned=1)
    training = replace(usual.training, iterations=2, train_ways=5, validate_every=1)
    run = mc.train(usual.replace(training=training), store=store)
    assert (run.status, run.iteration) == ("finished", 2)
    learner = mc.load(run, which="last")
    before = Backbone(input_size=32, tuned=1).build((1, 28, 28), 0).trunk.first()
    after = {name: learner.params[f"features.{name}"] for name in before}
    assert any(not value.equal(before[name]) for name, value in after.items())


@pytest.fixture
def run(store: Store) -> mc.Run:
    return mc.train(config("centroid"), store=store, name="as it comes")


def test_it_comes_with_metacore_in_a_few_kilobytes(run: mc.Run, store: Store, home: Path) -> None:
    bundle(run, store.metrics(run), home / "shelf" / "centroid-glyphs")
    (shipped,) = BundledRuns(home / "shelf").runs()
    assert shipped.tested is not None
    assert sum(file.stat().st_size for file in shipped.folder.iterdir()) < 60_000
    assert (shipped.folder / "best.safetensors").stat().st_size < 2000
    assert mc.evaluate(shipped, episodes=600).mean == shipped.tested.mean


def test_it_travels(run: mc.Run, store: Store, tmp_path: Path) -> None:
    arrived = import_(store, export(store, run, tmp_path / "run.zip"))
    assert mc.evaluate(arrived, episodes=4).mean == mc.evaluate(run, episodes=4).mean


def test_other_weights_than_it_was_made_with_are_refused(
    run: mc.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WEIGHTS, LITE, replace(WEIGHTS[LITE], sha256="0" * 64))
    with pytest.raises(UserError, match=r"made with weights of efficientnet-lite0 .* 5793"):
        mc.load(run)


def test_without_its_weights_it_is_listed_and_says_what_to_do(
    run: mc.Run, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Weights, "_packaged", lambda self: None)
    (listed,) = store.runs()
    assert listed.config.model == Backbone(input_size=32)
    for ask in (mc.load, lambda run: mc.train(run.config, store=store)):
        with pytest.raises(UserError, match="weights of EfficientNet-Lite0 are not on this"):
            ask(listed)
    assert len(store.runs()) == 1


def test_it_takes_pictures_of_other_shapes(run: mc.Run) -> None:
    larger = mc.DATASETS["quickdraw"].Config()
    assert run.config.takes(larger)
    assert not run.config.takes(mc.DATASETS["sinusoid"].Config())
    assert not run.config.replace(model=Pixels()).learns
    assert mc.evaluate(run, dataset=larger, episodes=3).mean > 0.2


def test_a_forecast_says_that_nothing_is_learned() -> None:
    forecast = Forecast("cpu", "cpu", 1, 2, fits=True)
    (said,) = advice(config("protonet"), forecast)
    assert said.startswith("There is nothing to learn before the test")
    assert not [*advice(config("centroid"), forecast)]
    assert not [*advice(config("protonet", tuned=1), forecast)]


def test_a_small_network_may_learn_from_it(run: mc.Run, store: Store) -> None:
    student = mc.preset("distil", "glyphs", "demo").replace(dataset=TINY_GLYPHS)
    training = replace(student.training, iterations=2, train_ways=5, validation_episodes=2)
    algorithm = replace(student.algorithm, teacher=run.name)
    student = student.replace(algorithm=algorithm, training=training)
    assert mc.train(student, store=store).iteration == 2
