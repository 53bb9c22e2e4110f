"""Which runs adapt, and to which episode: the row of controls, all of it in the address."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from metacore import Run
from metacore.answers.episode_spec import EpisodeSpec, drawn_queries
from pages.ui import classes, episode, pick, protocol, state, words

MOST_RUNS = 8
NORM_WIDTH = 330  # pixels: a mode by its name and in words


@dataclass(frozen=True, kw_only=True)
class AdaptChoice:
    """Runs that see the same kind of input, and the episode they adapt to."""

    runs: tuple[Run, ...]
    spec: EpisodeSpec
    steps: int | None  # None: as many as each run was made for
    norm: str | None  # None: each run's own
    choosing: bool  # the dialog of classes is opening: the page had better keep still
    words_place: Any  # where words on it may stand: below the controls


def choose() -> AdaptChoice | None:
    found = pick.usable()
    if not found:
        pick.missing("There is no run with weights to adapt yet.")
        return None
    top = st.container(horizontal=True)
    alike = pick.alike(found, top.container(width="content"), changed=_other_kind)
    with top.container():
        runs = pick.several(
            alike,
            [usual(alike)],
            most=MOST_RUNS,
            help=f"One to {MOST_RUNS} runs that adapt to the same episode, side by side.",
        )
    if not runs:
        st.info("Pick a run: then it adapts to an episode here.", icon=":material/add:")
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = episode.number(st)
        steps = protocol.inner_steps(st, placeholder=_usual_steps(runs), width=episode.WIDTH)
        spec = _task(EpisodeSpec.like(pick.narrowest(runs), seed=seed))
        choosing = not spec.regression and classes.button(spec, width=episode.WIDTH)
        modes = protocol.shared_modes(runs)
        norm = protocol.normalisation(st, modes, width=NORM_WIDTH) if modes else None
    return AdaptChoice(
        runs=tuple(runs),
        steps=steps,
        spec=spec,
        choosing=choosing,
        norm=norm,
        words_place=st.container(),
    )


def _other_kind() -> None:
    """Another kind of task is another film: what was chosen for the last one is left behind."""
    state.drop(pick.RUNS, "ways", "shots", "queries", "steps", classes.PARAMETER)


def usual(alike: Sequence[Run]) -> Run:
    """A run whose inner loop is worth seeing."""

    def learned_to_step(run: Run) -> bool:
        return run.config.algorithm_class.in_steps and run.iteration > 0

    return pick.preferred(alike, learned_to_step)


def _usual_steps(runs: Sequence[Run]) -> str:
    usual = sorted(
        {protocol.test_steps(run) for run in runs if run.config.algorithm_class.in_steps}
    )
    return " or ".join(map(str, usual)) or words.inner_steps(0)


def _task(spec: EpisodeSpec) -> EpisodeSpec:
    """Other ways, shots, queries or classes than the run was made for."""
    with st.popover("Task", icon=":material/tune:", width=episode.WIDTH):
        st.markdown("**Another task** than the first run was made for")
        if spec.regression:
            return replace(spec, shots=episode.shots(st, spec.shots, regression=True))
        chosen = classes.linked()
        ways = episode.ways(st, spec.ways, decided=len(chosen))
        shots = episode.shots(st, spec.shots)
        queries = episode.queries(st, drawn_queries(ways, spec.queries))
        return replace(spec, ways=ways, shots=shots, queries=queries, classes=chosen)
