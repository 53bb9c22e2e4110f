"""All runs adapt to one identical episode, side by side."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from metacore import UserError
from metacore.answers import EpisodeSpec, Question
from metacore.answers.questions import Drawn
from metacore.episode import Episode
from metacore.insight.trace import Trace
from pages.ui import engine, episode, film, kinds, say, waiting
from pages.ui.compare.choice import CompareChoice
from pages.ui.compare.downloads import take
from pages.ui.curve_task import CurveTask
from pages.ui.film import FilmedRun
from pages.ui.player import Film, Panel, play

SHOWN = "duel shown"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An episode, and what every run makes of it."""

    choice: CompareChoice
    seed: int
    spec: EpisodeSpec
    episode: Episode
    traces: Sequence[Trace]


@st.fragment
def duel(choice: CompareChoice) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = episode.number(st)
    place = st.container()
    try:
        wanted = questions(choice, choice.spec(seed))
        waiting.several(wanted)
        seen = _seen(choice, seed)
        if seen is None:
            with place:
                waiting.bar(wanted, "Adapting", key="duel")
            seen = _before()
    except UserError as error:
        say.error(error)
        return
    if seen:
        st.session_state[SHOWN] = seen.choice, seen.seed
        play(_film(seen), key="duel")
        rows = _rows(seen.choice, seen.traces)
        take(f"duel-{seen.choice.name}-{seen.seed}", rows, key="duel")


def questions(choice: CompareChoice, spec: EpisodeSpec) -> list[Question[Any]]:
    """The episode, and every run's adaptation to it."""
    how: dict[str, Any] = {"steps": choice.steps, "norm": choice.norm}
    return [Drawn(spec=spec), *(engine.adaptation(run, spec, **how) for run in choice.runs)]


def _seen(choice: CompareChoice, seed: int) -> Seen | None:
    """What there is to show, once all of it is known; raises UserError."""
    spec = choice.spec(seed)
    found = [waiting.known(question) for question in questions(choice, spec)]
    if not all(one.complete for one in found):
        return None
    episode, *traces = [one.get() for one in found]
    return Seen(choice=choice, seed=seed, spec=spec, episode=episode, traces=traces)


def _before() -> Seen | None:
    """What was shown before, if it is still known."""
    about = st.session_state.get(SHOWN)
    with contextlib.suppress(UserError):
        return _seen(*about) if about else None
    return None


def _film(seen: Seen) -> Film:
    choice, names = seen.choice, ", ".join(run.name for run in seen.choice.runs)
    runs = [
        FilmedRun.of(trace, kind, name=run.name, color=color)
        for run, kind, color, trace in zip(
            choice.runs, choice.kinds, choice.colors, seen.traces, strict=True
        )
    ]
    steps = film.steps_of(runs)
    panels: Sequence[Panel]
    if choice.regression:
        task = CurveTask.of(seen.spec, seen.episode, seen.traces[0].grid)
        alt = f"A curve, the points seen of it, and how {names} bend towards it."
        panels = [film.curve(runs, task, title="One curve for all", alt=alt)]
    else:
        panels = film.boards(runs, seen.episode, seen.spec.kind, kinds.of(seen.spec))
    ways = None if choice.regression else choice.ways
    label = film.moment(runs).capitalize()
    scores = film.scores(runs, steps, ways=ways)
    return Film(steps=steps, panels=[*panels, scores], label=label, stack=True)


def _rows(choice: CompareChoice, traces: Sequence[Trace]) -> list[dict[str, Any]]:
    return [
        {
            "run": run.id,
            "name": run.name,
            "step": step,
            "support_loss": float(trace.support_loss[step, 0]),
            f"query_{choice.metric}": float(trace.query_score[step, 0]),
        }
        for run, trace in zip(choice.runs, traces, strict=True)
        for step in trace.steps
    ]
