"""The background of an episode holds what its others did."""

import numpy as np
import pytest

from metacore.insight.spread import spread


def test_the_middle_95_of_a_hundred_leaves_out_the_outermost() -> None:
    values = np.random.default_rng(0).permutation(np.arange(100.0)).astype(np.float32)[None]
    found = spread(values)
    assert (found.low[0], found.high[0]) == (2, 97)
    assert found.mean[0] == pytest.approx(49.5)
    assert found.episodes == 100
    assert found.last == pytest.approx(49.5)
    assert found.ci95 == pytest.approx(1.96 * np.arange(100.0).std(ddof=1) / 10)


def test_bounds_are_possible_values() -> None:
    """Between 0 and 1 of 25 queries there is nothing; above all of them neither."""
    values = np.array([[0.96, 1.0, 1.0, 0.92], [1.0, 1.0, 1.0, 1.0]], np.float32)
    found = spread(values)
    assert set(found.low) <= set(values.flatten())
    assert found.high.max() == 1.0


def test_a_diverged_task_is_not_forgotten() -> None:
    found = spread(np.array([[0.1, np.nan, 0.2]], np.float32))
    assert found.last == np.inf
    assert found.mean[0] == np.inf
