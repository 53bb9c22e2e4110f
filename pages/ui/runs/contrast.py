"""Several runs side by side: their curves in one picture, and only the settings that differ."""

from collections.abc import Sequence

import streamlit as st

from metacore import Run
from metacore.training.differences import between
from pages.ui import charts, palette, pick, words
from pages.ui.figures import learning
from pages.ui.runs import card, deletion

MOST = 6  # curves that can still be told apart, and columns that fit


def show(runs: Sequence[Run]) -> None:
    with st.container(border=True):
        st.subheader(f"{len(runs)} runs side by side", anchor=False)
        if len(runs) > MOST:
            st.caption(f"The first {MOST} of them are shown.")
        shown = runs[:MOST]
        st.page_link(
            "lab/compare.py",
            label="Compare them on the same episodes",
            icon=":material/balance:",
            query_params={"run": [run.id for run in shown]},
        )
        curves(shown)
        settings(shown)
        deletion.button([run for run in runs if not run.read_only])


def curves(runs: Sequence[Run]) -> None:
    """A chart for each kind of score: accuracies and errors share no axis."""
    theme = charts.theme()
    for metric in dict.fromkeys(run.metric for run in runs):
        alike = [run for run in runs if run.metric == metric]
        dashes = palette.run_dashes([pick.kind(run) for run in alike])
        looks = zip(pick.colors(alike), dashes, strict=True)
        histories = [
            found
            for run, (color, dash) in zip(alike, looks, strict=True)
            if (found := card.history(run, color, dash))
        ]
        if any(history.column(f"val_{metric}")[2] for history in histories):
            charts.chart(
                learning.validation(histories, theme, height=320),
                f"How their {words.METRIC[metric]} developed",
                alt=f"Validation {words.METRIC[metric]} against meta-steps for each run.",
                key=f"curves {metric}",
            )


def settings(runs: Sequence[Run]) -> None:
    charts.title("What sets them apart", help="Settings in which all of them agree are left out.")
    rows = between([run.config for run in runs])
    if not rows:
        st.caption("Nothing: their settings are the same, to the last one.")
        return
    names = ["Setting", *(words.plain(run.name) for run in runs)]
    lines = [f"| {' | '.join(names)} |", "|" + " --- |" * len(names)]
    for row in rows:
        usual = row.values[0]
        values = [card.in_colour(value, usual) for value in row.values]
        lines.append(f"| {row.label} | {' | '.join(values)} |")
    st.markdown("\n".join(lines))
    st.caption(f"In colour: where a run differs from {words.plain(runs[0].name)}.")
