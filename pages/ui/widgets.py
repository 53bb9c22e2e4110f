"""Widgets that show a word of the page's view and change it: see `pages.ui.state`.

They believe nothing: whatever stands in an address is brought into the widget's bounds.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from operator import itemgetter
from typing import Any

from pages.ui import state
from pages.ui.state import Words

Options = Sequence[str] | Mapping[str, str]  # a mapping gives what each is called


def number(
    place: Any, label: str, name: str, *, usual: int, low: int, high: int, help: str, **more: Any
) -> int:
    """A whole number that is always there."""
    draw = partial(place.number_input, label, low, high, step=1, help=help, **more)
    return int(
        state.bound(name, min(max(usual, low), high), _whole(name, low, high), _one, _valued(draw))
    )


def number_or_none(
    place: Any,
    label: str,
    name: str,
    *,
    low: int,
    high: int,
    help: str,
    usual: int | None = None,
    **more: Any,
) -> int | None:
    """A whole number, or nothing: then its `placeholder` says what holds."""

    def read(said: Words) -> int | None:
        return None if said == (state.NONE,) else _whole(name, low, high)(said)

    def write(found: int | None) -> Words:
        return (state.NONE,) if found is None else (str(found),)

    draw = partial(place.number_input, label, low, high, step=1, help=help, **more)
    return state.bound(name, usual, read, write, _valued(draw))


def slider(
    place: Any, label: str, name: str, *, usual: int, low: int, high: int, help: str, **more: Any
) -> int:
    """Where there is only one value (low = high) there is nothing to slide."""
    usual = min(max(usual, low), high)
    if low >= high:
        return usual
    draw = partial(place.slider, label, low, high, step=1, help=help, **more)
    return int(state.bound(name, usual, _whole(name, low, high), _one, _valued(draw)))


def switch(
    place: Any, label: str, name: str, options: Options, *, help: str, usual: str = "", **more: Any
) -> str:
    """One of a few, side by side."""
    called = _called(options)
    draw = partial(
        place.segmented_control, label, [*options], required=True, format_func=called, help=help
    )
    return _choice(name, options, usual, lambda value, key: draw(default=value, key=key, **more))


def select(
    place: Any,
    label: str,
    name: str,
    options: Options,
    *,
    help: str,
    usual: str = "",
    varies: bool = False,
    **more: Any,
) -> str:
    """One of many, in a list that opens."""
    draw = partial(place.selectbox, label, [*options], format_func=_called(options), help=help)
    return _choice(
        name,
        options,
        usual,
        lambda value, key: draw(index=[*options].index(value), key=key, **more),
        varies=varies,
    )


def several(
    place: Any,
    label: str,
    name: str,
    options: Options,
    *,
    usual: Sequence[str],
    most: int,
    help: str,
    varies: bool = False,
    **more: Any,
) -> list[str]:
    """Some of many, in the order in which they were picked; `none` in an address is no one."""

    def read(said: Words) -> list[str]:
        known = [word for word in dict.fromkeys(said) if word in options]
        if not known and said != (state.NONE,):
            raise ValueError("that is not here.")
        return known[:most]

    def write(ids: list[str]) -> Words:
        return tuple(ids) or (state.NONE,)

    draw = partial(
        place.multiselect, label, [*options], format_func=_called(options), max_selections=most
    )
    return state.bound(
        name,
        [*usual],
        read,
        write,
        lambda value, key: draw(default=value, key=key, help=help, **more),
        varies=varies,
    )


def toggle(place: Any, label: str, name: str, *, help: str, usual: bool = False) -> bool:
    return state.bound(
        name, usual, _yes_or_no, _yes, _valued(partial(place.toggle, label, help=help))
    )


def checkbox(place: Any, label: str, name: str, *, help: str, usual: bool = False) -> bool:
    return state.bound(
        name, usual, _yes_or_no, _yes, _valued(partial(place.checkbox, label, help=help))
    )


def whole(name: str, *, usual: int, low: int, high: int) -> int:
    """A whole number without a widget of its own."""
    return int(state.value(name, usual, _whole(name, low, high), _one))


def text(place: Any, label: str, name: str, *, help: str, **more: Any) -> str:
    """A line someone types."""
    draw = partial(place.text_input, label, help=help, **more)
    return str(state.bound(name, "", itemgetter(-1), _one, _valued(draw)))


def _choice(
    name: str,
    options: Options,
    usual: str,
    draw: Callable[[str, str], Any],
    *,
    varies: bool = False,
) -> str:
    def read(said: Words) -> str:
        if said[-1] not in options:
            raise ValueError("there is no such choice here.")
        return said[-1]

    usual = usual if usual in options else next(iter(options))
    return str(state.bound(name, usual, read, _one, draw, varies=varies))


def _valued(draw: Callable[..., Any]) -> Callable[[Any, str], Any]:
    """Of the widgets whose own default is called `value`."""
    return lambda value, key: draw(value=value, key=key)


def _called(options: Options) -> Callable[[str], str]:
    names = options if isinstance(options, Mapping) else {}
    return lambda option: str(names.get(option, option))


def _whole(name: str, low: int, high: int) -> Callable[[Words], int]:
    """Reads a whole number into these bounds, which may have moved since; of several the last.

    A link that never fitted is no wish for the largest there is.
    """

    def read(said: Words) -> int:
        try:
            found = float(said[-1])
        except ValueError:
            raise ValueError("that is not a number.") from None
        if not math.isfinite(found):
            raise ValueError("that is no number one could count to.")
        if not low <= found <= high and state.came_with_link(name):
            raise ValueError(f"it can be {low} to {high}.")
        return int(min(max(found, low), high))

    return read


def _yes_or_no(said: Words) -> bool:
    if said[-1] not in ("yes", "no", "true", "false"):
        raise ValueError("it is yes or no.")
    return said[-1] in ("yes", "true")


def _yes(on: bool) -> Words:
    return ("yes" if on else "no",)


def _one(found: object) -> Words:
    return () if found is None else (str(found),)
