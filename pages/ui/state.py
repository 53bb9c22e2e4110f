"""What a page shows is what its address says: the one place that reads addresses and writes them.

A page's view is a small dict of words, `{"shots": ("3",)}`, as in its address; what is as usual is
left out of both. Each page has its own view, so nothing chosen on one page reaches another except
by a link that says so. Widgets (`pages.ui.widgets`) are drawn from the view and write into it.

Links, reloads, Back and Forward carry a view to the server; a widget carries a change. Which of
the two happened is decided once, in `begin`.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from pages.ui import words

Words = tuple[str, ...]
View = dict[str, Words]
Value = TypeVar("Value")

CLIENT = ("film",)  # the player's own: it is read and written in the browser alone
NONE = "none"
LONGEST, MOST = 200, 60  # of one word, and how many words a name may have
STALE_SECONDS = 1.5  # an address on its way back from the browser may be as old as this
_NOTHING = object()


@dataclass
class _Page:
    """What is known of one page in one browser tab."""

    view: View = field(default_factory=dict)
    address: View = field(default_factory=dict)  # as the browser has it, or soon will
    handed: dict[str, Any] = field(default_factory=dict)  # widget key -> what it last showed
    exact: View = field(default_factory=dict)  # what is usual only here: links spell it out
    opened: bool = False  # this run took its view from the address
    linked: set[str] = field(default_factory=set)  # names that came with it
    left: list[tuple[float, View]] = field(default_factory=list)  # views just left, and when
    notes: list[str] = field(default_factory=list)


# --- a page's run --------------------------------------------------------------------------------


@contextlib.contextmanager
def of(page: str) -> Iterator[None]:
    """Around the script of a page: its view is read before, and written to its address after.

    A run that is cut short writes nothing; the one that follows it does.
    """
    begin(page)
    place = st.container(key="notes")
    yield
    if notes := dict.fromkeys(_page().notes):
        place.info("  \n".join(notes), icon=":material/link_off:")
    _write()


def begin(page: str) -> None:
    """Takes over what the address says, unless it only repeats what this page wrote there."""
    arrived = st.session_state.get("page shown") != page
    st.session_state["page shown"] = page
    mine, here = _page(), _address()
    mine.linked, mine.exact = set(), {}
    known = here == mine.address or _stale(here)
    mine.opened = arrived or _context().is_history_navigation or not known
    if mine.opened:
        mine.view, mine.address, mine.linked = dict(here), here, set(here)
        mine.handed, mine.left, mine.notes = {}, [], []
        if not arrived:  # a link to the page itself leaves the browser's address as it was
            _send(here)


def _stale(here: View) -> bool:
    """Whether the browser has not yet heard of the view that was written last."""
    now = time.monotonic()
    return any(here == view and now - when < STALE_SECONDS for when, view in _page().left)


def _page() -> _Page:
    known: dict[str, _Page] = st.session_state.setdefault("pages' views", {})
    return known.setdefault(str(st.session_state.get("page shown", "")), _Page())


def _address() -> View:
    found = {name: tuple(st.query_params.get_all(name)[:MOST]) for name in st.query_params}
    return {
        name: tuple(word[:LONGEST] for word in given)
        for name, given in found.items()
        if name not in CLIENT
    }


def _write() -> None:
    """Brings the address up to the view: one entry in the browser's history, if it changed."""
    mine = _page()
    if mine.address != mine.view:
        mine.left = [*mine.left[-7:], (time.monotonic(), mine.address)]
        mine.address = dict(mine.view)
        _send(mine.view)


def _send(view: View) -> None:
    st.query_params.from_dict({name: list(given) for name, given in view.items()})


def _context() -> Any:
    context = get_script_run_ctx()
    assert context is not None, "pages run as scripts"
    return context


# --- what a view says ----------------------------------------------------------------------------


def get(name: str) -> Words:
    return _page().view.get(name, ())


def first(name: str) -> str:
    return next(iter(get(name)), "")


def put(name: str, *given: object) -> None:
    """Changes the view; the address follows at once in a fragment, else at the end of the run."""
    mine = _page()
    said = tuple(str(word) for word in given)
    if said == mine.view.get(name, ()):
        return
    mine.view.pop(name, None)
    if said:
        mine.view[name] = said
    if _context().fragment_ids_this_run:
        _write()


def settle(name: str, word: str, *, usual: str) -> None:
    """Something else on the page decides this; the widget that is drawn next shows it."""
    put(name, *(() if word == usual else (word,)))


def drop(*names: str) -> None:
    for name in names:
        put(name)


def heard(name: str) -> Words:
    """The same, with what a person has just changed in a widget that is drawn further below."""
    mine, place = _page(), key(name)
    held = st.session_state.get(place, _NOTHING)
    if held is not _NOTHING and place in mine.handed and held != mine.handed[place]:
        mine.handed[place] = held
        put(name, *((held or [NONE]) if isinstance(held, list) else [] if held is None else [held]))
    return get(name)


def opened() -> bool:
    """Whether this run follows a link, a reload, Back or Forward: what is run again of a page
    that was opened so does not."""
    return _page().opened and not _context().fragment_ids_this_run


def came_with_link(name: str) -> bool:
    """Whether the address brought this name now: a link, a reload, Back or Forward."""
    return name in _page().linked


def note(sentence: str) -> None:
    """Something about the address a person should know; stands above the page."""
    _page().notes.append(sentence)


def remembered(page: str) -> dict[str, list[str]]:
    """The view a page was left with, as the query of a link back to it."""
    known: dict[str, _Page] = st.session_state.get("pages' views", {})
    return {name: [*given] for name, given in known.get(page, _Page()).view.items()}


def exact() -> str:
    """A query that is this view whatever is usual elsewhere: runs differ from store to store."""
    mine = _page()
    return urlencode({**mine.exact, **mine.view}, doseq=True)


def key(name: str) -> str:
    """The widget of this name on this page."""
    return f"{st.session_state.get('page shown', '')} {name}"


# --- values --------------------------------------------------------------------------------------


def value(
    name: str,
    usual: Value,
    read: Callable[[Words], Value],
    write: Callable[[Value], Words],
) -> Value:
    """What the view says under this name, or what is usual.

    `read` raises ValueError with the end of a sentence for what makes no sense.
    """
    said = get(name)
    if not said:
        return usual
    try:
        found = read(said)
    except ValueError as refusal:
        _say(name, said, str(refusal))
        put(name)
        return usual
    if write(found) != said:
        _say(name, said, f"the nearest that can be shown is {' and '.join(write(found))}.")
        put(name, *(() if found == usual else write(found)))
    return found


def _say(name: str, said: Words, why: str) -> None:
    if came_with_link(name):
        asked = " and ".join(word[:40] for word in said) or "nothing"
        note(words.plain(f"The address asks for {name} {asked}: {why}"))


def bound(
    name: str,
    usual: Value,
    read: Callable[[Words], Value],
    write: Callable[[Value], Words],
    draw: Callable[[Value, str], Any],
    *,
    varies: bool = False,
) -> Value:
    """A widget that shows the view's value and changes it; `draw` is given the value and a key.

    The value is the widget's own default as well: where a click ends a run before the browser has
    heard of it, the next run's widget would show another, and be taken for a person's change.

    `varies`: what is usual depends on what is in this store, so an exact link spells it out.
    """
    mine, place = _page(), key(name)
    held = st.session_state.get(place, _NOTHING)
    if held is not _NOTHING and place in mine.handed and held != mine.handed[place]:
        put(name, *(() if held == usual else write(held)))  # a person's change
        mine.notes = []
    now = value(name, usual, read, write)
    if held is _NOTHING or held != now:
        st.session_state[place] = now
    shown = draw(now, place)
    if shown != now:
        now = shown
        put(name, *(() if now == usual else write(now)))
    mine.handed[place] = now
    if varies:
        mine.exact[name] = write(now)
    return now
