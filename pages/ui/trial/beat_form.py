"""Before the contest: against whom, how hard, and which puzzles."""

import streamlit as st

from metacore import DATASETS
from metacore.datasets import library
from metacore.insight.contest import LAST_SEED, LEVELS, ROUNDS, SHOTS, Contest, Level
from pages.ui import pick, widgets, words
from pages.ui.trial import beat_link, beat_rivals, beat_round

FIRST = 1  # the contest a class of students plays unless it asks for another
NARROW = 150  # pixels


def form() -> None:
    st.markdown(
        f"**{ROUNDS} rounds.** Each shows a few classes that no network was trained on, and one"
        " more picture: which of them is it? You click, then everybody's answer is shown."
    )
    dataset = _dataset()
    found = beat_rivals.possible(dataset)
    if not found:
        pick.missing("There is no run with weights yet that sees such pictures.")
        return
    runs = pick.several(
        found,
        beat_rivals.usual(found),
        name=beat_link.RUNS,
        most=7,
        help="One to seven runs that answer the very same puzzles.",
    )
    level = _level(dataset)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shots, seed = _shots(), _seed()
        wanted = Contest(dataset=dataset, level=level.name, shots=shots, seed=seed)
        st.button(
            "Start",
            type="primary",
            icon=":material/play_arrow:",
            key="beat start",
            disabled=not runs,
            on_click=beat_round.begin,
            args=(wanted,),
            help=f"Shows the first of {ROUNDS} rounds; the clock begins to run.",
        )
    if not runs:
        st.info("Pick at least one run to play against.", icon=":material/add:")


def _dataset() -> str:
    ready = {holding.name for holding in library.status() if holding.ready}
    return widgets.switch(
        st,
        "Pictures",
        beat_link.DATASET,
        {name: DATASETS[name].title for name in LEVELS if name in ready},
        help="Glyphs are invented, doodles and emoji come with Metacore; Omniglot's alphabets"
        " appear once `metacore data get omniglot` has fetched them.",
    )


def _level(dataset: str) -> Level:
    levels = {level.name: level for level in LEVELS[dataset]}
    chosen = widgets.switch(
        st,
        "Difficulty",
        beat_link.LEVEL,
        {name: level.title for name, level in levels.items()},
        help="Which classes meet in a round, from easy to hard.",
    )
    st.caption(levels[chosen].about)
    return levels[chosen]


def _shots() -> int:
    return int(
        widgets.switch(
            st,
            "Examples of each",
            beat_link.SHOTS,
            {str(shots): words.several(shots, "shot") for shots in SHOTS},
            help="How many pictures of every class are shown, to you and to the runs.",
        )
    )


def _seed() -> int:
    return widgets.number(
        st,
        "Contest",
        beat_link.NUMBER,
        usual=FIRST,
        low=0,
        high=LAST_SEED,
        width=NARROW,
        help="The number that draws the puzzles; the same number is the same for everyone.",
    )
