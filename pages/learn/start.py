"""The first page: a network that has learned to learn, at work beside one that has not."""

from collections.abc import Sequence

import streamlit as st

from metacore import ALGORITHMS, DATASETS, Run, UserError
from metacore.algorithms import FAMILIES
from metacore.answers import EpisodeSpec
from metacore.datasets import library
from metacore.insight.trace import Trace
from pages.ui import engine, episode, film, navigation, pick, say, waiting, waves, widgets
from pages.ui.curve_task import CurveTask
from pages.ui.film import FilmedRun
from pages.ui.player import Film, play

POINTS = 5
LAST_WAVE = 10**6
WAVE = waves.TYPICAL[0]
CARDS = {
    "Train": "Pick an algorithm and a dataset and meta-train on this computer, in under a minute.",
    "Adapt": "Watch the inner loop: how each gradient step changes what the network answers.",
    "Prototypes": "See the space in which a class is a cloud of pictures around its prototype.",
    "Compare": "Let algorithms meet on the same episodes, with confidence intervals and a verdict.",
    "Trial": "Draw characters, or show things to your camera: every network learns them at once.",
}


def opening() -> None:
    st.title("Watch a network learn to learn", anchor=False)
    wave = widgets.whole("wave", usual=WAVE, low=0, high=LAST_WAVE)
    learned, scratch = (engine.find(f"{name}-sinusoid") for name in ("maml", "scratch"))
    if learned is None or scratch is None:
        st.info("The pretrained runs are missing from assets/pretrained: run `make pretrained`.")
        return
    st.markdown(
        "Two networks see the same **five points** of a wave they have never met. They are the"
        " same size and take the same gradient steps; the one on the left has been **meta-trained"
        " by MAML** to start from weights that adapt, the other starts from random ones."
    )
    spec = EpisodeSpec.like(learned, seed=wave)
    try:
        wanted = waves.questions(learned, scratch, spec)
        drawn, *traces = waiting.several([*wanted])
        if all(found.complete for found in (drawn, *traces)):
            seen = [found.get() for found in traces]
            task = CurveTask.of(spec, drawn.get(), seen[0].grid)
            play(film_of((learned, scratch), task, seen), key="opening")
            if why := setback(task, seen):
                st.info(why, icon=":material/help:")
        waiting.bar(wanted, "Adapting", key="opening")
    except UserError as error:
        say.error(error)
    help = "Draws five points of a new one."
    episode.another(st, "Another wave", "wave", waves.following(wave), help=help)


def setback(task: CurveTask, traces: Sequence[Trace]) -> str:
    """Why the learned network has lost on this wave, if it has."""
    first, other = traces
    assert first.curves is not None, "curves have curves"
    assert other.curves is not None, "curves have curves"
    return waves.why_lost(
        (float(first.query_score[-1, 0]), float(other.query_score[-1, 0])),
        (first.curves[-1, 0], other.curves[-1, 0]),
        task.grid,
        task.truth,
        [x for x, _ in task.points],
    )


def film_of(runs: Sequence[Run], task: CurveTask, traces: Sequence[Trace]) -> Film:
    """Of the network that has learned to learn, and of the other."""
    names = ("MAML", "from scratch")
    looks = zip(runs, pick.colors(runs), names, traces, strict=True)
    filmed = [
        FilmedRun.of(trace, pick.kind(run), name=name, color=color)
        for run, color, name, trace in looks
    ]
    titles = ("Learned to learn", "The same network from scratch")
    alt = "A sine wave, five points of it, and the curve of {} bending towards them."
    curves = [
        film.curve([run], task, title=title, alt=alt.format(run.name))
        for run, title in zip(filmed, titles, strict=True)
    ]
    steps = film.steps_of(filmed)
    return Film(
        steps=steps,
        panels=[*curves, film.scores(filmed, steps, ways=None)],
        label="Gradient step",
        autoplay=True,
        loop=True,
    )


def cards() -> None:
    row = st.container(horizontal=True, key="cards")  # as many abreast as there is room for
    for title, text in CARDS.items():
        page, icon = navigation.LAB[title]
        card = row.container(border=True, height="stretch")
        card.page_link(page, label=f"**{title}**", icon=icon)
        card.caption(text)


def algorithms() -> None:
    st.header("Algorithms", anchor=False)
    for name, family in FAMILIES.items():
        st.subheader(family.title, anchor=False)
        st.caption(family.about)
        members = [kind for kind in ALGORITHMS.values() if kind.family == name]
        for start in range(0, len(members), 2):
            pair = members[start : start + 2]
            for column, kind in zip(st.columns(2), pair, strict=False):
                card = column.container(border=True, height="stretch")
                card.markdown(f"**{kind.title}** &ensp; `{kind.name}`")
                card.markdown(kind.summary)
                for line in kind.formula:
                    card.latex(line)
                card.caption(kind.paper)


def datasets() -> None:
    st.header("Datasets", anchor=False)
    row = st.container(horizontal=True, key="sources")  # as many abreast as there is room for
    for name, kind in DATASETS.items():
        card = row.container(border=True, height="stretch")
        card.markdown(f"**{kind.title}** &ensp; `{name}`")
        card.markdown(kind.summary)
        if library.ready(name):
            card.badge("ready", icon=":material/check:", color="green")
        else:
            card.badge("to be fetched", icon=":material/download:", color="orange")
            card.code(f"metacore data get {name}", language=None, wrap_lines=True)


opening()
cards()
algorithms()
datasets()
