"""The table of all runs: a row each, with a small learning curve, filtered and picked from."""

import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

import pandas as pd
import streamlit as st

from metacore import ALGORITHMS, Run, UserError
from metacore.runs import STATUSES, Metric
from pages.ui import engine, palette, pick, state, status, widgets, words

CURVE_POINTS = 40
ROW_PIXELS, HEAD_PIXELS = 38, 54
MOST_KNOWN = 2000  # runs whose rows stay in memory
MOST_ROWS = 18  # more are scrolled to
SCORES = (
    "on test tasks where the run was tested, else the best of its validations, which chose its"
    " weights and flatter it; ± is the 95% confidence interval."
)


def filters() -> Callable[[Run], bool]:
    """The search field and its companions; what they let through."""
    text, status, algorithm = st.columns([2, 1, 1])
    sought = widgets.text(
        text,
        "Search",
        "search",
        type="search",
        live="300ms",
        placeholder="name, tag, note, dataset …",
        help="Shows the runs in whose name, tags, note, algorithm or dataset all words occur.",
    )
    statuses = widgets.several(
        status,
        "Status",
        "status",
        STATUSES,
        usual=(),
        most=len(STATUSES),
        placeholder="any",
        help="Shows only runs with one of these statuses.",
    )
    algorithms = widgets.several(
        algorithm,
        "Algorithm",
        "algorithm",
        {name: kind.title for name, kind in ALGORITHMS.items()},
        usual=(),
        most=len(ALGORITHMS),
        placeholder="any",
        help="Shows only runs of one of these algorithms.",
    )
    return partial(passes, sought=sought, statuses=statuses, algorithms=algorithms)


def passes(
    run: Run, *, sought: str = "", statuses: Sequence[str] = (), algorithms: Sequence[str] = ()
) -> bool:
    if statuses and run.status not in statuses:
        return False
    if algorithms and pick.kind(run) not in algorithms:
        return False
    searched = (
        run.name,
        *run.tags,
        run.note,
        pick.title(run),
        pick.kind(run),
        dataset(run),
        run.id,
    )
    text = " ".join(searched).casefold()
    return all(word in text for word in sought.casefold().split())


def clear_filters() -> None:
    state.drop("search", "status", "algorithm")


@lru_cache(MOST_KNOWN)
def flaw(run: Run) -> str:
    """Why its settings cannot be read; nothing for the runs of this version of Metacore."""
    try:
        _ = run.config
    except UserError as error:
        return str(error)
    return ""


def outline(runs: Sequence[Run]) -> list[tuple[str, ...]]:
    """What must change for the whole page to be drawn anew; progress alone need not."""
    return [(run.id, run.status, _weights(run), run.name, run.note, *run.tags) for run in runs]


def _weights(run: Run) -> str:
    """The first checkpoint is news: from then on a run can be exported and looked at."""
    return "with weights" if run.active and engine.weights_of(run) is not None else ""


def table(runs: Sequence[Run], chosen: Sequence[str], on_pick: Callable[[list[str]], None]) -> None:
    """The runs as rows; `on_pick` hears the ids of those that are ticked.

    Streamlit remembers ticks by row number, so the table is a new one whenever its rows are.
    """
    ids = [run.id for run in runs]
    key = f"shelf {hash(tuple(ids)) & 0xFFFFFFFF:x}"
    st.dataframe(
        pd.DataFrame([row(run) for run in runs]),
        key=key,
        hide_index=True,
        height=ROW_PIXELS * min(len(runs), MOST_ROWS) + HEAD_PIXELS,
        row_height=ROW_PIXELS,
        column_config=columns(runs),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(one) for one in chosen if one in ids]}},
        on_select=partial(_ticked, key, ids, on_pick),
        placeholder="–",
        alt="All runs with status, score, learning curve and settings",
    )


def _ticked(key: str, ids: list[str], on_pick: Callable[[list[str]], None]) -> None:
    rows = st.session_state[key]["selection"]["rows"]
    on_pick([ids[number] for number in rows if number < len(ids)])


def row(run: Run) -> dict[str, Any]:
    return {**_facts(run), "Curve": curve(run)}


@lru_cache(MOST_KNOWN)
def _facts(run: Run) -> dict[str, Any]:
    """In the order of the columns; a run is read anew when anything about it has changed."""
    return {
        "Name": run.name,
        "Status": [run.status],
        "Accuracy": words.scored(run) if run.metric == "accuracy" else None,
        "Error": words.scored(run) if run.metric == "mse" else None,
        "Curve": [],
        "Algorithm": [pick.title(run)],
        "Trained on": f"{dataset(run)}, {words.task(run)}",
        "Meta-steps": run.iteration,
        "Trained for": words.duration(run.seconds) if run.iteration else "–",
        "Made": datetime.fromtimestamp(run.created, UTC),
        "Tags": ["pretrained", *run.tags] if run.read_only else list(run.tags),
    }


def columns(runs: Sequence[Run]) -> dict[str, Any]:
    """What the columns are called, how wide they are, and what they mean."""
    kinds = list(ALGORITHMS.values())
    tags = sorted({"pretrained", *(tag for run in runs for tag in run.tags)})
    of = st.column_config
    return {
        "Name": of.TextColumn(width=225, help="What the run is called."),
        "Status": of.MultiselectColumn(
            width=100,
            options=STATUSES,
            color=[status.SHADE[name] for name in STATUSES],
            help="Where the run stands.",
        ),
        "Accuracy": of.TextColumn(width=165, help=f"Of runs on pictures: {SCORES}"),
        "Error": of.TextColumn(width=165, help=f"Mean squared error of runs on curves: {SCORES}"),
        "Curve": of.LineChartColumn(
            width=110, help="The validation score over the run, from lowest to highest."
        ),
        "Algorithm": of.MultiselectColumn(
            options=[kind.title for kind in kinds],
            color=[palette.algorithm(kind.name, "light") for kind in kinds],  # under white letters
            help="The method that learned.",
        ),
        "Trained on": of.TextColumn(help="Its dataset and the task it was made for."),
        "Meta-steps": of.NumberColumn(
            format="localized", help="How many updates of the initialisation it has made."
        ),
        "Trained for": of.TextColumn(help="Seconds of training, waiting left out."),
        "Made": of.DatetimeColumn(format="distance", help="When it was created."),
        "Tags": of.MultiselectColumn(options=tags, color="gray", help="Words to find it by."),
    }


def dataset(run: Run) -> str:
    return str(run.values["dataset"]["name"])


def curve(run: Run) -> list[float]:
    """The validation scores in few points; none where they cannot be read."""
    try:
        return _curve(run)
    except UserError:  # its card says what is wrong
        return []


@lru_cache(MOST_KNOWN)
def _curve(run: Run) -> list[float]:
    return small_curve(engine.store().metrics(run), f"val_{run.metric}") if run.iteration else []


def small_curve(metrics: Sequence[Metric], key: str) -> list[float]:
    values = [one.value for one in metrics if one.key == key and math.isfinite(one.value)]
    if len(values) < 2:
        return []  # a single point is no curve
    every = max(1, math.ceil(len(values) / CURVE_POINTS))
    return values[::-1][::every][::-1]  # the last one always stays
