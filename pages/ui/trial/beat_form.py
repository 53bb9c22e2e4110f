"""Before the contest: against whom, how hard, and which puzzles."""

import streamlit as st

from metacore import DATASETS
from metacore.datasets import library
from metacore.insight.contest import LAST_SEED, LEVELS, ROUNDS, SHOTS, Contest, Level
from pages.ui import pick, words
from pages.ui.trial import beat_link, beat_rivals, beat_round

FIRST = 1  # the contest a class of students plays unless it asks for another
NARROW = 150  # pixels


def form() -> None:
    found = beat_rivals.possible()
    if not found:
        pick.missing("There is no run with weights to play against yet.")
        return
    st.markdown(
        f"**{ROUNDS} rounds.** Each shows a few characters that neither you nor the networks have"
        " seen, and one more drawing: which of them is it? You click, then everybody's answer is"
        " shown."
    )
    linked = beat_link.asked()
    runs = pick.several(
        found,
        beat_rivals.usual(found),
        key=beat_link.RUNS,
        most=7,
        help="One to seven runs that answer the very same puzzles.",
    )
    dataset = _dataset(linked)
    level = _level(dataset, linked)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shots, seed = _shots(linked), _seed(linked)
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


def _dataset(linked: Contest | None) -> str:
    ready = {holding.name for holding in library.status() if holding.ready}
    there = [name for name in LEVELS if name in ready]
    usual = linked.dataset if linked and linked.dataset in there else there[0]
    return str(
        st.segmented_control(
            "Characters",
            there,
            default=usual,
            required=True,
            format_func=lambda name: DATASETS[name].title,
            key="beat dataset",
            help="Glyphs are invented and always here; Omniglot's real alphabets appear once"
            " `metacore data get omniglot` has fetched them.",
        )
    )


def _level(dataset: str, linked: Contest | None) -> Level:
    levels = {level.name: level for level in LEVELS[dataset]}
    usual = linked.level if linked and linked.dataset == dataset else next(iter(levels))
    chosen = st.segmented_control(
        "Difficulty",
        [*levels],
        default=usual,
        required=True,
        format_func=lambda name: levels[name].title,
        key=f"beat level {dataset}",
        help="Which characters meet in a round, from easy to hard.",
    )
    level = levels[str(chosen)]
    st.caption(level.about)
    return level


def _shots(linked: Contest | None) -> int:
    return int(
        st.segmented_control(
            "Drawings of each",
            SHOTS,
            default=linked.shots if linked else SHOTS[0],
            required=True,
            format_func=lambda shots: words.several(shots, "shot"),
            key="beat shots",
            help="How many drawings of every character are shown, to you and to the runs.",
        )
    )


def _seed(linked: Contest | None) -> int:
    return int(
        st.number_input(
            "Contest",
            min_value=0,
            max_value=LAST_SEED,
            value=linked.seed if linked else FIRST,
            step=1,
            width=NARROW,
            key="beat seed",
            help="The number that draws the puzzles; the same number is the same for everyone.",
        )
    )
