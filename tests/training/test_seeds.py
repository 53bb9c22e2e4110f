"""Runs that differ by seed only are one method; methods are told apart by what differs."""

import math
from dataclasses import replace

import pytest

from metacore.training.config import RunConfig
from metacore.training.seeds import over_seeds, repeated
from tests.training.small import small


def rate(config: RunConfig, value: float) -> RunConfig:
    return config.replace(algorithm=replace(config.algorithm, inner_rate=value))


def seeds(config: RunConfig, *wanted: int) -> list[RunConfig]:
    return [config.replace(seed=seed) for seed in wanted]


MAML = small("maml", "glyphs", schedule="constant")


def test_runs_are_grouped_by_all_but_seed_and_device() -> None:
    other = rate(MAML, 0.1)
    configs = [MAML.replace(seed=3), other, MAML.replace(device="cpu"), *seeds(other, 5, 6)]
    found = over_seeds(configs, [0.9, 0.7, 0.8, 0.6, 0.5])
    assert [method.places for method in found] == [(0, 2), (1, 3, 4)]
    assert [method.seeds for method in found] == [(3, 0), (0, 5, 6)]
    assert [method.mean for method in found] == pytest.approx([0.85, 0.6])
    assert found[1].ci95 == pytest.approx(4.303 * 0.1 / math.sqrt(3), rel=1e-4)
    assert repeated(found)


def test_a_seed_counts_once() -> None:
    (found,) = over_seeds([*seeds(MAML, 1, 2), MAML.replace(seed=1)], [0.9, 0.8, 0.1])
    assert (found.seeds, found.scores) == ((1, 2), (0.9, 0.8))


def test_methods_are_named_by_what_sets_them_apart_from_the_first_of_their_algorithm() -> None:
    training = replace(MAML.training, schedule="cosine", clip=10.0)
    other = replace(MAML.training, schedule="cosine")
    configs = [small("fomaml", "glyphs"), MAML, rate(MAML, 0.1), MAML.replace(training=training)]
    found = over_seeds([*configs, rate(MAML.replace(training=other), 0.25)], [0.5] * 5)
    assert [method.label for method in found] == [
        "First-order MAML",
        "MAML",
        "MAML, inner rate: 0.1",
        "MAML, schedule: cosine, clip: 10",
        "MAML, inner rate: 0.25, schedule: cosine",
    ]
    assert not repeated(found)


def test_differences_to_the_first_are_paired_by_seed() -> None:
    """Seeds differ far more than the methods, and seed 9 was trained with one of them only."""
    other = rate(MAML, 0.1)
    configs = [*seeds(MAML, 1, 2, 3), *seeds(other, 9, 3, 2, 1)]
    first, second = over_seeds(configs, [0.5, 0.7, 0.9, 0.1, 0.93, 0.72, 0.51])
    assert first.apart is None
    assert second.apart is not None
    assert second.apart.seeds == 3
    assert second.apart.mean == pytest.approx(0.02)
    assert second.apart.ci95 == pytest.approx(4.303 * 0.01 / math.sqrt(3), rel=1e-4)
    assert second.ci95 > 10 * second.apart.ci95


def test_the_smaller_error_is_better_and_one_shared_seed_is_no_pair() -> None:
    sine = small("maml")
    configs = [*seeds(sine, 1, 2), *seeds(rate(sine, 0.02), 1, 2), *seeds(rate(sine, 0.03), 2, 3)]
    _, better, unknown = over_seeds(configs, [0.5, 0.6, 0.4, 0.5, 0.5, 0.5])
    assert better.apart is not None
    assert better.apart.mean == pytest.approx(0.1)
    assert unknown.apart is None


def test_json_has_no_infinity() -> None:
    (found,) = over_seeds(seeds(small("maml"), 1, 2), [math.inf, 0.5])
    written = found.to_dict()
    assert (written["scores"], written["mean"], written["ci95"]) == ([None, 0.5], None, None)
    assert over_seeds([MAML], [0.5])[0].to_dict()["ci95"] is None
