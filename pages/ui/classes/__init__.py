"""Choosing the classes of an episode by picture: a dialog over a grid of drawings.

The choice lives in the address (`classes=3,17,40`), in the order in which the classes are labelled.
Nothing there means that the episode's seed draws them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import streamlit as st

from metacore import UserError
from metacore.answers.asked import SPLIT, Asked
from metacore.datasets.base import ImageDataset
from pages.ui import charts, drawings, palette, say, state

HERE = Path(__file__).parent
PARAMETER = "classes"
FEWEST, MOST = 2, 20  # more are not told apart on a screen
AT_ONCE = 40
DRAFT, PAGE = "classes ticked", "classes page"

_mount = st.components.v2.component(
    "metacore_classes",
    html='<div class="picker"></div>',
    css=(HERE / "classes.css").read_text(),
    js=(HERE / "classes.js").read_text(),
)


def linked() -> tuple[int, ...]:
    """The classes the address names; () where it names none, or nothing that can be read."""
    words = state.first(PARAMETER).split(",")
    numbers = tuple(dict.fromkeys(int(word) for word in words if _is_number(word)))
    return numbers if FEWEST <= len(numbers) <= MOST and len(numbers) == len(words) else ()


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 7


def button(asked: Asked, *, width: int | Literal["stretch"] = "stretch") -> bool:
    """Opens the dialog. Says whether it is opened now: a page that reran by itself would close it.

    Not for a popover: that would stay open above the dialog.
    """
    chosen = linked()
    opened = st.button(
        f"{len(chosen)} classes" if chosen else "Classes",
        icon=":material/grid_view:",
        help="Choose the classes of the episode by their drawings, instead of the seed.",
        width=width,
    )
    if opened:
        st.session_state[DRAFT], st.session_state[PAGE] = list(chosen), 0
        _dialog(asked)
    return opened


def forget() -> None:
    state.drop(PARAMETER)


@st.dialog("Choose the classes by picture", width="large")
def _dialog(asked: Asked) -> None:
    try:
        source = asked.source()
    except UserError as error:
        say.error(error)
        return
    assert isinstance(source, ImageDataset), "curves have no classes"
    st.markdown(
        f"These are **test classes**: no network has been trained on them. Tick {FEWEST} to {MOST};"
        " the first one ticked is class A."
    )
    draft, pages = _draft(source), -(-source.classes(SPLIT) // AT_ONCE)
    first = AT_ONCE * (st.session_state.get(PAGE, 0) % pages)
    offered = range(first, min(first + AT_ONCE, source.classes(SPLIT)))
    ticked = _grid(source, offered, draft)
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


def _draft(source: ImageDataset) -> list[int]:
    """What is ticked so far, of what there is."""
    known = range(source.classes(SPLIT))
    return [number for number in st.session_state.get(DRAFT, []) if number in known]


def _turn_page() -> None:
    st.session_state[PAGE] = st.session_state.get(PAGE, 0) + 1


def _grid(source: ImageDataset, offered: Sequence[int], draft: list[int]) -> list[int]:
    """The drawings as buttons; returns the classes that are ticked, in order."""
    shown = [*offered, *(number for number in draft if number not in offered)]
    images = drawings.addresses(source.pictures(SPLIT, shown))
    names = source.class_names(SPLIT)
    theme = charts.theme()
    data = {
        "offered": list(offered),
        "pictures": {
            str(number): {"image": image, "name": names[number]}
            for number, image in zip(shown, images, strict=True)
        },
        "chosen": draft,
        "most": MOST,
        "colors": [palette.of_class(number, theme) for number in range(MOST)],
    }
    result = _mount(data=data, key="class picker", on_chosen_change=_keep)
    ticked = result.get("chosen")
    return draft if ticked is None else _sane(ticked, source)


def _keep() -> None:
    state = st.session_state.get("class picker") or {}
    st.session_state[DRAFT] = list(state.get("chosen") or [])


def _sane(ticked: Sequence[object], source: ImageDataset) -> list[int]:
    """What came from the browser, believed as far as it makes sense."""
    last = source.classes(SPLIT) - 1
    numbers = [int(n) for n in ticked if isinstance(n, int | float) and 0 <= n <= last]
    return list(dict.fromkeys(numbers))[:MOST]
