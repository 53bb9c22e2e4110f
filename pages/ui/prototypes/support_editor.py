"""Editing the support set: every drawing with the label it is given, or left out.

What is changed stands in the URL alone, so a link shows the same mistakes.
"""

from collections.abc import Mapping
from functools import partial

import streamlit as st

from metacore.answers.asked import Asked
from pages.ui import palette, state, words
from pages.ui.palette import Theme
from pages.ui.prototypes import edits
from pages.ui.prototypes.edits import Edits

LINK = "edits"
LEFT_OUT = "left out"
AT_ONCE = 40  # pickers on a page; of more drawings, those of one class


def asked_for(asked: Asked) -> Edits:
    """What the link says about this episode."""
    return edits.read(state.first(LINK), asked.ways, asked.most)


def usable(changed: Edits, asked: Asked, shots: int) -> Edits:
    """The edits, or none (and why) where they leave a class without a drawing."""
    empty = edits.emptied(changed.given(asked.ways, shots, asked.most), asked.ways)
    if not empty:
        return changed
    which = " and ".join(words.letter(number) for number in empty)
    st.warning(
        f"Class {which} would have no drawing left, so the support set is shown as it was drawn:"
        " give every class at least one, or take more shots.",
        icon=":material/info:",
    )
    return Edits()


def show(
    changed: Edits, asked: Asked, shots: int, pictures: Mapping[str, str], theme: Theme
) -> None:
    st.subheader("Edit the support set", anchor=False)
    st.caption(
        "Leave a drawing out or give it the wrong label, and watch prototypes and answers move."
        " The queries stay as they are."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = _classes(asked, shots)
        st.button(
            "Reset",
            icon=":material/undo:",
            disabled=not changed.changed,
            on_click=forget,
            help="Every drawing gets its own label back.",
        )
    with st.container(horizontal=True, gap="small"):
        for number in shown:
            for place in range(shots):
                _drawing(number, place, changed, asked, pictures, theme)


def forget() -> None:
    state.drop(LINK)


def _classes(asked: Asked, shots: int) -> list[int]:
    """All classes, or the one that is picked where there are too many drawings."""
    if asked.ways * shots <= AT_ONCE:
        return list(range(asked.ways))
    letters = {str(number): words.letter(number) for number in range(asked.ways)}
    help = "Whose drawings are shown here."
    return [int(state.select(st, "Class", "edited", letters, help=help))]


def _drawing(
    number: int,
    place: int,
    changed: Edits,
    asked: Asked,
    pictures: Mapping[str, str],
    theme: Theme,
) -> None:
    name, label = edits.drawing(number, place), changed.label(number, place)
    key = f"label {asked.name} {asked.seed} {name}"
    st.session_state[key] = LEFT_OUT if label is None else words.letter(label)
    with st.container(width=104, gap=None):
        st.html(_picture(name, pictures[name], label, theme))
        st.selectbox(
            f"Label of {name}",
            [*(words.letter(n) for n in range(asked.ways)), LEFT_OUT],
            key=key,
            label_visibility="collapsed",
            on_change=partial(_change, key, number, place, asked),
            help="The class this drawing is given as.",
        )


def _picture(name: str, address: str, label: int | None, theme: Theme) -> str:
    """Its frame has the colour of the class it is given as; what is left out is faint."""
    frame = "#888888" if label is None else palette.of_class(label, theme)
    style = f"border: 2px {'dashed' if label is None else 'solid'} {frame};"
    faint = "opacity: .3;" if label is None else ""
    return (
        f'<div style="{style} border-radius: .6rem; width: 100%; padding: 4px 6px 2px;'
        ' box-sizing: border-box; margin-bottom: 4px">'
        f'<span style="font-size: .78rem; line-height: 1">{name}</span>'
        f'<img src="{address}" alt="drawing {name}" style="{faint} display: block; width: 64px;'
        ' height: 64px; margin: -6px auto 0; image-rendering: pixelated"></div>'
    )


def _change(key: str, number: int, place: int, asked: Asked) -> None:
    chosen = st.session_state[key]
    labels = {words.letter(n): n for n in range(asked.ways)}
    changed = asked_for(asked).with_label(number, place, labels.get(chosen))
    if changed.changed:
        state.put(LINK, edits.write(changed))
    else:
        forget()
