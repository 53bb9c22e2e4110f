"""Which runs adapt, and to which episode: the row of controls, all of it in the address."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from metacore import Run
from metacore.algorithms.base import steps_at_test
from metacore.answers.asked import Asked, drawn_queries
from metacore.models.normalisation import NORM_MODES
from pages.ui import classes, pick, state, words

OWN = "own"
KINDS = {False: "Drawings", True: "Curves"}
USUAL = ("maml-glyphs", "maml-sinusoid")
MOST_RUNS = 8
MOST_STEPS = 100
NORM_WIDTH = 330  # pixels: a mode by its name and in words
WIDTH = 160  # pixels of a control: two stand in a row on a telephone
LAST_SEED = 2**31 - 1


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Runs that see the same kind of input, and the episode they adapt to."""

    runs: tuple[Run, ...]
    asked: Asked
    steps: int | None  # None: as many as each run was made for
    norm: str | None  # None: each run's own
    choosing: bool  # the dialog of classes is opening: the page had better keep still
    beside: Any  # where words on it may stand: below the controls


def choose() -> Choice | None:
    found = pick.usable()
    if not found:
        pick.missing("There is no run with weights to adapt yet.")
        return None
    top = st.container(horizontal=True)
    alike = _alike(found, top.container(width="content"))
    with top.container():
        runs = pick.several(
            alike,
            [_usual(alike)],
            most=MOST_RUNS,
            help=f"One to {MOST_RUNS} runs that adapt to the same episode, side by side.",
        )
    if not runs:
        st.info("Pick a run: then it adapts to an episode here.", icon=":material/add:")
        return None
    regression = _regression(runs[0])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed, steps = _seed(), _steps(runs)
        asked = _task(Asked.like(runs[0], seed=seed), regression)
        choosing = not regression and classes.button(asked, width=WIDTH)
        modes = _modes(runs)
        norm = _norm(st, modes) if modes else None
    return Choice(
        runs=tuple(runs),
        steps=steps,
        asked=asked,
        choosing=choosing,
        norm=norm,
        beside=st.container(),
    )


def _alike(found: Sequence[Run], place: Any) -> list[Run]:
    """Runs of one kind: a network that sees drawings cannot be asked about curves."""
    there = [kind for kind in KINDS.values() if any(_kind(run) == kind for run in found)]
    meant = pick.leading(found)
    if meant:
        state.settle("kind", _kind(meant), usual=there[0])
    kind = state.switch(
        place,
        "Tasks",
        "kind",
        there,
        on_change=_other_kind,
        help="Runs that learned from drawings, or from curves: they cannot share an episode.",
    )
    return [run for run in found if _kind(run) == kind]


def _kind(run: Run) -> str:
    return KINDS[_regression(run)]


def _other_kind() -> None:
    """Another kind of task is another film: what was chosen for the last one is left behind."""
    state.drop(pick.RUNS, "ways", "shots", "queries", "steps", classes.PARAMETER)


def _usual(alike: Sequence[Run]) -> Run:
    """A run whose inner loop is worth seeing."""
    by_id = {run.id: run for run in alike}
    known = [by_id[name] for name in USUAL if name in by_id]
    kinds = {run.id: run.config.algorithm_class for run in alike}
    steps = [run for run in alike if kinds[run.id].in_steps and kinds[run.id].trains]
    return [*known, *steps, *alike][0]


def _regression(run: Run) -> bool:
    return bool(run.config.dataset_class.regression)


def _seed() -> int:
    seed = state.number(
        st,
        "Episode",
        "seed",
        usual=0,
        low=0,
        high=LAST_SEED,
        width=WIDTH,
        help="The number that draws the test task; the same number is the same task for everyone.",
    )
    st.button(
        "New episode",
        icon=":material/refresh:",
        on_click=state.put,
        args=("seed", (seed + 1) % LAST_SEED),
        width=WIDTH,
        help="Draws another task; with chosen classes, other drawings of them.",
    )
    return seed


def _steps(runs: Sequence[Run]) -> int | None:
    usual = sorted({test_steps(run) for run in runs if run.config.algorithm_class.in_steps})
    return state.number_or_none(
        st,
        "Inner steps",
        "steps",
        low=0,
        high=MOST_STEPS,
        width=WIDTH,
        placeholder=" or ".join(map(str, usual)) or words.inner_steps(0),
        help="Gradient steps on the support set, as many as you like; empty: what the run was made"
        " for.",
    )


def test_steps(run: Run) -> int:
    return steps_at_test(run.config.algorithm)


def _task(asked: Asked, regression: bool) -> Asked:
    """Other ways, shots, queries or classes than the run was made for."""
    with st.popover("Task", icon=":material/tune:", width=WIDTH):
        st.markdown("**Another task** than the first run was made for")
        if regression:
            shots = _number("Points", "shots", asked.shots, 1, 100, "How many points are seen.")
            return replace(asked, shots=shots)
        chosen = classes.linked()
        help = "How many classes the episode has; chosen classes decide it."
        ways = len(chosen) or asked.ways
        ways = _number("Ways", "ways", ways, 2, classes.MOST, help, disabled=bool(chosen))
        help = "How many labelled drawings of each class are adapted to."
        shots = _number("Shots", "shots", asked.shots, 1, 50, help)
        help = "How many drawings of each class are asked about."
        usual = drawn_queries(ways, asked.queries)
        queries = _number("Queries", "queries", usual, 1, 30, help)
        return replace(
            asked, ways=len(chosen) or ways, shots=shots, queries=queries, classes=chosen
        )


def _number(
    label: str, name: str, usual: int, low: int, high: int, help: str, disabled: bool = False
) -> int:
    """Empty means what the run was made for."""
    found = state.number_or_none(
        st,
        label,
        name,
        low=low,
        high=high,
        placeholder=str(usual),
        help=help,
        disabled=disabled,
    )
    return usual if found is None or disabled else found


def _modes(runs: Sequence[Run]) -> list[str]:
    """The normalisation modes all these runs support; none where no network normalises."""
    supported = [modes_of(run) for run in runs]
    return [mode for mode in NORM_MODES if all(mode in modes for modes in supported)]


def modes_of(run: Run) -> tuple[str, ...]:
    """Its own first; () for a network without batch normalisation."""
    return run.config.norms


def unless_own(run: Run, norm: str | None) -> str | None:
    """A mode that is the run's own goes without its name: it is the same thing."""
    return None if norm in modes_of(run)[:1] else norm


def _norm(place: Any, modes: Sequence[str]) -> str | None:
    norm = state.select(
        place,
        "Normalisation",
        "norm",
        {OWN: "own, as published", **{mode: words.mode(mode) for mode in modes}},
        width=NORM_WIDTH,
        help="Whose statistics normalise a query. Transductive: those of all queries together;"
        " support+query: the support set and that one query; support: the support set alone;"
        " running: averages kept from meta-training; own: as the method was published.",
    )
    return None if norm == OWN else norm
