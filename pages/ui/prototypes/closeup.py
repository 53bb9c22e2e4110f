"""One drawing looked at closely: what is answered, how surely, and what resembles it."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from pages.ui import palette
from pages.ui.palette import Theme
from pages.ui.prototypes.embedding import Closeup, NearDrawing

MOST_BARS = 8
STYLE = """<style>
.closeup { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr));
  gap: .2rem 1.6rem }
.closeup .head { display: flex; gap: .9rem; align-items: center; margin-bottom: .3rem }
.closeup .head img { width: 96px; height: 96px; image-rendering: pixelated; border-radius: .6rem;
  border: 2px solid; padding: 4px }
.closeup .head b { font-size: 1.05rem }
.closeup .bar { display: grid; grid-template-columns: minmax(1.6rem, max-content) 1fr 3rem;
  align-items: center; gap: .4rem; margin: .16rem 0; font-size: .88rem }
.closeup .bar b { max-width: 7rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
.closeup .bar i { display: block; height: .72rem; border-radius: .3rem; min-width: 2px }
.closeup .bar i + i { margin-top: 2px }
.closeup .bar span:last-child { text-align: right; font-variant-numeric: tabular-nums }
.closeup .near { display: flex; flex-wrap: wrap; gap: .5rem }
.closeup figure { margin: 0; text-align: center; font-size: .8rem; line-height: 1.25 }
.closeup figure img { width: 54px; height: 54px; image-rendering: pixelated;
  border-radius: .5rem; border: 1.5px solid; padding: 2px }
.closeup h6 { margin: .5rem 0 .3rem; padding: 0; font-size: .86rem; font-weight: 600 }
</style>"""


def show(
    look: Closeup,
    pictures: Mapping[str, str],
    theme: Theme,
    nearest: str,
    names: Sequence[str],
) -> None:
    """`nearest` says by what the nearest support drawings are near; `names` are the classes'."""
    names = [escape(name) for name in names]
    near = "".join(_near(near, pictures, theme, names) for near in look.nearest)
    st.html(
        f'{STYLE}<div class="closeup">{_head(look, pictures, theme, names)}'
        f"<div>{_bars(look.probabilities, theme, names)}</div><div><h6>{nearest}</h6>"
        f'<div class="near">{near}</div></div></div>'
    )


def _head(look: Closeup, pictures: Mapping[str, str], theme: Theme, names: Sequence[str]) -> str:
    color = palette.of_class(look.number, theme)
    name = look.name[0].upper() + look.name[1:]
    return (
        f'<div class="head"><img src="{pictures[look.name]}" alt="{name}"'
        f' style="border-color: {color}"><div><b>{name}</b><br>{_says(look, names)}</div></div>'
    )


def _says(look: Closeup, names: Sequence[str]) -> str:
    own = names[look.number]
    answers = [names[_best(moment)] for moment in look.probabilities]
    if look.label is None:
        verdict = "rightly" if answers[-1] == own else "wrongly"
        before = f"before {answers[0]}, after " if len(answers) > 1 else "answered "
        return f"of class {own}<br>{before}{answers[-1]}: <b>{verdict}</b>"
    given = "" if look.label == look.number else f"<br>given as <b>{names[look.label]}</b>"
    return f"support of class {own}{given}<br>it would be answered {answers[-1]}"


def _best(probabilities: Sequence[float]) -> int:
    return max(range(len(probabilities)), key=lambda number: float(probabilities[number]))


def _bars(moments: Sequence[Sequence[float]], theme: Theme, names: Sequence[str]) -> str:
    """A bar per class; of two moments the first is faint."""
    last = moments[-1]
    order = sorted(range(len(last)), key=lambda number: -float(last[number]))
    shown = sorted(order[:MOST_BARS])
    title = "Probabilities" if len(moments) == 1 else "Probabilities: before (faint) and after"
    return f"<h6>{title}</h6>" + "".join(
        _bar(n, names[n], [m[n] for m in moments], theme) for n in shown
    )


def _bar(number: int, name: str, values: Sequence[float], theme: Theme) -> str:
    color = palette.of_class(number, theme)
    strips = "".join(
        f'<i style="width: {100 * float(value):.1f}%; background: {color};'
        f' opacity: {1 if n == len(values) - 1 else 0.4}"></i>'
        for n, value in enumerate(values)
    )
    return (
        f'<div class="bar"><b title="{name}">{name}</b><span>{strips}</span>'
        f"<span>{float(values[-1]):.0%}</span></div>"
    )


def _near(
    near: NearDrawing, pictures: Mapping[str, str], theme: Theme, names: Sequence[str]
) -> str:
    color = palette.of_class(near.label, theme)
    given = "" if near.label == near.number else f" as {names[near.label]}"
    return (
        f'<figure><img src="{pictures[near.name]}" alt="{near.name}" style="border-color: {color}">'
        f"<figcaption>{near.name}{given}<br>{near.distance:.2f}</figcaption></figure>"
    )
