"""What a person has uploaded in this session: classes of pictures, and queries.

Only what the networks see is remembered, and only until the page is left for good.
"""

from collections.abc import Sequence

import streamlit as st

from metacore import UserError
from metacore.trial.photographs import Uploaded
from metacore.trial.task import (
    LONGEST_CLASS,
    MOST_QUERIES,
    MOST_SHOTS,
    MOST_WAYS,
    Example,
    Settings,
    Trial,
)
from pages.ui import words

_CLASSES, _QUERIES = "uploaded classes", "uploaded queries"


def classes() -> dict[str, tuple[Example, ...]]:
    """By name, in the order in which they came."""
    found: dict[str, tuple[Example, ...]] = st.session_state.setdefault(_CLASSES, {})
    return found


def queries() -> tuple[Example, ...]:
    found: tuple[Example, ...] = st.session_state.get(_QUERIES, ())
    return found


def replace(trial: Trial) -> None:
    st.session_state[_CLASSES] = dict(zip(trial.classes, trial.support, strict=True))
    st.session_state[_QUERIES] = trial.query


def sort_in(read: Uploaded, name: str) -> list[str]:
    """New pictures join their classes, loose ones that of this name; sentences on what does not."""
    return [
        sentence
        for group, pictures in read.classes.items()
        if (sentence := _join((group or name or words.letter(len(classes()))).strip(), pictures))
    ]


def _join(label: str, pictures: Sequence[Example]) -> str:
    label = label[:LONGEST_CLASS]
    there = classes().get(label, ())
    if label not in classes() and len(classes()) >= MOST_WAYS:
        return f"{label} is left out: a trial has at most {MOST_WAYS} classes."
    classes()[label] = (*there, *pictures)[:MOST_SHOTS]
    if len(there) + len(pictures) > MOST_SHOTS:
        return f"{label} has more than {MOST_SHOTS} pictures: the first {MOST_SHOTS} are kept."
    return ""


def ask(read: Uploaded) -> list[str]:
    """New queries; sentences on those that are too many."""
    new = [picture for pictures in read.classes.values() for picture in pictures]
    found = (*queries(), *new)
    st.session_state[_QUERIES] = found[:MOST_QUERIES]
    if len(found) > MOST_QUERIES:
        return [f"There are more than {MOST_QUERIES} queries: the first {MOST_QUERIES} are kept."]
    return []


def forget(label: str) -> None:
    classes().pop(label, None)


def forget_queries() -> None:
    st.session_state[_QUERIES] = ()


def trial(run_ids: Sequence[str]) -> Trial:
    """A UserError says what is missing."""
    if len(classes()) < 2:
        raise UserError("Still to come: pictures of at least two classes.")
    return Trial(
        classes=tuple(classes()),
        support=tuple(classes().values()),
        query=queries(),
        settings=Settings(runs=tuple(run_ids)),
    )
