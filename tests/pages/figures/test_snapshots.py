"""The adaptation strip tells the start from now, and methods with one step from those with more."""

from typing import Any

from pages.ui.figures import snapshots

EPISODE = {"grid": None, "episode": {"ways": 5}}


def moment(iteration: int, *scores: float | None) -> dict[str, Any]:
    return {"iteration": iteration, "query_score": list(scores), "curves": [[0.0, 1.0]] * 2}


def recorded(*moments: dict[str, Any], **more: Any) -> dict[str, Any]:
    steps = list(range(len(moments[0]["query_score"])))
    return {"metric": "accuracy", "steps": steps, "moments": list(moments), **EPISODE, **more}


def test_the_start_is_dotted_and_now_is_bold() -> None:
    found = recorded(moment(0, 0.2, 0.3), moment(5, 0.2, 0.5), moment(9, 0.2, 0.9))
    first, between, now, chance = snapshots.scores(found, "#0072B2", "light").data
    assert (first.name, first.line.dash) == ("at the start", "dot")
    assert now.name == "after 9 meta-steps"
    assert now.line.width > between.line.width
    assert not between.showlegend
    assert list(now.y.round(1)) == [0.2, 0.9]
    assert (chance.name, list(chance.x), list(chance.y.round(1))) == ("chance", [0, 1], [0.2, 0.2])


def test_a_run_that_has_just_begun_has_one_line() -> None:
    only, _chance = snapshots.scores(recorded(moment(0, 0.2, 0.3)), "#0072B2", "dark").data
    assert only.name == "after 0 meta-steps"


def test_one_computation_is_drawn_over_the_training() -> None:
    found = recorded(moment(0, 0.2), moment(40, 0.8))
    figure = snapshots.scores(found, "#D55E00", "light")
    assert list(figure.data[0].x) == [0, 40]
    assert figure.layout.xaxis.title.text == "meta-step"


def test_what_diverged_is_a_gap() -> None:
    found = recorded(moment(0, 4.0, None), moment(9, 4.0, 0.5), metric="mse")
    assert [value != value for value in snapshots.scores(found, "#0072B2", "light").data[0].y] == [
        False,
        True,
    ]


def test_the_curve_bends_within_the_reach_of_the_truth() -> None:
    found = recorded(moment(0, 4.0, 3.0), moment(9, 4.0, 0.5), metric="mse")
    found["grid"] = [-1.0, 1.0]
    figure = snapshots.bending(found, "#0072B2", "light", truth=[-2.0, 2.0], points=[(0.0, 0.0)])
    assert [trace.name for trace in figure.data] == [
        "true curve",
        "at the start",
        "after 9 meta-steps",
        "support points",
    ]
    assert tuple(figure.layout.yaxis.range) == (-2.8, 2.8)
