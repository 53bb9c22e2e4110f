"""The first page: a network that has learned to learn, at work beside one that has not."""

from collections.abc import Sequence

import streamlit as st

from metacore import ALGORITHMS, DATASETS, Run, UserError
from metacore.algorithms import FAMILIES
from metacore.answers import Asked
from metacore.datasets import library
from metacore.episode import Episode
from metacore.insight.trace import Trace
from pages.ui import charts, engine, palette, pick, say, state, waiting, waves
from pages.ui.player import Bending, Curve, Film, Line, Lines, play

POINTS = 5
LAST_WAVE = 10**6
WAVE = waves.TYPICAL[0]
CARDS = (
    (
        "lab/train.py",
        ":material/model_training:",
        "Train",
        "Pick an algorithm and a dataset and meta-train on this computer, in under a minute.",
    ),
    (
        "lab/adapt.py",
        ":material/trending_down:",
        "Adapt",
        "Watch the inner loop: how each gradient step changes what the network answers.",
    ),
    (
        "lab/prototypes.py",
        ":material/scatter_plot:",
        "Prototypes",
        "See the space in which a class is a cloud of drawings around its prototype.",
    ),
    (
        "lab/compare.py",
        ":material/balance:",
        "Compare",
        "Let algorithms meet on the same episodes, with confidence intervals and a verdict.",
    ),
    (
        "lab/trial.py",
        ":material/draw:",
        "Trial",
        "Draw characters of your own, and every network learns them as you watch.",
    ),
)


def opening() -> None:
    st.title("Watch a network learn to learn", anchor=False)
    wave = state.whole("wave", usual=WAVE, low=0, high=LAST_WAVE)
    learned, scratch = (engine.find(f"{name}-sinusoid") for name in ("maml", "scratch"))
    if learned is None or scratch is None:
        st.info("The pretrained runs are missing from assets/pretrained: run `make pretrained`.")
        return
    st.markdown(
        "Two networks see the same **five points** of a wave they have never met. They are the"
        " same size and take the same gradient steps; the one on the left has been **meta-trained"
        " by MAML** to start from weights that adapt, the other starts from random ones."
    )
    asked = Asked.like(learned, seed=wave)
    try:
        wanted = waves.questions(learned, scratch, asked)
        episode, *traces = waiting.several([*wanted])
        if all(found.complete for found in (episode, *traces)):
            seen = [found.get() for found in traces]
            play(film(learned, scratch, asked, episode.get(), seen), key="opening")
            if told := setback(asked, episode.get(), seen):
                st.info(told, icon=":material/help:")
        waiting.bar(wanted, "Adapting", key="opening")
    except UserError as error:
        say.error(error)
    st.button(
        "Another wave",
        icon=":material/refresh:",
        help="Draws five points of a new one.",
        on_click=state.put,
        args=("wave", waves.following(wave)),
    )


def setback(asked: Asked, episode: Episode, traces: Sequence[Trace]) -> str:
    """Why the learned network has lost on this wave, if it has."""
    first, other = traces
    assert first.grid is not None, "curves have a grid"
    assert first.curves is not None, "curves have curves"
    assert other.curves is not None, "curves have curves"
    grid = [float(x) for x in first.grid]
    return waves.why_lost(
        (float(first.query_score[-1, 0]), float(other.query_score[-1, 0])),
        (first.curves[-1, 0], other.curves[-1, 0]),
        grid,
        asked.curve(grid),
        [float(x) for x in episode.support_x.flatten()],
    )


def film(
    learned: Run, scratch: Run, asked: Asked, episode: Episode, traces: Sequence[Trace]
) -> Film:
    grid = [float(x) for x in traces[0].grid]  # type: ignore[union-attr]
    points = [
        (float(x), float(y))
        for x, y in zip(episode.support_x.flatten(), episode.support_y.flatten(), strict=True)
    ]
    truth = asked.curve(grid)
    reach = max(2.0, *(abs(value) for value in truth)) * 1.35
    colors = [palette.algorithm(pick.kind(run), charts.theme()) for run in (learned, scratch)]
    names = ("MAML", "from scratch")
    curves = [
        Curve(
            title="Learned to learn" if name == "MAML" else "The same network from scratch",
            grid=grid,
            lines=[Bending(name, color, trace.curves[:, 0])],  # type: ignore[index]
            truth=truth,
            points=points,
            range=(-reach, reach),
            alt=f"A sine wave, five points of it, and the curve of {name} bending towards them.",
        )
        for name, color, trace in zip(names, colors, traces, strict=True)
    ]
    errors = Lines(
        title="How wrong they are",
        y="mean squared error",
        alt="Mean squared error against the inner step for both networks.",
        lines=[
            Line(name, color, trace.query_score[:, 0], dash=palette.svg_dash(pick.kind(run)))
            for name, color, trace, run in zip(
                names, colors, traces, (learned, scratch), strict=True
            )
        ],
    )
    return Film(
        steps=traces[0].steps,
        panels=[*curves, errors],
        label="Gradient step",
        start=0,
        autoplay=True,
        loop=True,
    )


def cards() -> None:
    row = st.container(
        horizontal=True, key="cards"
    )  # as many beside each other as there is room for
    for page, icon, title, text in CARDS:
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
                for line in kind.formula.split(r",\quad "):
                    card.latex(line)
                card.caption(kind.paper)


def datasets() -> None:
    st.header("Datasets", anchor=False)
    for column, (name, kind) in zip(st.columns(len(DATASETS)), DATASETS.items(), strict=True):
        card = column.container(border=True, height="stretch")
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
