"""What a score depends on: training, inner steps, shots, ways, and cost; one chart at a time."""

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from metacore.answers.questions import Room
from metacore.runs import ComparisonJob, result_json, rows_csv
from pages.ui import charts, engine, waiting, widgets, words
from pages.ui.compare.choice import CompareChoice
from pages.ui.compare.cost import cost
from pages.ui.compare.downloads import give, take
from pages.ui.compare.evaluation import answer, words_of
from pages.ui.figures import comparison as figures
from pages.ui.figures import learning

LEARNING, STEPS, SHOTS, WAYS, COST = "Learning", "Inner steps", "Shots", "Ways", "Cost"
AGAINST = {"Meta-steps": "iterations", "Tasks seen": "episodes", "Time": "seconds"}
SWEPT = {"shots": (1, 2, 3, 5, 10, 15), "ways": (2, 5, 10, 15, 20, 30)}
SWEEP_EPISODES = 200
FIRST = "Evaluate the runs above first: this chart is drawn from those numbers."


def curves(
    choice: CompareChoice, answered: ComparisonJob | None, linked: dict[str, ComparisonJob | None]
) -> None:
    options = [LEARNING, STEPS, SHOTS, *(() if choice.regression else (WAYS,)), COST]
    help = "What the score is shown to depend on."
    picked = widgets.switch(st, "Score against", "chart", options, help=help)
    draw: dict[str, Callable[[], None]] = {
        LEARNING: lambda: learned(choice),
        STEPS: lambda: steps(answered),
        SHOTS: lambda: sweep(choice, "shots", linked["shots"]),
        WAYS: lambda: sweep(choice, "ways", linked["ways"]),
        COST: lambda: cost(choice, answered),
    }
    draw[picked]()


def learned(choice: CompareChoice) -> None:
    against = AGAINST[
        widgets.switch(
            st,
            "Against",
            "against",
            [*AGAINST],
            help="Meta-steps of one algorithm can cost far more than those of another.",
        )
    ]
    found = [
        learning.History.of(run, engine.store().metrics(run), color)
        for run, color in zip(choice.runs, choice.colors, strict=True)
    ]
    key = f"val_{choice.metric}"
    trained = [history for history in found if len(history.column(key)[0]) > 1]
    if not trained:
        st.info("None of these runs was meta-trained long enough to have a learning curve.")
        return
    charts.chart(
        charts.cached(
            "learning",
            (*((run.id, run.iteration, run.ended) for run in choice.runs), against),
            lambda: learning.validation(trained, charts.theme(), against, height=360),
        ),
        "How the runs learned: each on the validation tasks it was trained for",
        alt=f"Validation against {learning.AGAINST[against]}, a line with its band for each run.",
        key="learning curves",
    )
    untrained = [words.plain(history.name) for history in found if history not in trained]
    if untrained:
        st.caption(f"Without meta-training, so without a curve: {', '.join(untrained)}.")
    rows = [
        {"name": history.name, "step": step, "seconds": seconds, key: value}
        for history in trained
        for step, seconds, value in zip(*history.column(key), strict=True)
    ]
    take("learning-curves", rows, key="learning")


def steps(answered: ComparisonJob | None) -> None:
    if answered is None or answered.result is None:
        st.info(FIRST, icon=":material/arrow_upward:")
        return
    rows = answered.result["rows"]
    charts.chart(
        charts.cached("steps", answered.id, lambda: figures.by_steps(rows, charts.theme())),
        f"{words.METRIC[rows[0]['metric']].capitalize()} after every inner step",
        alt="The score against the number of inner steps, a line with its intervals for each run.",
        key="by steps",
        help="Methods that answer without an inner step have a level line.",
    )
    taken: list[dict[str, Any]] = [
        {"name": row["name"], **point} for row in rows for point in row["evaluation"]["per_step"]
    ]
    take("inner-steps", taken, key="steps")


def sweep(choice: CompareChoice, kind: str, linked: ComparisonJob | None) -> None:
    values = _possible(choice, kind)
    if len(values) < 2:
        st.info(f"This dataset has too few examples or classes to vary the {kind}.")
        return
    listed = ", ".join(str(value) for value in values)
    found = answer(
        f"by_{kind}",
        choice.question(episodes=SWEEP_EPISODES, sweep=kind, values=values),
        linked,
        label=f"Evaluate at {listed} {kind}",
        help=f"{SWEEP_EPISODES} shared episodes for every run and value, in the background.",
    )
    if found is None or found.result is None:
        return
    metric, swept = found.result["rows"][0]["metric"], found.result["sweep"]
    ways = found.question.ways
    draw = partial(figures.by_value, swept, metric, charts.theme(), ways=ways)
    charts.chart(
        charts.cached("sweep", found.id, draw),
        f"{words.METRIC[metric].capitalize()} against {kind}",
        alt=f"The score against the number of {kind}, a line with its intervals for each run.",
        key=f"by {kind}",
        help="The weights stay the same: nothing is trained anew for these tasks.",
    )
    name = f"{kind}-{found.id}"
    files = {
        f"{name}.csv": ("CSV", rows_csv(found.result), "A line per run, a column per value."),
        f"{name}.json": ("JSON", result_json(found.result), "The question and the answer."),
    }
    give(files, key=kind)
    st.caption(f"Asked: {words_of(found.question)}.")


def _possible(choice: CompareChoice, kind: str) -> list[int]:
    """The values for which the test classes have enough drawings."""
    if choice.regression:
        return [*SWEPT[kind]]
    room = waiting.one(Room(spec=choice.spec(0))).value
    if room is None:
        return [*SWEPT[kind]]  # too many are refused when they are asked for
    most = {"shots": room.drawings - choice.queries, "ways": room.classes}[kind]
    return [value for value in SWEPT[kind] if value <= most]
