"""What nobody foresaw trains, goes on after an interruption, is tested, compared and traced."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

import metacore as mc
from metacore.errors import UserError
from metacore.insight.space import space
from metacore.insight.trace import trace
from metacore.randomness import generator
from metacore.training.presets import pairs
from metacore.training.trainer import Trainer
from tests.extension.conftest import brief
from tests.extension.toys import LEAN, TEMPERATURE, FlagsConfig
from tests.training.test_trainer import StopAt


def test_presets_are_what_the_algorithm_and_the_dataset_say() -> None:
    config = mc.preset("thermal", "flags", "demo")
    assert (config.model_name, config.training.iterations) == ("glance", 80)
    assert ("thermal", "glyphs") in pairs()
    assert ("maml", "flags") in pairs()
    assert ("thermal", "sinusoid") not in pairs()


def test_a_run_is_read_back_from_its_own_record(flags: FlagsConfig) -> None:
    config = brief("thermal", flags)
    assert mc.RunConfig.from_dict(config.to_dict()) == config
    assert config.input_shape == (3, 20, 20)


def test_its_own_parameter_is_learned(thermal: mc.Run) -> None:
    learner = mc.load(thermal, which="last")
    start = learner.algorithm.init(generator(thermal.config.seed, "init"))
    for name in (TEMPERATURE, "features.places.weight", "features.patches.weight"):
        assert not learner.params[name].equal(start[name]), name
    found = learner.algorithm.learned_by_layer(learner.params)
    assert found is not None
    assert found.values["temperature"].item() != pytest.approx(1.0, abs=1e-6)


def test_what_is_not_of_the_network_is_learned_too(blend: mc.Run) -> None:
    assert mc.load(blend, which="last").params[LEAN][:3].abs().min() > 0


def test_a_seed_decides_what_the_network_starts_from(flags: FlagsConfig) -> None:
    drawn = []
    for noise in (1, 2):
        torch.manual_seed(noise)  # whatever others draw
        drawn.append(mc.build(brief("thermal", flags)).params)
    for name, value in drawn[0].items():
        assert value.equal(drawn[1][name]), name


@pytest.mark.parametrize("algorithm", ["thermal", "blend", "maml", "anil", "meta-sgd", "reptile"])
def test_an_interrupted_run_ends_as_if_it_had_not_been(algorithm: str, flags: FlagsConfig) -> None:
    config = brief(algorithm, flags, iterations=4)
    whole = Trainer(config)
    whole.run()
    half = Trainer(config, callbacks=[StopAt(2)])
    assert half.run() == "cancelled"
    rest = Trainer(config)
    rest.restore(half.checkpoint())
    assert rest.run() == "finished"
    for name, value in whole.params.items():
        assert value.equal(rest.params[name]), name


def test_a_run_is_resumed_from_its_folder(thermal: mc.Run) -> None:
    store = mc.Store()
    longer = mc.runs.execute(store, mc.runs.resume(store, thermal, iterations=9))
    assert (longer.status, longer.iteration) == ("finished", 9)


def test_it_is_evaluated_and_compared(thermal: mc.Run, maml: mc.Run) -> None:
    found = mc.evaluate(thermal, episodes=6)
    assert (found.protocol.norm, found.protocol.ways, len(found.values)) == ("none", 3, 6)
    assert 0 <= found.mean <= 1
    both = mc.compare([thermal, maml], episodes=6)
    assert both.names == ["warm flags", "quick flags"]
    assert math.isfinite(both.differences[0].mean)


def test_classes_that_are_too_small_are_left_out_or_said(thermal: mc.Run) -> None:
    assert mc.evaluate(thermal, ways=4, shots=5, queries=4, episodes=2).protocol.shots == 5
    with pytest.raises(UserError, match="only 6 of the 8 classes of flags's test split"):
        mc.evaluate(thermal, ways=7, shots=5, queries=4, episodes=2)


def test_it_is_traced_and_its_space_answers_alike(thermal: mc.Run) -> None:
    learner = mc.load(thermal)
    episode = learner.dataset.episodes("test", ways=3, shots=2, queries=2, seed=0, numbers=range(1))
    seen = trace(learner, episode)
    assert seen.explained is not None
    assert seen.query_probabilities is not None
    inside = space(learner, seen.explained.support[0], episode.support_y[0].numpy(), 3)
    answered = inside.probabilities(seen.explained.query[0])
    np.testing.assert_allclose(answered, seen.query_probabilities[-1, 0], atol=1e-5)


def test_what_it_keeps_of_a_task_is_said_and_measured(
    thermal: mc.Run, blend: mc.Run, maml: mc.Run
) -> None:
    kept = [mc.cost(run, ways=3, shots=2) for run in (thermal, blend, maml)]
    assert [each.kept for each in kept] == [
        "3 prototypes",
        "6 embedded examples and 6 labels",
        "all its weights",
    ]
    width = thermal.config.model.to_dict()["width"]
    assert [each.kept_bytes for each in kept[:2]] == [3 * width * 4, 6 * (width * 4 + 8)]
    assert min(each.answer_ms for each in kept) > 0


def test_other_sizes_are_refused_with_both_names(thermal: mc.Run, flags: FlagsConfig) -> None:
    with pytest.raises(UserError, match=r"Flags \(20 x 20 .*\) and cannot be asked about Glyphs"):
        mc.evaluate(thermal, dataset="glyphs", episodes=2)
    with pytest.raises(UserError, match=r"asked about Flags \(10 x 10 pixels in colour\)"):
        mc.evaluate(thermal, dataset=replace(flags, side=10), episodes=2)
