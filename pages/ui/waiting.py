"""Waiting for answers: a moment in place, longer under a bar that looks again by itself.

A page asks; what is answered within a moment it shows as if nothing had happened. For the rest it
keeps the old picture where it can and mounts a bar, whose looking tells the pool that somebody
still waits: whoever leaves the page lets the question go.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import streamlit as st

from metacore import answers
from metacore.answers import Question, Standing
from pages.ui import words

T = TypeVar("T")
MOMENT = 0.15  # seconds a rerun may wait
LOOK_SECONDS, LONG_LOOK_SECONDS = 0.4, 1.0  # how often a bar looks again
FIRST_PART, MORE = 10, 3  # a part is worth a picture, and so is three times as much of it
STOPPED = "questions stopped"


def one(question: Question[T], *, moment: float = MOMENT) -> Standing[T]:
    """How its answer stands after a moment."""
    return several([question], moment=moment)[0]


def several(questions: Sequence[Question[T]], *, moment: float = MOMENT) -> list[Standing[T]]:
    """All are asked before any is waited for."""
    until, desk = time.monotonic() + moment, answers.desk()
    stopped = st.session_state.get(STOPPED, frozenset())
    going = [question for question in questions if question not in stopped]
    for question in going[1:]:
        desk.ask(question)
    return [
        desk.ask(question, wait=max(0.0, until - time.monotonic()))
        if question in going
        else known(question)
        for question in questions
    ]


def known(question: Question[T]) -> Standing[T]:
    """What is known of it already."""
    return answers.desk().peek(question) or Standing(total=question.total)


def bar(
    questions: Sequence[Question[Any]],
    said: str,
    *,
    key: str,
    partial: bool = False,
    last: Callable[[Any], str] | None = None,
) -> None:
    """A bar for what is not yet answered of these; when it is, the page is drawn anew.

    `partial` draws the page now and then on the way, for the sake of what is known by then; `last`
    says what was answered last, from a part of an answer.
    """
    pending = [question for question in questions if not known(question).complete]
    if not pending:
        return
    if all(question in st.session_state.get(STOPPED, ()) for question in pending):
        _stopped(pending, key)
        return
    drawn = _done(pending)
    next_part = max(FIRST_PART, MORE * drawn) if partial else None
    long = any(question.total > 1 for question in pending)
    every = LONG_LOOK_SECONDS if long else LOOK_SECONDS
    st.fragment(_bar, run_every=every)(tuple(questions), said, key, next_part, last)


def going_on(questions: Sequence[Question[Any]]) -> bool:
    """Whether more of the answers is on its way."""
    stopped = st.session_state.get(STOPPED, ())
    return any(question not in stopped for question in questions)


def _bar(
    questions: Sequence[Question[Any]],
    said: str,
    key: str,
    next_part: int | None,
    last: Callable[[Any], str] | None,
) -> None:
    standings = several(questions, moment=0.0)
    pending = [(q, s) for q, s in zip(questions, standings, strict=True) if not s.complete]
    if not pending or (next_part and _done([q for q, _ in pending]) >= next_part):
        st.rerun()
    share = sum(standing.share for standing in standings) / len(standings)
    done = _progress(said, [standing for _, standing in pending])
    if not any(question.total > 1 for question, _ in pending):
        st.progress(share, done)
        return
    place, stop = st.columns([5, 1], vertical_alignment="center")
    part = pending[0][1].value
    place.progress(share, f"{done} · {last(part)}" if last and part else done)
    stop.button(
        "Stop",
        key=f"stop {key}",
        type="tertiary",
        icon=":material/stop_circle:",
        help="Stops here; what is done is kept, and it can go on later.",
        on_click=_stop,
        args=([question for question, _ in pending],),
    )


def _progress(said: str, pending: Sequence[Standing[Any]]) -> str:
    """How far it is, in words."""
    long = [standing for standing in pending if standing.total > 1]
    if not long:
        ahead = min(standing.ahead for standing in pending)
        return f"{said}, after {words.several(ahead, 'other question')}…" if ahead else f"{said}…"
    done, total = (sum(getattr(one, name) for one in long) for name in ("done", "total"))
    lefts = [standing.left for standing in long]
    left = sum(one for one in lefts if one is not None) if None not in lefts else None
    soon = "" if left is None else f" · {words.duration(left)} left"
    return f"{said}: {done} of {total}{soon}"


def _stopped(pending: Sequence[Question[Any]], key: str) -> None:
    done, total = _done(pending), sum(question.total for question in pending)
    place, on = st.columns([5, 1], vertical_alignment="center")
    place.caption(f"Stopped at {done} of {total}; what is done is kept.")
    on.button(
        "Go on",
        key=f"go on {key}",
        type="tertiary",
        icon=":material/play_arrow:",
        help="Goes on from where it stopped.",
        on_click=_go_on,
        args=(pending,),
    )


def _done(questions: Sequence[Question[Any]]) -> int:
    return sum(known(question).done for question in questions)


def _stop(questions: Sequence[Question[Any]]) -> None:
    before = st.session_state.get(STOPPED, frozenset())
    st.session_state[STOPPED] = before | frozenset(questions)


def _go_on(questions: Sequence[Question[Any]]) -> None:
    st.session_state[STOPPED] = st.session_state.get(STOPPED, frozenset()) - frozenset(questions)
