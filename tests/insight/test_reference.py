"""The reference of a run is its own network, untrained."""

import pytest

from metacore.insight.reference import from_scratch, possible
from metacore.training.presets import preset
from tests.training.small import some_pairs

CASES = [pair for pair in some_pairs() if not preset(*pair).model.pretrained]


@pytest.mark.parametrize(("algorithm", "dataset"), CASES)
def test_every_run_has_one_with_its_own_network(algorithm: str, dataset: str) -> None:
    config = preset(algorithm, dataset)
    reference = from_scratch(config)
    assert reference.algorithm_class.name == "scratch"
    assert (reference.model, reference.dataset, reference.seed) == (
        config.model,
        config.dataset,
        config.seed,
    )


@pytest.mark.parametrize(("algorithm", "dataset"), CASES)
def test_it_is_the_run_from_scratch_with_that_network_and_seed(
    algorithm: str, dataset: str
) -> None:
    """One rival: a page that has it as a reference and one that has it as a run say one number."""
    assert (
        from_scratch(preset(algorithm, dataset)).algorithm == preset("scratch", dataset).algorithm
    )


def test_a_pretrained_network_has_none() -> None:
    """It has learned before, whatever its run did."""
    assert not possible(preset("centroid", "glyphs"))
    assert possible(preset("protonet", "glyphs"))
