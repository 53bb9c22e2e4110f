"""The reference of a run is its own network, untrained."""

import pytest

from metacore.insight.reference import from_scratch
from metacore.training.config import RunConfig
from metacore.training.presets import pairs, preset


@pytest.mark.parametrize(("algorithm", "dataset"), pairs())
def test_every_run_has_one_with_its_own_network(algorithm: str, dataset: str) -> None:
    config = preset(algorithm, dataset)
    reference = from_scratch(config)
    assert reference.algorithm_class.name == "scratch"
    assert (reference.model, reference.dataset, reference.seed) == (
        config.model,
        config.dataset,
        config.seed,
    )


def rate(config: RunConfig) -> float:
    return from_scratch(config).algorithm.inner_rate


def test_its_steps_are_as_large_as_those_of_the_run() -> None:
    maml = preset("maml", "glyphs")
    assert rate(maml) == maml.algorithm.inner_rate == 0.4
    assert rate(preset("reptile", "sinusoid")) == 0.01


def test_steps_of_another_kind_are_not_taken_over() -> None:
    """Reptile's Adam on drawings moves by 0.001: a plain step of that size would do nothing."""
    assert rate(preset("reptile", "glyphs")) == rate(preset("protonet", "glyphs")) == 0.1
