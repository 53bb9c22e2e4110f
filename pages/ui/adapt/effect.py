"""What moved, and what the normalisation mode is worth: the cards below the film."""

from functools import partial

import streamlit as st

from metacore import Run
from metacore.answers.questions import BackgroundEpisodes
from metacore.insight.spread import spread
from pages.ui import charts, engine, palette, waiting
from pages.ui.adapt import attention, summary
from pages.ui.adapt.choice import AdaptChoice
from pages.ui.adapt.scene import AdaptedRun, AdaptScene
from pages.ui.figures import adaptation
from pages.ui.figures.adaptation import Effect
from pages.ui.film import ENOUGH
from pages.ui.protocol import unless_own

SLOW = "support+query"  # one forward pass per query
MEASURED = "modes measured"


def cards(scene: AdaptScene) -> None:
    """Side by side where one run has one heatmap."""
    attention.cards(scene)
    if len(scene.runs) > 1 or not scene.first.run.config.norms:
        layers(scene)
        learned(scene)
        modes(scene)
        return
    left, right = st.columns(2, gap="large")
    with left:
        layers(scene)
        learned(scene)
    with right:
        modes(scene)


def layers(scene: AdaptScene) -> None:
    """How far each layer moved at every step, a heatmap per run that has layers that move."""
    moved = [adapted for adapted in scene.runs if adapted.trace.update_norms]
    if moved:
        most = max(float(v.max()) for a in moved for v in a.trace.update_norms.values())
        for place, adapted in zip(st.columns(len(moved)), moved, strict=True):
            with place:
                _heatmap(adapted, most)
        shared = " All share one scale." if len(moved) > 1 else ""
        st.caption(f"{_legend(scene)}{shared}")
    else:
        charts.title("Which layers moved, and how far")
    for adapted in scene.runs:
        if adapted not in moved:
            st.caption(summary.still(adapted))


def _heatmap(adapted: AdaptedRun, most: float) -> None:
    figure = charts.cached(
        "layers",
        (repr(adapted.adaptation), adapted.color, most),
        lambda: adaptation.layers(
            adapted.trace.update_norms, adapted.color, charts.theme(), most=most
        ),
    )
    charts.chart(
        figure,
        f"{adapted.name}: which layers moved, and how far",
        alt=f"Distance each layer of {adapted.name} moved at each inner step, in this episode.",
        key=f"layers {adapted.run.id}",
        help="The Euclidean distance each layer's parameters travelled in one inner step of this"
        " episode.",
    )


def learned(scene: AdaptScene) -> None:
    """What methods have learned beside a network, layer by layer."""
    for adapted in scene.runs:
        found = adapted.trace.learned
        if found is None:
            continue
        about = repr(adapted.adaptation), adapted.color
        draw = partial(adaptation.learned, found, adapted.color, charts.theme())
        charts.chart(
            charts.cached("learned", about, draw),
            f"{adapted.name}: {found.title}",
            alt=f"The {found.title} of {adapted.name} in each layer: median, half and nine tenths.",
            key=f"learned {adapted.run.id}",
            help="A box holds half of a layer's numbers, its whiskers nine tenths, its line is the"
            " median.",
        )
        st.caption(found.about)


def _legend(scene: AdaptScene) -> str:
    if scene.regression:
        return "A layer is its weights and biases; *head* is the last one."
    return "*conv*: filters; *norm*: scale and shift after them; *head*: the last layer."


def modes(scene: AdaptScene) -> None:
    """Accuracy in each mode, as far as it has been measured, and a bar for what is missing."""
    words = {mode: None for adapted in scene.runs for mode in adapted.run.config.norms}
    if not words:
        return
    measured, missing = _wanted(scene)
    if not scene.quiet:
        waiting.several(measured, moment=0.0)
    effects = [_effect(adapted, n, scene) for n, adapted in enumerate(scene.runs)]
    own = [adapted.trace.norm for adapted in scene.runs]
    figure = charts.cached(
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


def _effect(adapted: AdaptedRun, number: int, scene: AdaptScene) -> Effect:
    scores = {}
    for mode in adapted.run.config.norms:
        seen = waiting.known(_in_mode(adapted, mode, scene)).value
        if seen is not None and seen.episodes >= ENOUGH:
            found = spread(seen.scores)
            scores[mode] = (found.last, found.ci95)
    return Effect(adapted.name, adapted.color, palette.symbol(number), scores)


def _in_mode(adapted: AdaptedRun, mode: str, scene: AdaptScene) -> BackgroundEpisodes:
    """The mode that is a run's own is the same whether it is named or not."""
    if mode == adapted.trace.norm:
        return adapted.background_question
    return in_mode(adapted.run, scene.choice, mode)


def in_mode(run: Run, choice: AdaptChoice, mode: str) -> BackgroundEpisodes:
    return engine.background(run, choice.spec, steps=choice.steps, norm=unless_own(run, mode))


def _wanted(scene: AdaptScene) -> tuple[list[BackgroundEpisodes], list[BackgroundEpisodes]]:
    """The modes that are measured: the quick ones of the first run, and what was asked for; and
    those that could be."""
    first = [m for m in scene.first.run.config.norms if m != SLOW or m == scene.first.trace.norm]
    quick = [_in_mode(scene.first, mode, scene) for mode in first]
    own = [adapted.background_question for adapted in scene.runs]
    every = [
        _in_mode(adapted, mode, scene)
        for adapted in scene.runs
        for mode in adapted.run.config.norms
    ]
    wished = st.session_state.get(MEASURED, frozenset())
    measured = [one for one in every if one in quick or one in own or one in wished]
    left = [one for one in every if one not in measured and not waiting.known(one).complete]
    return [one for one in measured if one not in own], left


def _measure(missing: list[BackgroundEpisodes]) -> None:
    st.session_state[MEASURED] = frozenset(missing)
