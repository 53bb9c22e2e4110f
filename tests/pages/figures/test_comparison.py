"""Figures of a comparison say what its rows say."""

from typing import Any

import numpy as np
import pytest

from pages.ui import palette
from pages.ui.figures import comparison, seeds
from pages.ui.figures.confusion import matrix


def row(name: str, score: float | None, ci95: float | None = 0.01, **more: Any) -> dict[str, Any]:
    metric = more.pop("metric", "accuracy")
    taken = more.pop("steps", (0, 1, 5))
    steps = [{"step": step, "mean": score, "ci95": ci95} for step in taken]
    evaluation = {"ci95": ci95, "per_step": steps, "steps": taken[-1], "ways": 5}
    return {
        "run": name,
        "name": name,
        "algorithm": "maml",
        "metric": metric,
        "evaluation": {metric: score, **evaluation},
        "published": None,
        "training_seconds": 600.0,
        "answer_ms": 0.5,
        "parameters": 1000,
        "meta_steps": 10,
        **more,
    }


def test_scores_have_their_intervals_and_published_numbers_beside_them() -> None:
    rows = [row("a", 0.9, 0.02), row("b", 0.8, published={"value": 0.95, "ci95": None})]
    first, second, papers = comparison.scores(rows, "light").data
    assert (first.x[0], first.error_x.array[0], first.y[0]) == (0.9, 0.02, "a")
    assert first.marker.color != second.marker.color  # two runs of one algorithm
    assert (papers.name, list(papers.x), list(papers.y)) == ("published", [0.95], ["b"])


def test_what_nobody_can_beat_is_a_line() -> None:
    figure = comparison.scores([row("a", 0.4, metric="mse")], "light", best=0.3)
    (line,) = figure.layout.shapes
    assert (line.x0, line.x1) == (0.3, 0.3)
    assert figure.layout.annotations[0].text == "best possible"


def test_an_infinite_error_has_no_dot() -> None:
    rows = [row("wild", None, None, metric="mse"), row("tame", 0.4, metric="mse")]
    assert [trace.name for trace in comparison.scores(rows, "light").data] == ["tame"]
    by_steps = comparison.by_steps(rows, "dark")
    assert [len(trace.y) for trace in by_steps.data] == [0, 3]


def test_a_difference_is_filled_only_where_its_interval_leaves_zero() -> None:
    pairs = [
        {"first": "a", "second": "b", "mean": 0.02, "ci95": 0.006},
        {"first": "a", "second": "c", "mean": 0.002, "ci95": 0.006},
        {"first": "b", "second": "c", "mean": None, "ci95": None},
    ]
    shown, hidden = comparison.differences(pairs, "accuracy", "light").data
    assert (shown.x[0], shown.error_x.array[0]) == (2.0, pytest.approx(0.6))  # in points
    assert (shown.marker.symbol, hidden.marker.symbol) == ("circle", "circle-open")


def test_who_adapts_at_once_is_a_level_line_over_all_steps() -> None:
    rows = [row("steps", 0.9, steps=(0, 1, 5)), row("at once", 0.8, steps=(0,))]
    _, level, chance = comparison.by_steps(rows, "light").data
    assert list(level.x) == [0, 5]
    assert np.allclose(level.y, 0.8)
    assert (chance.name, list(chance.x)) == ("chance", [0, 5])
    assert np.allclose(chance.y, 0.2)


def test_chance_falls_with_the_ways() -> None:
    points = [{"value": ways, "mean": 0.9, "ci95": 0.1} for ways in (2, 20)]
    swept = {"kind": "ways", "values": [2, 20], "rows": [{**row("a", 0.9), "scores": points}]}
    chance = comparison.by_value(swept, "accuracy", "light", ways=5).data[-1]
    assert np.allclose(chance.y, [0.5, 0.05])


def test_a_logarithmic_axis_writes_its_numbers_out() -> None:
    """`200`, where Plotly itself would write `2`."""
    rows = [row("a", 0.9, training_seconds=150.0), row("b", 0.8, training_seconds=600.0)]
    axis = comparison.cost(rows, "training_seconds", "light").layout.xaxis
    assert list(axis.ticktext) == ["100", "200", "500", "1\u202f000"]
    assert list(axis.tickvals) == [100, 200, 500, 1000]


def test_what_cost_no_training_is_a_level_line() -> None:
    rows = [row("trained", 0.9), row("scratch", 0.6, meta_steps=0, training_seconds=2.7)]
    made = comparison.cost(rows, "training_seconds", "light")
    assert [trace.name for trace in made.data] == ["trained"]
    (line,) = made.layout.shapes
    assert (line.y0, line.y1) == (0.6, 0.6)
    assert "scratch" in made.layout.annotations[0].text
    low, high = made.layout.xaxis.range
    assert 10**low <= 600 <= 10**high
    assert not comparison.cost(rows, "answer_ms", "light").layout.shapes


def test_errors_far_apart_are_on_a_logarithmic_axis() -> None:
    def sweep(*means: float) -> dict[str, Any]:
        scores = [{"value": n + 1, "mean": m, "ci95": 0.1} for n, m in enumerate(means)]
        rows = [{"name": "a", "algorithm": "maml", "scores": scores}]
        return {"kind": "shots", "values": [1, 2], "rows": rows}

    def axis(scores: dict[str, Any], metric: str) -> str:
        return comparison.by_value(scores, metric, "light", ways=5).layout.yaxis.type

    assert axis(sweep(500, 0.4), "mse") == "log"
    assert axis(sweep(0.9, 0.4), "mse") != "log"
    assert axis(sweep(0.9, 0.01), "accuracy") != "log"


def test_a_matrix_shows_mistakes_apart_and_every_cell_can_be_clicked() -> None:
    counts = np.array([[8, 2], [0, 10]])
    color = palette.algorithm("maml", "light")
    made = matrix(counts, ["data:a", "data:b"], ["cat", "dog"], color, "light")
    right, wrong, handles = made.data
    assert np.array_equal(right.z, [[8, np.nan], [np.nan, 10]], equal_nan=True)
    assert np.array_equal(wrong.z, [[np.nan, 2], [np.nan, np.nan]], equal_nan=True)
    places = list(zip(handles.y, handles.x, handles.customdata, strict=True))
    assert [(row, column) for row, column, _ in places] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert places[1][2] == "cat, taken for dog: 2 times"
    assert {image.source for image in made.layout.images} == {"data:a", "data:b"}
    assert len(made.layout.images) == 4  # beside its row and above its column
    again = matrix(counts, ["data:a", "data:b"], ["cat", "dog"], color, "light")
    assert again.to_json() == made.to_json()  # or a selection would be lost


def method(label: str, scores: list[float], mean: float, apart: Any = None) -> dict[str, Any]:
    numbers = {"seeds": [*range(len(scores))], "scores": scores, "mean": mean, "ci95": 0.01}
    return {"label": label, "algorithm": "maml++", **numbers, "apart": apart}


def test_every_seed_has_a_dot_and_the_mean_its_interval() -> None:
    methods = [method("MAML++", [0.9, 0.92], 0.91), method("MAML++, clip: 1", [0.8, None], 0.8)]
    dots, mean, others, _ = seeds.scores(methods, "accuracy", "light").data
    assert (list(dots.x), list(dots.text)) == ([0.9, 0.92], ["seed 0", "seed 1"])
    assert (mean.x[0], mean.error_x.array[0]) == (0.91, 0.01)
    assert list(others.x) == [0.8]
    assert others.y[0] == "MAML++,<br>clip: 1"


def test_differences_between_methods_are_filled_beyond_chance() -> None:
    methods = [
        method("MAML++", [0.9], 0.9),
        method("a", [0.8], 0.8, {"mean": -0.1, "ci95": 0.02, "seeds": 3}),
        method("b", [0.9], 0.9, {"mean": 0.01, "ci95": 0.02, "seeds": 3}),
        method("c", [0.9], 0.9),
    ]
    worse, unclear = seeds.differences(methods, "accuracy", "dark").data
    assert (worse.x[0], worse.error_x.array[0]) == (-10.0, pytest.approx(2.0))
    assert (worse.marker.symbol, unclear.marker.symbol) == ("diamond", "diamond-open")
