"""Choosing the classes of an episode by picture: a dialog over a grid of drawings.

The choice lives in the address (`classes=3,17,40`), in the order in which the classes are labelled.
Nothing there means that the episode's seed draws them.
"""

from collections.abc import Sequence
from typing import Literal

import streamlit as st

from metacore.answers import EpisodeSpec
from metacore.answers.questions import Gallery, Offered
from metacore.datasets.base import Dataset
from pages.ui import charts, drawings, palette, say, state, waiting
from pages.ui.component import component

PARAMETER = "classes"
FEWEST, MOST = 2, 20  # more are not told apart on a screen
AT_ONCE = 40
PATIENCE = 5.0
DRAFT, PAGE = "classes ticked", "classes page"

_mount = component(__file__, html='<div class="picker"></div>')


def linked() -> tuple[int, ...]:
    """The classes the address names; () where it names none, or nothing that can be read."""
    words = state.first(PARAMETER).split(",")
    numbers = tuple(dict.fromkeys(int(word) for word in words if _is_number(word)))
    return numbers if FEWEST <= len(numbers) <= MOST and len(numbers) == len(words) else ()


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 7


def button(spec: EpisodeSpec, *, width: int | Literal["stretch"] = "stretch") -> bool:
    """Opens the dialog. Says whether it is opened now: a page that reran by itself would close it.

    Not for a popover: that would stay open above the dialog.
    """
    chosen = linked()
    opened = st.button(
        f"{len(chosen)} classes" if chosen else "Classes",
        icon=":material/grid_view:",
        help="Choose the classes of the episode by picture, instead of the seed.",
        width=width,
    )
    if opened:
        st.session_state[DRAFT], st.session_state[PAGE] = list(chosen), 0
        _dialog(spec)
    return opened


def forget() -> None:
    state.drop(PARAMETER)


@st.dialog("Choose the classes by picture", width="large")
def _dialog(spec: EpisodeSpec) -> None:
    st.markdown(
        f"These are **test classes**: no network has been trained on them. Tick {FEWEST} to {MOST};"
        " the first one ticked is class A."
    )
    page, draft = st.session_state.get(PAGE, 0), tuple(st.session_state.get(DRAFT, []))
    # A rerun would close the dialog: it waits for its drawings in place.
    found = waiting.one(
        Gallery(spec=spec, page=page, at_once=AT_ONCE, ticked=draft), moment=PATIENCE
    )
    if found.error or not found.complete:
        say.error(found.error or "The pictures take long: close this and open it again.")
        return
    ticked = _grid(found.get(), spec.kind)
    use, other, back = st.columns(3)
    if use.button(
        f"Use these {len(ticked)}" if len(ticked) >= FEWEST else f"Tick at least {FEWEST}",
        type="primary",
        disabled=not FEWEST <= len(ticked) <= MOST,
        help="Makes an episode of the ticked classes.",
        width="stretch",
    ):
        state.put(PARAMETER, ",".join(map(str, ticked)))
        st.rerun()
    other.button(
        "Other classes",
        icon=":material/refresh:",
        on_click=_turn_page,
        help="Shows others to choose from; what is ticked stays.",
        width="stretch",
    )
    if linked() and back.button(
        "Drawn by the seed",
        icon=":material/casino:",
        help="Goes back to the classes the episode's number draws.",
        width="stretch",
    ):
        forget()
        st.rerun()


def _turn_page() -> None:
    st.session_state[PAGE] = st.session_state.get(PAGE, 0) + 1


def _grid(offered: Offered, kind: type[Dataset]) -> list[int]:
    """The pictures as buttons; returns the classes that are ticked, in order."""
    images = drawings.addresses(offered.pictures, kind=kind)
    theme = charts.theme()
    data = {
        "inked": kind.inked(offered.pictures),
        "named": kind.named,
        "offered": list(offered.page),
        "pictures": {
            str(number): {"image": image, "name": name}
            for (number, name), image in zip(offered.names.items(), images, strict=True)
        },
        "chosen": list(offered.known),
        "most": MOST,
        "colors": [palette.of_class(number, theme) for number in range(MOST)],
    }
    result = _mount(data=data, key="class picker", on_chosen_change=_keep)
    ticked = result.get("chosen")
    return list(offered.known) if ticked is None else _sane(ticked, offered.count - 1)


def _keep() -> None:
    state = st.session_state.get("class picker") or {}
    st.session_state[DRAFT] = list(state.get("chosen") or [])


def _sane(ticked: Sequence[object], last: int) -> list[int]:
    """What came from the browser, believed as far as it makes sense."""
    numbers = [int(n) for n in ticked if isinstance(n, int | float) and 0 <= n <= last]
    return list(dict.fromkeys(numbers))[:MOST]
