"""All runs adapt to one identical episode, side by side."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import streamlit as st

from metacore import UserError
from metacore.answers import Asked, Question
from metacore.answers.questions import Drawn
from metacore.episode import Episode
from metacore.insight.trace import Array, Trace
from pages.ui import charts, drawings, engine, palette, say, state, waiting, words
from pages.ui.compare.choice import Choice
from pages.ui.compare.downloads import take
from pages.ui.player import (
    Bending,
    Curve,
    Drawing,
    Drawings,
    Film,
    Line,
    Lines,
    Panel,
    chance,
    play,
)

LAST_SEED = 2**31 - 1
SHOWN = "duel shown"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, kw_only=True)
class Seen:
    """An episode, and what every run makes of it."""

    choice: Choice
    seed: int
    asked: Asked
    episode: Episode
    traces: Sequence[Trace]


@st.fragment
def duel(choice: Choice) -> None:
    seed = _episode()
    place = st.container()
    try:
        wanted = questions(choice, choice.asked(seed))
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
        _show(seen)


def questions(choice: Choice, asked: Asked) -> list[Question[Any]]:
    """The episode, and every run's adaptation to it."""
    how: dict[str, Any] = {"steps": choice.steps, "norm": choice.norm}
    return [Drawn(asked=asked), *(engine.adaptation(run, asked, **how) for run in choice.runs)]


def _seen(choice: Choice, seed: int) -> Seen | None:
    """What there is to show, once all of it is known; raises UserError."""
    asked = choice.asked(seed)
    found = [waiting.known(question) for question in questions(choice, asked)]
    if not all(one.complete for one in found):
        return None
    episode, *traces = [one.get() for one in found]
    return Seen(choice=choice, seed=seed, asked=asked, episode=episode, traces=traces)


def _before() -> Seen | None:
    """What was shown before, if it is still known."""
    about = st.session_state.get(SHOWN)
    with contextlib.suppress(UserError):
        return _seen(*about) if about else None
    return None


def _show(seen: Seen) -> None:
    choice, traces = seen.choice, seen.traces
    play(film(choice, seen.asked, seen.episode, traces), key="duel")
    take(f"duel-{choice.name}-{seen.seed}", _rows(choice, traces), key="duel")


def _episode() -> int:
    """The seed of the episode, and a button for another."""
    number, button, _ = st.columns([1, 1, 2.5], vertical_alignment="bottom")
    seed = state.number(
        number,
        "Episode",
        "seed",
        usual=0,
        low=0,
        high=LAST_SEED,
        help="The number that draws the test task; the same number is the same task for everyone.",
    )
    button.button(
        "New episode",
        icon=":material/refresh:",
        key="new episode",
        on_click=state.put,
        args=("seed", (seed + 1) % LAST_SEED),
        help="Draws another task for all runs.",
    )
    return seed


def film(choice: Choice, asked: Asked, episode: Episode, traces: Sequence[Trace]) -> Film:
    longest = max((trace.steps for trace in traces), key=len)
    panels: list[Panel] = []
    if choice.regression:
        panels.append(_curves(choice, asked, episode, traces))
    else:
        panels.extend(_drawings(choice, episode, traces))
    lines = _lines(choice, traces, len(longest))
    return Film(steps=longest, panels=[*panels, lines], start=0, stack=True)


def _lines(choice: Choice, traces: Sequence[Trace], length: int) -> Lines:
    accuracy = choice.metric == "accuracy"
    dashes = [palette.svg_dash(kind) for kind in choice.kinds]
    guess = [chance(choice.ways, length, charts.theme())] if accuracy else []
    return Lines(
        title="Query accuracy" if accuracy else "How wrong they are",
        y="query accuracy" if accuracy else "mean squared error",
        alt=f"The {words.METRIC[choice.metric]} of {_names(choice)} after every inner step.",
        lines=[
            *(
                Line(run.name, color, _held(trace.query_score[:, 0], length), dash)
                for run, color, dash, trace in zip(
                    choice.runs, choice.colors, dashes, traces, strict=True
                )
            ),
            *guess,
        ],
        range=(0, 1.03) if accuracy else None,
        percent=accuracy,
    )


def _held(values: Any, length: int) -> list[float]:
    """Who is done keeps its last value: a single computation is a level line."""
    known = [float(value) for value in values]
    return known + known[-1:] * (length - len(known))


def _curves(choice: Choice, asked: Asked, episode: Episode, traces: Sequence[Trace]) -> Curve:
    grid = np.asarray(traces[0].grid).tolist()
    truth = asked.curve(grid)
    reach = max(2.0, *(abs(value) for value in truth)) * 1.35
    return Curve(
        title="One curve for all",
        grid=grid,
        lines=[
            Bending(run.name, color, _watched(trace.curves), palette.svg_dash(kind))
            for run, kind, color, trace in zip(
                choice.runs, choice.kinds, choice.colors, traces, strict=True
            )
        ],
        truth=truth,
        points=[
            (float(x), float(y))
            for x, y in zip(episode.support_x.flatten(), episode.support_y.flatten(), strict=True)
        ],
        range=(-reach, reach),
        alt=f"A curve, the points seen of it, and how {_names(choice)} bend towards it.",
    )


def _drawings(choice: Choice, episode: Episode, traces: Sequence[Trace]) -> list[Drawings]:
    theme = charts.theme()
    classes = [(_letter(n, episode.ways), palette.of_class(n, theme)) for n in range(episode.ways)]
    support = _pictures(episode.support_x[0], episode.support_y[0])
    query = _pictures(episode.query_x[0], episode.query_y[0])
    return [
        Drawings(
            title=run.name,
            note=f"normalisation: {words.mode(trace.norm)}",
            classes=classes,
            support=support,
            query=[
                replace(each, probabilities=shares)
                for each, shares in zip(
                    query, _watched(trace.query_probabilities).swapaxes(0, 1), strict=True
                )
            ],
        )
        for run, trace in zip(choice.runs, traces, strict=True)
    ]


def _pictures(images: Any, labels: Any) -> list[Drawing]:
    return [
        Drawing(image, int(label))
        for image, label in zip(drawings.addresses(images), labels, strict=True)
    ]


def _watched(values: Array | None) -> Any:
    """What was recorded [S+1, T, …] of the one task that is watched: [S+1, …]."""
    return np.asarray(values)[:, 0]


def _letter(number: int, ways: int) -> str:
    return LETTERS[number] if ways <= len(LETTERS) else str(number + 1)


def _names(choice: Choice) -> str:
    return ", ".join(run.name for run in choice.runs)


def _rows(choice: Choice, traces: Sequence[Trace]) -> list[dict[str, Any]]:
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
