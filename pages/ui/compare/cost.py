"""What each run keeps of a task and what that costs it: a table, and the score against a cost."""

from typing import Any

import streamlit as st

from metacore import Run, UserError
from metacore.answers.questions import Costs, Learned
from metacore.insight.cost import Cost
from metacore.runs import ComparisonJob
from pages.ui import charts, say, waiting, widgets, words
from pages.ui.compare.choice import CompareChoice
from pages.ui.compare.downloads import take
from pages.ui.figures import comparison as figures

AGAINST = {
    "Bytes per task": "kept_bytes",
    "Taking in": "take_in_ms",
    "Answering": "answer_ms",
    "Parameters": "parameters",
    "Meta-training": "training_seconds",
}
FIRST = "Evaluate the runs above on these tasks: then their scores are drawn against their costs."

Row = dict[str, Any]


def cost(choice: CompareChoice, answered: ComparisonJob | None) -> None:
    """The table needs no score; the chart has those of the verdict above."""
    try:
        question = asked(choice)
        found = waiting.one(question)
        said = "Measuring what a task costs each run"
        waiting.bar([question], said, key="costs", partial=True)
        if found.error:
            raise found.error
    except UserError as error:
        say.error(error)
        return
    if found.value:
        rows = [_row(*both) for both in zip(choice.runs, found.value, strict=False)]
        _table(rows, found.value)
        if found.complete:
            _chart(rows, _same(choice, answered))


def asked(choice: CompareChoice) -> Costs:
    return Costs(
        learned=tuple(Learned.by(run) for run in choice.runs),
        spec=choice.spec(0),
        steps=choice.steps,
        norm=choice.norm,
    )


def _row(run: Run, found: Cost) -> Row:
    return {
        "run": run.id,
        "name": run.name,
        **found.to_dict(),
        "training_seconds": run.seconds,
        "meta_steps": run.iteration,
    }


def _table(rows: list[Row], costs: tuple[Cost, ...]) -> None:
    batch = costs[0].batch
    st.table(
        [
            {
                "Run": words.plain(row["name"]),
                "Keeps of a task": row["kept"],
                "Bytes": words.count(row["kept_bytes"]),
                "Takes it in within": _time(row["take_in_ms"]),
                "Answers a query in": _time(row["answer_ms"]),
                f"All {batch} in": _time(row["batch_ms"]),
                "Parameters": words.count(row["parameters"]),
                "Meta-training": _training(row),
            }
            for row in rows
        ],
        border="horizontal",
        hide_index=True,
        alt="A row for every run: what it keeps of a task, in bytes, and its times.",
    )
    st.caption(
        "Parameters are learned once and shared by all tasks; what is kept is stored for every"
        " task, to answer later queries. Times are medians on one thread of this computer, without"
        " dealing the task."
    )


def _time(milliseconds: float) -> str:
    return words.unbroken(words.brief(milliseconds / 1000))


def _training(row: Row) -> str:
    return words.duration(row["training_seconds"]) if row["meta_steps"] else "none"


def _same(choice: CompareChoice, answered: ComparisonJob | None) -> ComparisonJob | None:
    """The scores, if they are about these runs on these tasks."""
    if answered is None or answered.result is None:
        return None
    question = choice.question(episodes=answered.question.episodes)
    return answered if question.to_dict() == answered.question.to_dict() else None


def _chart(rows: list[Row], answered: ComparisonJob | None) -> None:
    if answered is None or answered.result is None:
        st.info(FIRST, icon=":material/arrow_upward:")
        take("cost", rows, key="cost")
        return
    by = AGAINST[
        widgets.switch(
            st,
            "Cost",
            "cost",
            [*AGAINST],
            help="What is paid for the score: once before, or again for every task.",
        )
    ]
    scored = [{**row, **one} for row, one in zip(answered.result["rows"], rows, strict=True)]
    metric = scored[0]["metric"]
    about = answered.id, by, tuple(row[by] for row in rows)
    charts.chart(
        charts.cached("cost", about, lambda: figures.cost(scored, by, charts.theme())),
        f"{words.METRIC[metric].capitalize()} against {figures.COST[by]}",
        alt=f"A dot for each run: its score against {figures.COST[by]}, on a logarithmic axis.",
        key="cost chart",
    )
    taken = [
        {"name": row["name"], metric: scores["evaluation"][metric], **row}
        for row, scores in zip(rows, scored, strict=True)
    ]
    take("cost", taken, key="cost")
