"""Uploaded pictures join a trial, as examples of classes or as queries; a sentence says what is
too much."""

import re
from collections.abc import Sequence
from dataclasses import replace
from string import ascii_uppercase

from metacore.trial.photographs import Uploaded
from metacore.trial.task import (
    LONGEST_CLASS,
    MOST_QUERIES,
    MOST_SHOTS,
    MOST_WAYS,
    Example,
    Trial,
)

EMPTY = Trial(classes=(), support=())
_NAMED = 5  # of the classes that are left out


def with_examples(trial: Trial, read: Uploaded, loose: str) -> tuple[Trial, list[str]]:
    """Pictures that lie in no folder belong to the class `loose`; "" is a class of their own."""
    classes = dict(zip(trial.classes, trial.support, strict=True))
    said, too_many = [], []
    for group, pictures in read.classes.items():
        label = class_name(group or loose) or _unused(classes)
        if label not in classes and len(classes) >= MOST_WAYS:
            too_many.append(label)
            continue
        examples: tuple[Example, ...] = (*classes.get(label, ()), *pictures)
        classes[label] = examples[:MOST_SHOTS]
        if len(examples) > MOST_SHOTS:
            said.append(f"{label} has more than {MOST_SHOTS} pictures: the first ones are kept.")
    if too_many:
        said.append(f"{_told(too_many)} left out: a trial has at most {MOST_WAYS} classes.")
    return replace(trial, classes=tuple(classes), support=tuple(classes.values())), said


def with_queries(trial: Trial, read: Uploaded) -> tuple[Trial, list[str]]:
    """Whatever folders they lie in."""
    new = [picture for pictures in read.classes.values() for picture in pictures]
    found, said = (*trial.query, *new), []
    if len(found) > MOST_QUERIES:
        said = [f"There are more than {MOST_QUERIES} queries: the first ones are kept."]
    return replace(trial, query=found[:MOST_QUERIES], labels=()), said


def without_class(trial: Trial, label: str) -> Trial:
    left = {n: s for n, s in zip(trial.classes, trial.support, strict=True) if n != label}
    return replace(trial, classes=tuple(left), support=tuple(left.values()), labels=())


def class_name(given: str) -> str:
    """A folder's name as a class may have it; "" where nothing of it can be shown."""
    shown = "".join(letter if letter.isprintable() else " " for letter in given)
    return re.sub(r"\s+", " ", shown).strip()[:LONGEST_CLASS].strip()


def _unused(names: dict[str, tuple[Example, ...]]) -> str:
    """A, B, … whichever no class has yet: there are more letters than classes."""
    return next(letter for letter in ascii_uppercase if letter not in names)


def _told(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    if len(names) <= _NAMED:
        return f"{', '.join(names[:-1])} and {names[-1]} are"
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more classes are"
