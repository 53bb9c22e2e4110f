"""The first page: what Metacore is, what is in it, and how to begin."""

import streamlit as st
import torch

from metacore import ALGORITHMS, DATASETS, Run, Store
from metacore.algorithms.base import Algorithm
from metacore.datasets import library
from metacore.datasets.glyphs import GlyphsConfig, draw_classes
from metacore.statistics import score
from pages.ui import drawings

FAMILIES = {
    "optimisation": ("Learn where to start", "A few gradient steps from there solve a new task."),
    "metric": ("Learn how to compare", "One look at the examples is enough, without a gradient."),
    "baseline": ("What both must beat", "The same network without meta-learning."),
}

TRAIN = """\
metacore train --algorithm protonet --preset demo --name first
metacore train --algorithm maml --preset demo --name second"""
EVALUATE = """\
metacore evaluate first --ways 5 --shots 1
metacore compare first second
metacore runs"""


def opening() -> None:
    words, task = st.columns([6, 5], gap="large", vertical_alignment="center")
    with words:
        st.markdown(":primary[**Metacore**]")
        st.title("Watch a network learn to learn", anchor=False)
        st.markdown(
            "A child needs one look at a new letter to know it again. A network needs thousands,"
            " unless it has **learned how to learn**: trained not on one task but on many small"
            " ones, each with a few labelled examples, until it adapts to the next in a moment."
        )
        st.markdown(
            "Metacore meta-trains networks on the computer you have, tests them honestly, and"
            " records every step of their adaptation."
        )
    with task.container(border=True):
        one_task()


def one_task() -> None:
    """A 5-way 1-shot episode: the support set above, one query below."""
    theme = st.context.theme.type or "light"
    characters = new_characters()
    st.caption("**A task.** Five characters never seen in training, one drawing of each:")
    st.image(drawings.row(characters[:, 0], theme), width="stretch")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption("Which of the five is this, by another hand? The fourth.")
        st.image(drawings.row(characters[3:4, 1], theme), width=90)


@st.cache_data(show_spinner=False)
def new_characters() -> torch.Tensor:
    return draw_classes(GlyphsConfig(drawings=2, alphabet=5), "test", 5)


def algorithms() -> None:
    st.header("Algorithms", anchor=False)
    for family, (title, text) in FAMILIES.items():
        st.subheader(title, anchor=False)
        st.caption(text)
        members = [kind for kind in ALGORITHMS.values() if kind.family == family]
        for start in range(0, len(members), 2):
            pair = members[start : start + 2]
            for column, kind in zip(st.columns(2), pair, strict=False):
                algorithm(column.container(border=True, height="stretch"), kind)


def algorithm(card: "st.delta_generator.DeltaGenerator", kind: type[Algorithm]) -> None:
    card.markdown(f"**{kind.title}** &ensp; `{kind.name}`")
    card.markdown(kind.summary)
    for line in kind.formula.split(r",\quad "):
        card.latex(line)
    card.caption(kind.paper)


def datasets() -> None:
    st.header("Datasets", anchor=False)
    ready = {holding.name: holding for holding in library.status()}
    for column, (name, kind) in zip(st.columns(len(DATASETS)), DATASETS.items(), strict=True):
        card = column.container(border=True, height="stretch")
        card.markdown(f"**{kind.title}** &ensp; `{name}`")
        card.markdown(kind.summary)
        if ready[name].ready:
            card.badge("ready", icon=":material/check:", color="green")
        else:
            card.badge("to be fetched", icon=":material/download:", color="orange")
            card.code(f"metacore data get {name}", language=None, wrap_lines=True)


def commands() -> None:
    st.header("Begin", anchor=False)
    train, evaluate = st.columns(2)
    train.caption("Train, in a terminal: less than a minute each on two cores.")
    train.code(TRAIN, language=None, wrap_lines=True)
    evaluate.caption("Test on episodes all runs share, with 95% confidence intervals.")
    evaluate.code(EVALUATE, language=None, wrap_lines=True)


def runs(found: list[Run]) -> None:
    st.header("Your runs", anchor=False)
    st.dataframe(
        {
            "Run": [run.name for run in found],
            "Algorithm": [run.values["algorithm"]["name"] for run in found],
            "Dataset": [run.values["dataset"]["name"] for run in found],
            "Status": [run.status for run in found],
            "Meta-steps": [run.iteration for run in found],
            "Best validation": [validation(run) for run in found],
        },
        hide_index=True,
    )


def validation(run: Run) -> str:
    if run.best_iteration is None:
        return "–"
    return score(run.metric, run.best_value, run.best_ci95)


opening()
commands()
if found := Store().runs():
    runs(found)
algorithms()
datasets()
