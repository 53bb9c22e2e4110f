"""Editing the support set: every drawing with the label it is given, or left out.

What is changed stands in the URL alone, so a link shows the same mistakes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import streamlit as st

from metacore.answers.episode_spec import EpisodeSpec
from pages.ui import charts, palette, state, widgets, words
from pages.ui.palette import Theme
from pages.ui.prototypes import edits
from pages.ui.prototypes.before_after import BeforeAndAfter
from pages.ui.prototypes.edits import Edits
from pages.ui.prototypes.in_space import EpisodeInSpace

LINK = "edits"
LEFT_OUT = "left out"
WIDTH = 96  # pixels of a drawing: three stand beside the picture
EDITED = "support just edited"
UNMOVED = 1e-5  # a distance that is only rounding
AT_ONCE = 6  # pickers beside the picture; of more drawings, those of one class


@dataclass(frozen=True)
class Shift:
    """What the edits did to one class."""

    number: int
    distance: float | None  # that its prototype moved; None where there are none
    right: tuple[int, int]  # queries answered rightly as drawn, and as edited


def shifts(
    drawn: EpisodeInSpace | BeforeAndAfter, edited: EpisodeInSpace | BeforeAndAfter
) -> list[Shift]:
    """Of the classes for which the edits changed anything."""
    found = []
    for number, right in enumerate(zip(drawn.right_in, edited.right_in, strict=True)):
        distance = None
        if drawn.prototypes is not None and edited.prototypes is not None:
            gap = float(np.linalg.norm(edited.prototypes[number] - drawn.prototypes[number]))
            distance = gap if gap > UNMOVED else 0.0
        if right[0] != right[1] or distance:
            found.append(Shift(number, distance, right))
    return found


def asked_for(spec: EpisodeSpec) -> Edits:
    """What the link says about this episode."""
    return edits.read(state.first(LINK), spec.ways, spec.most)


def usable(changed: Edits, spec: EpisodeSpec, shots: int) -> Edits:
    """The edits, or none (and why) where they leave a class without a drawing."""
    empty = edits.emptied(changed.given(spec.ways, shots, spec.most), spec.ways)
    if not empty:
        return changed
    which = " and ".join(words.letter(number) for number in empty)
    st.warning(
        f"Class {which} would have no picture left, so the support set is shown as it came:"
        " give every class at least one, or take more shots.",
        icon=":material/info:",
    )
    return Edits()


def show(
    spec: EpisodeSpec, shots: int, pictures: Mapping[str, str], shifts: Sequence[Shift]
) -> None:
    """Beside the picture, in the fragment of which it is drawn; `shifts` say what edits did."""
    changed = asked_for(spec)
    charts.title(
        "Mislabel the support set",
        "Give a picture the wrong label, or leave it out, and watch prototypes and answers move."
        " The queries stay as they are.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = _classes(changed, spec, shots)
        st.button(
            "Reset",
            icon=":material/undo:",
            disabled=not changed.changed,
            on_click=_reset,
            help="Every picture gets its own label back.",
        )
    with st.container(horizontal=True, gap="xsmall"):
        for number in shown:
            for place in range(shots):
                _drawing(number, place, changed, spec, pictures, charts.theme())
    if changed.changed:
        st.markdown(_effect(changed, shifts))


def edited_just_now() -> bool:
    """Whether the whole page must be drawn anew: an edit changes more than its fragment."""
    return bool(st.session_state.pop(EDITED, False))


def _effect(changed: Edits, shifts: Sequence[Shift]) -> str:
    """What was edited, and the numbers of it before and after."""
    edited = [
        f"{edits.drawing(*where)} {'left out' if label is None else f'as {words.letter(label)}'}"
        for where, label in sorted(changed.changed.items())
    ]
    said = f"**Edited**: {', '.join(edited)}."
    if not shifts:
        return f"{said} No answer has changed."
    moved = any(shift.distance is not None for shift in shifts)
    lines = [
        _row("Class", "Prototype moved by", "Queries right", moved),
        _row("---", "---", "---", moved),
    ]
    for shift in shifts:
        distance = "–" if not shift.distance else f"{shift.distance:.2f}"
        before, after = shift.right
        name, right = f"**{words.letter(shift.number)}**", f"{before} → **{after}**"
        lines.append(_row(name, distance, right, moved))
    return "\n".join([said, "", *lines])


def _row(name: str, distance: str, right: str, moved: bool) -> str:
    """Only methods that have prototypes can move them."""
    return f"| {' | '.join([name, distance, right] if moved else [name, right])} |"


def _reset() -> None:
    st.session_state[EDITED] = True
    forget()


def forget() -> None:
    state.drop(LINK)


def _classes(changed: Edits, spec: EpisodeSpec, shots: int) -> list[int]:
    """All classes, or the one that is picked where there are too many drawings."""
    if spec.ways * shots <= AT_ONCE:
        return list(range(spec.ways))
    first = min((number for number, _ in changed.changed), default=0)
    letters = {str(number): words.letter(number) for number in range(spec.ways)}
    help = "Whose pictures are shown here."
    chosen = widgets.switch(st, "Class", "edited", letters, usual=str(first), wrap=True, help=help)
    return [int(chosen)]


def _drawing(
    number: int,
    place: int,
    changed: Edits,
    spec: EpisodeSpec,
    pictures: Mapping[str, str],
    theme: Theme,
) -> None:
    name, label = edits.drawing(number, place), changed.label(number, place)
    key = f"label {spec.name} {spec.seed} {name}"
    st.session_state[key] = LEFT_OUT if label is None else words.letter(label)
    with st.container(width=WIDTH, gap=None):
        st.html(_picture(name, pictures[name], label, theme, spec.kind.named))
        st.selectbox(
            f"Label of {name}",
            [*(words.letter(n) for n in range(spec.ways)), LEFT_OUT],
            key=key,
            label_visibility="collapsed",
            on_change=partial(_change, key, number, place, spec),
            help="The class this picture is given as.",
        )


def _picture(name: str, address: str, label: int | None, theme: Theme, full: bool) -> str:
    """Its frame has the colour of the class it is given as; what is left out is faint. Characters
    leave their corners to the name, pictures that are `full` do not."""
    frame = "#888888" if label is None else palette.of_class(label, theme)
    style = f"border: 2px {'dashed' if label is None else 'solid'} {frame};"
    faint = "opacity: .3;" if label is None else ""
    return (
        f'<div style="{style} border-radius: .6rem; width: 100%; padding: 4px 6px 2px;'
        ' box-sizing: border-box; margin-bottom: 4px">'
        f'<span style="font-size: .78rem; line-height: 1">{name}</span>'
        f'<img src="{address}" alt="{name}" style="{faint} display: block; width: 64px;'
        f' height: 64px; margin: {0 if full else -6}px auto 0; image-rendering: pixelated"></div>'
    )


def _change(key: str, number: int, place: int, spec: EpisodeSpec) -> None:
    st.session_state[EDITED] = True
    chosen = st.session_state[key]
    labels = {words.letter(n): n for n in range(spec.ways)}
    changed = asked_for(spec).with_label(number, place, labels.get(chosen))
    if changed.changed:
        state.put(LINK, edits.write(changed))
    else:
        forget()
