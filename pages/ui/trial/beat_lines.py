"""Lines about players, one below the other: who, what in words, a scale from 0 to 1, and notes."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import streamlit as st

CSS = Path(__file__).with_name("beat.css")


@dataclass(frozen=True, kw_only=True)
class ContestLine:
    who: str
    color: str | None  # None: a person
    said: str
    at: float | None = None  # a mark on the scale
    reach: tuple[float, float] | None = None  # and a bar around or below it
    notes: Sequence[str] = ()


def lines(shown: Sequence[ContestLine]) -> None:
    st.html(CSS)
    st.html(f'<div class="lines" role="list">{"".join(map(_line, shown))}</div>')


def _line(line: ContestLine) -> str:
    color = f' style="--run: {line.color}"' if line.color else ""
    notes = "".join(f'<span class="note">{_marked(note)}</span>' for note in line.notes)
    return (
        f'<div role="listitem"{color}><span class="who">{escape(line.who)}</span>'
        f"<span>{_marked(line.said)}</span>{_scale(line)}{notes}</div>"
    )


def _marked(text: str) -> str:
    """Right and wrong are told apart from afar: a full disc, and a hollow square."""
    marked = escape(text)
    for sign, kind in (("✓", "right"), ("✗", "wrong")):
        marked = marked.replace(sign, f'<i class="mark {kind}">{sign}</i>')
    return marked


def _scale(line: ContestLine) -> str:
    """Only for the eye: the numbers stand beside it."""
    if line.at is None:
        return "<span></span>"
    low, high = line.reach or (0.0, line.at)
    return (
        '<span class="scale" aria-hidden="true">'
        f'<span class="reach" style="left: {low:.1%}; width: {high - low:.1%}"></span>'
        f'<span class="at" style="left: {line.at:.1%}"></span></span>'
    )
