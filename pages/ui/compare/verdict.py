"""The answer to a comparison: a table, every pair's verdict, and what papers report."""

from typing import Any

import streamlit as st

from metacore import ALGORITHMS
from metacore.runs import ComparisonJob, episodes_csv, result_json, rows_csv
from metacore.statistics import beyond_chance, difference, score
from pages.ui import charts, widgets, words
from pages.ui.compare.choice import CompareChoice
from pages.ui.compare.downloads import give
from pages.ui.compare.evaluation import answer, words_of
from pages.ui.compare.seeds import over_seeds
from pages.ui.figures import comparison as figures

EPISODES = (600, 1000, 2000)
FINE = 0.001
MOST_PAIRED = 6  # runs: more make a list that nobody reads

Result = dict[str, Any]


def verdict(choice: CompareChoice, linked: ComparisonJob | None) -> ComparisonJob | None:
    """Asks for the numbers and shows them; None while there are none."""
    episodes = int(
        widgets.switch(
            st,
            "Episodes",
            "episodes",
            [str(number) for number in EPISODES],
            help="How many test tasks all runs meet; four times as many halve the uncertainty.",
        )
    )
    found = answer(
        "comparison",
        choice.question(episodes=episodes),
        linked,
        label=f"Evaluate on {words.count(episodes)} episodes",
        help="Runs in the background; the link of this page finds the answer again.",
    )
    if found is None or found.result is None:
        if linked is None:
            st.caption("Every run meets the same tasks, so differences are paired, task by task.")
        return None
    table(found.result, found.id)
    over_seeds(found.result, found.id)
    pairs(found.result, found.id)
    published(found.result)
    downloads(found)
    return found


def table(result: Result, about: str) -> None:
    rows = result["rows"]
    metric, first = rows[0]["metric"], rows[0]["evaluation"]
    level, converted = unbeaten(result), result["question"].get("convert", False)
    st.table(
        [_line(row, metric, bold=row["name"] in level, converted=converted) for row in rows],
        border="horizontal",
        hide_index=True,
        alt="A row for every run: its score, its protocol, its cost and the published number.",
    )
    best = result.get("best")  # results of before have none
    bound = best and best["mean"]
    shared = words.count(first["episodes"])
    st.caption(
        f"{shared} shared {first['split']} episodes, ± is the 95% confidence interval. Bold:"
        f" the best run, and any from which it does not differ beyond chance."
        + (f" Nobody could do better than {score(metric, bound, None)} here." if best else "")
    )
    charts.chart(
        charts.cached("scores", about, lambda: figures.scores(rows, charts.theme(), best=bound)),
        f"{words.METRIC[metric].capitalize()} on {shared} shared episodes",
        alt="A dot with its 95% confidence interval for every run.",
        key="scores",
    )


def _line(row: dict[str, Any], metric: str, *, bold: bool, converted: bool) -> dict[str, str]:
    scores, paper, kind = row["evaluation"], row["published"], ALGORITHMS[row["algorithm"]]
    around = "**" if bold else ""
    shown = words.unbroken(score(metric, scores[metric], scores["ci95"]))
    diverged = f" ({scores['diverged']:.1%} diverged)" if scores["diverged"] else ""
    return {
        "Run": f"{around}{words.plain(row['name'])}{around}",
        words.METRIC[metric].capitalize(): f"{around}{shown}{around}{diverged}",
        **({"Pictures": scores.get("conversion") or "as they are"} if converted else {}),
        "Normalisation": words.mode(scores["norm"]),
        "Inner steps": words.inner_steps(scores["steps"] if kind.in_steps else 0),
        "Time per episode": words.brief(row["seconds_per_episode"]),
        "Parameters": words.count(row["parameters"]),
        "Meta-training": words.duration(row["training_seconds"]) if row["meta_steps"] else "none",
        "Published": words.unbroken(reported(paper, metric)) if paper else "–",
    }


def unbeaten(result: Result) -> list[str]:
    """The best run's name, and those of runs from which no difference is shown."""
    rows, metric = result["rows"], result["rows"][0]["metric"]
    scored = [row for row in rows if row["evaluation"][metric] is not None]
    if not scored:
        return []
    choose = max if metric == "accuracy" else min
    best = choose(scored, key=lambda row: row["evaluation"][metric])["name"]
    level = [pair for pair in result["pairs"] if not beyond_chance(pair["mean"], pair["ci95"])]
    names = [{pair["first"], pair["second"]} for pair in level]
    return [best, *(name for both in names if best in both for name in both - {best})]


def pairs(result: Result, about: str) -> None:
    rows = result["rows"]
    if len(rows) > MOST_PAIRED:
        st.caption(f"Beyond {MOST_PAIRED} runs, how each pair differs stands in the JSON file.")
        return
    metric, episodes = rows[0]["metric"], rows[0]["evaluation"]["episodes"]
    charts.title("Who is better than whom")
    st.markdown(
        "\n".join(f"- {words.plain(sentence(pair, metric, episodes))}" for pair in result["pairs"])
    )
    charts.chart(
        charts.cached(
            "differences",
            about,
            lambda: figures.differences(result["pairs"], metric, charts.theme()),
        ),
        "Paired differences: to the right the first is better; filled where it is beyond chance",
        alt="The difference of every pair of runs with its 95% confidence interval around zero.",
        key="differences",
    )


def sentence(pair: dict[str, Any], metric: str, episodes: int) -> str:
    """A pair's verdict; where no difference is shown, how large it may be."""
    verdict, mean, ci95 = pair["verdict"], pair["mean"], pair["ci95"]
    size = ""
    if not (mean is None or ci95 is None or beyond_chance(mean, ci95)):
        size = f": {difference(metric, mean, ci95)}"
    return f"{verdict[0].upper()}{verdict[1:]}{size} ({words.count(episodes)} shared episodes)"


def published(result: Result) -> None:
    """What papers report beside it, and in what their protocols differ."""
    reported = [row for row in result["rows"] if row["published"]]
    if not reported:
        st.caption(
            "No paper reports numbers for these tasks. Choose Omniglot, 5 or 20 ways and 1 or 5"
            " shots (or sine waves with 5 points) to have published numbers beside your own."
        )
        return
    charts.title("Published numbers, and how their protocols differ")
    lines = [_paper(row) for row in reported]
    st.markdown("\n".join(f"- {line}" for line in lines))


def _paper(row: dict[str, Any]) -> str:
    paper = row["published"]
    name, value = words.plain(row["name"]), reported(paper, row["metric"])
    return (
        f"**{name}**: published {value} ({paper['protocol']}; {paper['source']})."
        f" {paper['differs']}"
    )


def reported(paper: dict[str, Any], metric: str) -> str:
    """A published number; an interval of hundredths of a percent would be lost in rounding."""
    value, ci95 = paper["value"], paper["ci95"]
    if metric == "accuracy" and ci95 is not None and ci95 < FINE:
        return f"{100 * value:.2f} ± {100 * ci95:.2f} %"
    return score(metric, value, ci95)


def downloads(found: ComparisonJob) -> None:
    result: Result = found.result or {}
    files = {
        f"comparison-{found.id}.csv": ("Table (CSV)", rows_csv(result), "A line per run."),
        f"comparison-{found.id}-episodes.csv": (
            "Every episode (CSV)",
            episodes_csv(result),
            "A line per episode, a column per run.",
        ),
        f"comparison-{found.id}.json": (
            "Everything (JSON)",
            result_json(result),
            "The question, the answer and where it was made.",
        ),
    }
    give(files, key="comparison")
    st.caption(f"Asked: {words_of(found.question)}.")
