"""Runs that differ in nothing but their seed, taken together: what their method is worth."""

from typing import Any

import streamlit as st

from metacore.runs import methods_csv
from metacore.statistics import beyond_chance, difference, score
from pages.ui import charts, words
from pages.ui.compare.downloads import give
from pages.ui.figures import seeds as figures

Result = dict[str, Any]


def over_seeds(result: Result, about: str) -> None:
    """Nothing where no two runs are of one method."""
    methods = result.get("methods") or []
    if not methods:
        return
    metric, first = result["rows"][0]["metric"], words.plain(methods[0]["label"])
    charts.title("Over seeds", help="Runs that differ in nothing but their seed are one method.")
    st.table(
        [_line(method, metric, methods[0]) for method in methods],
        border="horizontal",
        hide_index=True,
        alt="A row for every method: its mean over seeds, and how it differs from the first.",
    )
    st.caption(
        "± is the 95% interval of the mean over seeds, by Student's t: the luck of training, on the"
        f" same test tasks. Differences are to {first}, paired by seed; bold where beyond chance."
    )
    charts.chart(
        charts.cached("seeds", about, lambda: figures.scores(methods, metric, charts.theme())),
        f"{words.METRIC[metric].capitalize()} of every seed, and the mean over them",
        alt="For each method a dot per seed, and their mean with its 95% interval.",
        key="seeds",
    )
    if any(method["apart"] for method in methods):
        charts.chart(
            charts.cached(
                "apart", about, lambda: figures.differences(methods, metric, charts.theme())
            ),
            f"Against {first}: to the right is better; filled where it is beyond chance",
            alt="How much better than the first method each is, with its 95% interval around zero.",
            key="seeds apart",
        )
    files = {f"methods-{about}.csv": ("Seeds (CSV)", methods_csv(result), "A line per seed.")}
    give(files, key="seeds")


def _line(method: dict[str, Any], metric: str, first: dict[str, Any]) -> dict[str, str]:
    value = score(metric, method["mean"], method["ci95"])
    return {
        "Method": words.plain(method["label"]),
        "Seeds": words.count(len(method["seeds"])),
        words.METRIC[metric].capitalize(): words.unbroken(value),
        "Difference": "–" if method is first else _apart(method, metric),
    }


def _apart(method: dict[str, Any], metric: str) -> str:
    apart = method["apart"]
    if apart is None:
        return "no two seeds shared"
    mean, ci95 = apart["mean"], apart["ci95"]
    if mean is None or ci95 is None:
        return "infinite"
    bold = "**" if beyond_chance(mean, ci95) else ""
    sign = "+" if mean > 0 else ""
    return f"{bold}{sign}{words.unbroken(difference(metric, mean, ci95))}{bold}"
