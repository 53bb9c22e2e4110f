"""The photographs of this visit: classes of them, and what was shown last.

They live in the memory of the page that is open, and nowhere else: nobody's face is on a disk
unless the trial is saved.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from metacore import UserError
from metacore.archives import Source
from metacore.trial.additions import with_examples, with_queries, without_class
from metacore.trial.guess import looks_drawn
from metacore.trial.photo import Photo
from metacore.trial.photographs import Reader, Uploaded, gathered
from metacore.trial.task import MOST_WAYS, Trial

START = Trial(classes=("A", "B", "C"), support=((), (), ()))
DRAWINGS, PHOTOGRAPHS = "drawings", "photographs"
QUERY = "query"  # what a picture can be, beside an example of a class
BACK = 20  # changes that can be taken back
MOST_REMEMBERED = 64 * 2**20  # bytes of files that might be seen otherwise
SAMPLED = 4  # pictures of an upload that tell what it shows
GUESSED = "photographs guessed"  # what files were taken for, and these files
_TRIAL, _BEFORE, _GIVEN = "photographs", "photographs before", "photographs given"

Files = Sequence[tuple[str, bytes]]


@dataclass(frozen=True)
class Given:
    """Files that are still to be read, and what they are to be."""

    files: Files
    target: str  # a class, or QUERY


def current() -> Trial:
    found: Trial = st.session_state.get(_TRIAL, START)
    return found


def show(trial: Trial) -> None:
    """This from now on; what was there can be had back."""
    before = [*st.session_state.get(_BEFORE, []), current()]
    st.session_state[_BEFORE], st.session_state[_TRIAL] = before[-BACK:], trial


def can_take_back() -> bool:
    return bool(st.session_state.get(_BEFORE))


def take_back() -> None:
    before = st.session_state.get(_BEFORE, [])
    if before:
        st.session_state[_TRIAL] = before.pop()


def forget() -> None:
    """All of it, also what could be had back."""
    for name in (_TRIAL, _BEFORE, _GIVEN, GUESSED):
        st.session_state.pop(name, None)


# --- classes -------------------------------------------------------------------------------------


def rename(number: int, name: str) -> None:
    """Raises a sentence for a name that a class cannot have."""
    trial, name = current(), " ".join(name.split())
    if name != trial.classes[number]:
        classes = [name if n == number else old for n, old in enumerate(trial.classes)]
        show(replace(trial, classes=tuple(classes)))


def add_class() -> None:
    trial = current()
    if len(trial.classes) < MOST_WAYS:
        unused = next(c for c in "ABCDEFGHIJKLMNOPQRST" if c not in trial.classes)
        show(replace(trial, classes=(*trial.classes, unused), support=(*trial.support, ())))


def remove_class(number: int) -> None:
    show(without_class(current(), current().classes[number]))


def next_target(now: str) -> str:
    """What the next picture is probably to be: an example of a class without one, else a query."""
    trial = current()
    empty = [n for n, shots in zip(trial.classes, trial.support, strict=True) if not shots]
    return QUERY if not empty else now if now in empty else empty[0]


# --- pictures ------------------------------------------------------------------------------------


def add(read: Uploaded, target: str) -> list[str]:
    """Pictures join a class (those of a zip's folders their own), or are shown; and what is said
    of those that do not."""
    trial = current()
    if target not in (QUERY, *trial.classes):
        target = trial.classes[0] if trial.classes else ""
    if target == QUERY:
        changed, said = with_queries(replace(trial, query=(), labels=()), read)
    else:
        if any(read.classes):  # folders with names: places that were only offered are not needed
            trial = _without_empty(trial)
        changed, said = with_examples(replace(trial, labels=()), read, target)
    if read.count:
        show(changed)
    return [*read.refused, *said]


def _without_empty(trial: Trial) -> Trial:
    offered = set(START.classes)
    for name, shots in zip(trial.classes, trial.support, strict=True):
        if not shots and name in offered:
            trial = without_class(trial, name)
    return trial


def from_camera(data: bytes, name: str, target: str) -> None:
    add(Uploaded({"": [Photo.of(data, name)]}), target)


def give(files: Files, target: str) -> None:
    """They are read where there is a page to show how far it is."""
    st.session_state[_GIVEN] = Given(files, target)


def given() -> Given | None:
    found: Given | None = st.session_state.get(_GIVEN)
    return found


def read_given() -> list[str]:
    """Reads what was given, under a bar; a sentence for everything that is left out."""
    waiting = given()
    if waiting is None:
        return []
    reader = Reader(_sources(waiting.files), photographs=True)
    total, found, bar = len(reader.entries), [], st.empty()
    for number in range(total):
        if total > 2:
            bar.progress(number / total, f"Reading photographs: {number} of {total}")
        found.append(reader.read(number))
    bar.empty()
    st.session_state.pop(_GIVEN, None)
    return add(gathered(found), waiting.target)


def remember_guess(what: str, files: Files) -> None:
    """For as long as it may be taken back; of very much only that it was guessed."""
    small = sum(len(data) for _, data in files) <= MOST_REMEMBERED
    st.session_state[GUESSED] = (what, files if small else ())


def guess(files: Files) -> str:
    """What most of them seem to be, DRAWINGS or PHOTOGRAPHS; "" where none can be read."""
    reader = Reader(_sources(files), photographs=True)
    entries = [entry for entry in reader.entries if not isinstance(entry, str)]
    seen = []
    for entry in entries[:: max(1, len(entries) // SAMPLED)][:SAMPLED]:
        try:
            seen.append(looks_drawn(entry.read(), entry.where))
        except UserError:
            continue
    if not seen:
        return ""
    return DRAWINGS if 2 * sum(seen) > len(seen) else PHOTOGRAPHS


def _sources(files: Files) -> list[Source]:
    return [Source(name, partial(io.BytesIO, data)) for name, data in files]
