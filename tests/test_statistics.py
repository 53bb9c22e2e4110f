"""Means, intervals and verdicts against hand computations."""

import math

import pytest
import torch

from metacore.statistics import mean_ci95, paired_difference, score, significant, t_interval, wilson

INF = float("inf")


def test_the_interval_is_the_textbooks() -> None:
    """Mean 5, sample variance 32/7 over 8 values: 1.96 · sqrt(32/7/8)."""
    mean, ci95 = mean_ci95(torch.tensor([2.0, 4, 4, 4, 5, 5, 7, 9]))
    assert mean == 5
    assert ci95 == pytest.approx(1.96 * math.sqrt(4 / 7))


def test_one_value_has_no_interval() -> None:
    assert mean_ci95(torch.tensor([3.0])) == (3.0, INF)


@pytest.mark.parametrize(
    ("values", "reach"),
    [(2, 12.706), (3, 4.303), (5, 2.776), (11, 2.228), (12, 2.201), (21, 2.086), (31, 2.042)],
)
def test_an_interval_of_few_values_is_students(values: int, reach: float) -> None:
    """Two-sided 5% points as every textbook prints them, for one degree of freedom fewer."""
    sample = torch.arange(values, dtype=torch.float64)
    mean, ci95 = t_interval(sample.tolist())
    assert mean == (values - 1) / 2
    assert ci95 == pytest.approx(reach * sample.std().item() / math.sqrt(values), rel=3e-4)


def test_one_value_has_no_interval_by_t_either() -> None:
    assert t_interval([0.5]) == (0.5, INF)


def test_small_differences_survive_single_precision() -> None:
    mean, _ = mean_ci95(torch.full((100_000,), 0.1))
    assert mean == pytest.approx(0.1, abs=1e-8)


@pytest.mark.parametrize(
    ("right", "total", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29 - 1, 29, 1 - 0.1718, 1 - 0.0061),
    ],
)
def test_wilsons_interval_is_the_published_one(
    right: int, total: int, low: float, high: float
) -> None:
    """Method 3 of Newcombe (1998), table I; the last by symmetry."""
    assert wilson(right, total) == pytest.approx((low, high), abs=5e-5)


def test_a_share_of_nothing_may_be_anything() -> None:
    assert wilson(0, 0) == (0.0, 1.0)


def test_pairing_sees_what_the_intervals_hide() -> None:
    """Tasks differ far more than the runs, but one run is a bit better on every task."""
    hard = torch.linspace(0, 1, 100)
    noise = torch.tensor([0.001, -0.001]).repeat(50)
    found = paired_difference("a", "b", hard + 0.02 + noise, hard, accuracy=True)
    assert found.mean == pytest.approx(0.02)
    assert found.ci95 == pytest.approx(1.96 * 0.001 * math.sqrt(100 / 99) / 10, rel=1e-3)
    assert found.verdict == "a is better than b by 2.0 ± 0.0 points"


def test_the_smaller_error_is_better() -> None:
    large, small = torch.tensor([2.0, 2.1, 2.2]), torch.tensor([1.0, 1.1, 1.2])
    found = paired_difference("large", "small", large, small, accuracy=False)
    assert found.mean == pytest.approx(-1)
    assert found.verdict.startswith("small is better than large by 1 ± ")
    assert found.verdict.endswith(" in MSE")


def test_equal_runs_are_not_told_apart() -> None:
    values = torch.rand(50)
    found = paired_difference("a", "b", values, values, accuracy=True)
    assert (found.mean, found.verdict) == (0, "no difference shown between a and b")


def test_a_difference_within_its_interval_is_none() -> None:
    found = paired_difference(
        "a", "b", torch.tensor([1.0, 0, 1, 0]), torch.tensor([0.0, 1, 0, 0]), accuracy=True
    )
    assert found.mean == pytest.approx(0.25)
    assert found.verdict == "no difference shown between a and b"


def test_diverged_tasks_are_counted_in_the_verdict() -> None:
    a = torch.tensor([1.0, 1.1, INF, float("nan"), 1.2])
    b = torch.tensor([2.0, 2.1, 2.2, 2.3, 2.2])
    found = paired_difference("a", "b", a, b, accuracy=False)
    assert found.mean == pytest.approx(1)
    assert found.verdict.endswith("(2 diverged episodes left out)")


def test_where_all_diverged_nothing_is_claimed() -> None:
    found = paired_difference(
        "a", "b", torch.full((3,), INF), torch.tensor([1.0, 2, 3]), accuracy=False
    )
    assert found.verdict == "no difference shown between a and b (3 diverged episodes left out)"


@pytest.mark.parametrize(
    ("metric", "mean", "ci95", "text"),
    [
        ("accuracy", 0.9732, 0.0041, "97.3 ± 0.4 %"),
        ("accuracy", 0.5, None, "50.0 %"),
        ("accuracy", None, None, "–"),
        ("mse", 0.3814, 0.0306, "0.381 ± 0.031"),
        ("mse", INF, float("nan"), "infinite"),
        ("mse", None, None, "infinite"),
        ("mse", 2.0, INF, "2.000"),
    ],
)
def test_scores_are_said_as_a_scientist_would(
    metric: str, mean: float | None, ci95: float | None, text: str
) -> None:
    assert score(metric, mean, ci95) == text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        *((110.4, "110"), (99.6, "100"), (9.96, "10"), (4.25, "4.2"), (0.0612, "0.061")),
        *((1234.0, "1200"), (0.38, "0.38"), (0.0, "0"), (-110.0, "-110"), (INF, "infinite")),
    ],
)
def test_numbers_are_written_out(value: float, said: str) -> None:
    assert significant(value) == said
