"""The episode a page looks at: its number, the way to another one, and how large its task is.

Every page takes these controls from here, so that they are called, bounded and explained alike.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from pages.ui import state, widgets

LAST_SEED = 2**31 - 1
MOST_WAYS, MOST_SHOTS, MOST_QUERIES = 100, 100, 30
WIDTH = 160  # pixels of a control: two stand in a row on a telephone


def number(
    place: Any, *, usual: int = 0, about: str = "", changed: Callable[[], None] | None = None
) -> int:
    """Its number, `seed` in the address, and a button for the next one.

    `about` says more of the number; `changed` is called when there is another.
    """
    help = "The number that draws the test task; the same number is the same task for everyone."
    seed = widgets.number(
        place,
        "Episode",
        "seed",
        usual=usual,
        low=0,
        high=LAST_SEED,
        width=WIDTH,
        on_change=changed,
        help=" ".join([help, about]).strip(),
    )
    another(
        place,
        "New episode",
        "seed",
        (seed + 1) % LAST_SEED,
        changed=changed,
        width=WIDTH,
        help="Draws another task, of the same kind.",
    )
    return seed


def another(
    place: Any,
    label: str,
    name: str,
    following: int,
    *,
    changed: Callable[[], None] | None = None,
    **more: Any,
) -> None:
    """A button that draws anew: puts the following number under this name into the address."""
    clicked = partial(_turn, name, following, changed)
    place.button(label, icon=":material/refresh:", on_click=clicked, **more)


def _turn(name: str, following: int, changed: Callable[[], None] | None) -> None:
    state.put(name, following)
    if changed:
        changed()


def ways(place: Any, usual: int, *, high: int = MOST_WAYS, decided: int = 0, **more: Any) -> int:
    """`decided`: so many classes were chosen by picture, which leaves nothing to say here."""
    help = "How many classes the task has; classes chosen by picture decide it."
    if decided:
        place.number_input("Ways", value=decided, disabled=True, help=help, **more)
        return decided
    return widgets.number(place, "Ways", "ways", usual=usual, low=2, high=high, help=help, **more)


def shots(
    place: Any,
    usual: int,
    *,
    name: str = "shots",
    high: int = MOST_SHOTS,
    regression: bool = False,
    **more: Any,
) -> int:
    """Labelled examples of each class; of a curve, its points."""
    label = "Points" if regression else "Shots"
    help = "How many points of the curve are seen." if regression else "Examples of each class."
    return widgets.number(place, label, name, usual=usual, low=1, high=high, help=help, **more)


def queries(place: Any, usual: int, **more: Any) -> int:
    help = "How many examples of each class are asked about."
    return widgets.number(
        place, "Queries", "queries", usual=usual, low=1, high=MOST_QUERIES, help=help, **more
    )
