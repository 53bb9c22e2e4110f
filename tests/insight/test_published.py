"""A number that is published stands beside a run: one that no run can find is of no use."""

import pytest

from metacore.algorithms import ALGORITHMS
from metacore.datasets import DATASETS
from metacore.insight.published import PUBLISHED, PUBLISHED_CURVES, Published, published


@pytest.mark.parametrize("entry", PUBLISHED, ids=lambda entry: f"{entry.method} {entry.norm}")
def test_every_number_is_found_by_a_run_of_its_kind(entry: Published) -> None:
    assert entry.method in ALGORITHMS
    assert entry.dataset in DATASETS
    task = {"ways": entry.ways, "shots": entry.shots, "norm": entry.norm}
    assert published(entry.method, entry.dataset, **task) == entry


def test_every_curve_is_found_by_a_run_of_its_kind() -> None:
    assert all(curve.method in ALGORITHMS for curve in PUBLISHED_CURVES)
    assert all(curve.dataset in DATASETS for curve in PUBLISHED_CURVES)
