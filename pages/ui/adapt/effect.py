"""What moved, and what the normalisation mode is worth: the cards below the film."""

import streamlit as st

from metacore import Run
from metacore.answers.questions import BackgroundEpisodes
from pages.ui import charts, engine, palette, waiting
from pages.ui.adapt import told
from pages.ui.adapt.choice import AdaptChoice
from pages.ui.adapt.scene import Actor, Scene
from pages.ui.figures import adaptation
from pages.ui.figures.adaptation import Effect
from pages.ui.film import ENOUGH
from pages.ui.protocol import modes_of, unless_own

SLOW = "support+query"  # one forward pass per query
MEASURED = "modes measured"


def cards(scene: Scene) -> None:
    """Side by side where one run has one heatmap."""
    if len(scene.actors) > 1 or not modes_of(scene.first.run):
        layers(scene)
        modes(scene)
        return
    left, right = st.columns(2, gap="large")
    with left:
        layers(scene)
    with right:
        modes(scene)


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
    figure = charts.kept(
        "layers",
        (repr(actor.adaptation), actor.color, most),
        lambda: adaptation.layers(actor.trace.update_norms, actor.color, charts.theme(), most=most),
    )
    charts.chart(
        figure,
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


def modes(scene: Scene) -> None:
    """Accuracy in each mode, as far as it has been measured, and a bar for what is missing."""
    words = {mode: None for actor in scene.actors for mode in modes_of(actor.run)}
    if not words:
        return
    measured, missing = _wanted(scene)
    if not scene.quiet:
        waiting.several(measured, moment=0.0)
    effects = [_effect(actor, n, scene) for n, actor in enumerate(scene.actors)]
    own = [actor.trace.norm for actor in scene.actors]
    figure = charts.kept(
        "modes",
        repr((effects, [*words], own)),
        lambda: adaptation.norms(effects, [*words], own, charts.theme()),
    )
    charts.chart(
        figure,
        "What the normalisation does",
        alt="Mean query accuracy over a hundred episodes in every normalisation mode.",
        key="modes",
        help="The same weights and the same hundred test episodes; only whose statistics normalise"
        " a query differs.",
    )
    if scene.quiet:
        return
    waiting.bar(measured, "Measuring the other modes", key="modes", partial=True)
    if missing:
        st.button(
            "Measure the rest",
            key="measure",
            icon=":material/timer:",
            on_click=_measure,
            args=(missing,),
            help=f"The modes still missing, a hundred episodes each; in {SLOW}, every query is"
            " normalised apart, which takes about ten times as long.",
        )


def _effect(actor: Actor, number: int, scene: Scene) -> Effect:
    scores = {}
    for mode in modes_of(actor.run):
        seen = waiting.known(_in_mode(actor, mode, scene)).value
        if seen is not None and seen.episodes >= ENOUGH:
            found = seen.score_spread()
            scores[mode] = (found.last, found.ci95)
    return Effect(actor.name, actor.color, palette.symbol(number), scores)


def _in_mode(actor: Actor, mode: str, scene: Scene) -> BackgroundEpisodes:
    """The mode that is a run's own is the same whether it is named or not."""
    if mode == actor.trace.norm:
        return actor.background_question
    return in_mode(actor.run, scene.choice, mode)


def in_mode(run: Run, choice: AdaptChoice, mode: str) -> BackgroundEpisodes:
    return engine.background(run, choice.spec, steps=choice.steps, norm=unless_own(run, mode))


def _wanted(scene: Scene) -> tuple[list[BackgroundEpisodes], list[BackgroundEpisodes]]:
    """The modes that are measured: the quick ones of the first run, and what was asked for; and
    those that could be."""
    first = [m for m in modes_of(scene.first.run) if m != SLOW or m == scene.first.trace.norm]
    quick = [_in_mode(scene.first, mode, scene) for mode in first]
    own = [actor.background_question for actor in scene.actors]
    every = [_in_mode(actor, mode, scene) for actor in scene.actors for mode in modes_of(actor.run)]
    wished = st.session_state.get(MEASURED, frozenset())
    measured = [one for one in every if one in quick or one in own or one in wished]
    left = [one for one in every if one not in measured and not waiting.known(one).complete]
    return [one for one in measured if one not in own], left


def _measure(missing: list[BackgroundEpisodes]) -> None:
    st.session_state[MEASURED] = frozenset(missing)
