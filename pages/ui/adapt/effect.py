"""What moved, and what the normalisation mode is worth: the cards below the film."""

from collections.abc import Iterable, Sequence
from typing import Any

import streamlit as st

from pages.ui import charts, engine, palette
from pages.ui.adapt import told
from pages.ui.adapt.choice import modes_of, unless_own
from pages.ui.adapt.others import Others
from pages.ui.adapt.scene import Actor, Scene
from pages.ui.figures import adaptation
from pages.ui.figures.adaptation import Effect

SLOW = "support+query"  # one forward pass per query


def cards(scene: Scene) -> Any:
    """Side by side where one run has one heatmap; returns the place for the modes' bar."""
    if len(scene.actors) > 1 or not modes_of(scene.first.run):
        layers(scene)
        return modes(scene)
    left, right = st.columns(2, gap="large")
    with left:
        layers(scene)
    with right:
        return modes(scene)


def layers(scene: Scene) -> None:
    """How far each layer moved at every step, a heatmap per run that has layers that move."""
    moved = [actor for actor in scene.actors if actor.trace.update_norms]
    if moved:
        most = max(float(v.max()) for a in moved for v in a.trace.update_norms.values())
        for place, actor in zip(st.columns(len(moved)), moved, strict=True):
            with place:
                _heatmap(actor, most)
        shared = " All share one scale." if len(moved) > 1 else ""
        st.caption(f"{_legend(scene)}{shared}")
    else:
        charts.title("Which layers moved, and how far")
    for actor in scene.actors:
        if actor not in moved:
            st.caption(told.still(actor))


def _heatmap(actor: Actor, most: float) -> None:
    charts.chart(
        adaptation.layers(actor.trace.update_norms, actor.color, charts.theme(), most=most),
        f"{actor.name}: which layers moved, and how far",
        alt=f"Distance each layer of {actor.name} moved at each inner step, in this episode.",
        key=f"layers {actor.run.id}",
        help="The Euclidean distance each layer's parameters travelled in one inner step of this"
        " episode.",
    )


def _legend(scene: Scene) -> str:
    if scene.regression:
        return "A layer is its weights and biases; *head* is the last one."
    return "*conv*: filters; *norm*: scale and shift after them; *head*: the last layer."


def modes(scene: Scene) -> Any:
    """Accuracy in each mode, as far as it has been measured; returns the place for a bar."""
    words = {mode: None for actor in scene.actors for mode in modes_of(actor.run)}
    if not words:
        return st.empty()
    charts.chart(
        adaptation.norms(
            [_effect(actor, n, scene) for n, actor in enumerate(scene.actors)],
            [*words],
            [actor.trace.norm for actor in scene.actors],
            charts.theme(),
        ),
        "What the normalisation does",
        alt="Mean query accuracy over a hundred episodes in every normalisation mode.",
        key="modes",
        help="The same weights and the same hundred test episodes; only whose statistics normalise"
        " a query differs.",
    )
    place = st.empty()
    if any(not others.complete for others in _rest(scene)):
        st.button(
            "Measure the rest",
            key="measure",
            icon=":material/timer:",
            help=f"The modes still missing, a hundred episodes each; in {SLOW}, every query is"
            " normalised apart, which takes about ten times as long.",
        )
    return place


def _effect(actor: Actor, number: int, scene: Scene) -> Effect:
    scores = {}
    for mode in modes_of(actor.run):
        others = _in_mode(actor, mode, scene)
        if others.complete:
            found = others.scores()
            scores[mode] = (found.last, found.ci95)
    return Effect(actor.name, actor.color, palette.symbol(number), scores)


def _in_mode(actor: Actor, mode: str, scene: Scene) -> Others:
    """The mode that is a run's own is the same whether it is named or not."""
    if mode == actor.trace.norm:
        return actor.others
    norm = unless_own(actor.run, mode)
    return engine.others(actor.run, scene.choice.asked, steps=scene.choice.steps, norm=norm)


def _quick(scene: Scene) -> list[Others]:
    """What is measured without being asked for."""
    modes = [mode for mode in modes_of(scene.first.run) if mode != SLOW]
    return [_in_mode(scene.first, mode, scene) for mode in modes]


def _rest(scene: Scene) -> list[Others]:
    quick = _quick(scene)
    every = [_in_mode(actor, mode, scene) for actor in scene.actors for mode in modes_of(actor.run)]
    return [others for others in every if others not in quick]


def wanted(scene: Scene) -> list[Others]:
    """What the card still lacks: the quick modes of the first run, and what was asked for."""
    return [*_quick(scene), *(_rest(scene) if st.session_state.get("measure") else [])]


def gather(pending: Iterable[Others], place: Any, words: str) -> bool:
    """Goes through episodes not yet seen, under a bar; whether there were any."""
    missing: Sequence[Others] = [others for others in pending if not others.complete]
    for number, others in enumerate(missing):
        while not others.complete:
            share = (number + others.done / others.total) / len(missing)
            place.progress(min(1.0, share), f"{words} {others.done} of {others.total}")
            others.advance()
    return bool(missing)
