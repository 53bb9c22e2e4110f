"""Whose a run is and who may do what with it: the rules of a server that many people use.

At one's own computer one may do all (`KEEPER`). In a class each visitor changes only what they have
started, and not too much of it at once; a teacher may do all. A visitor is known by the digest of a
key their browser keeps, or of the name they signed in with: neither is ever stored.
"""

import hashlib
import hmac
import json
import os
import sqlite3
from dataclasses import dataclass, field
from functools import cache
from typing import Self

from metacore import home
from metacore.datasets import refuse_foreign_paths
from metacore.errors import UserError
from metacore.runs.job import ACTIVE, QUEUED, TABLES, Job
from metacore.settings import Config, setting
from metacore.training.config import TrainingConfig

VARIABLE = home.CLASS_VARIABLE
LONGEST_QUEUE = 100  # trainings that wait, and other jobs that do, whoever asked for them
SHORTEST_KEY = 12  # of a teacher's key: a shorter one can be guessed over the network


@dataclass(frozen=True, kw_only=True)
class Limits(Config):
    """How much of a shared computer one visitor may have."""

    quota: int = setting(
        2, "Trainings and comparisons of one visitor that wait or run at once.", low=1, high=100
    )
    seconds: float = setting(
        300, "The longest one training or comparison takes, in seconds.", low=1, high=10**6
    )
    iterations: int = setting(
        50_000, "The largest budget of one training in meta-steps.", low=1, high=10**7
    )
    kept: int = setting(
        30, "Runs of one visitor that are kept, trained or imported.", low=1, high=10_000
    )


@dataclass(frozen=True)
class Visitor:
    """Somebody who asks for something; without limits, somebody who may do all."""

    owner: str = ""  # what they start is marked with this; nothing is theirs without one
    limits: Limits | None = None

    @property
    def seconds(self) -> float | None:
        """After how long what they start is stopped, whatever its budget."""
        return self.limits.seconds if self.limits else None

    def may_change(self, job: Job) -> bool:
        return self.limits is None or (bool(self.owner) and job.owner == self.owner)

    def refuse_others(self, job: Job, name: str) -> None:
        """Cancelling, deleting, resuming, renaming: only what is theirs."""
        if not self.may_change(job):
            raise UserError(f"{name} belongs to somebody else: only they or a teacher change it.")

    def refuse_budget(self, training: TrainingConfig) -> None:
        """A training that would take longer than anyone may have here."""
        if self.limits is None:
            return
        if training.seconds > self.limits.seconds:
            raise UserError(
                f"A training here may take {self.limits.seconds:g} seconds, not"
                f" {training.seconds:g}: choose a smaller budget."
            )
        if training.iterations > self.limits.iterations and not training.seconds:
            raise UserError(
                f"A training here may have {self.limits.iterations:,} meta-steps, not"
                f" {training.iterations:,}: choose a smaller budget."
            )

    def refuse_paths(self, dataset: Config) -> None:
        """Visitors name what was added to a server, not where else something lies on it."""
        if self.limits is not None:
            refuse_foreign_paths(dataset)

    def refuse_used_up(self, seconds: float, name: str) -> None:
        """A run that goes on may not take longer in all than one that is started."""
        if self.limits is not None and seconds >= self.limits.seconds:
            raise UserError(
                f"{name} has trained for {self.limits.seconds:g} seconds, the most a training may"
                " take here."
            )


KEEPER = Visitor()


def refuse_more(db: sqlite3.Connection, visitor: Visitor, table: str, more: int = 1) -> None:
    """Whether this many more may wait in a table: asked in the transaction that adds them."""
    waiting = _count(db, table, "status = ?", QUEUED)
    if waiting + more > LONGEST_QUEUE:
        raise UserError(
            f"The queue is full: {waiting} wait, and {LONGEST_QUEUE} may. Try again later, or"
            " cancel some."
        )
    if visitor.limits is None:
        return
    _refuse_unknown(visitor)
    mine = "owner = ? AND status IN (?, ?)"
    active = sum(_count(db, each, mine, visitor.owner, *ACTIVE) for each in TABLES)
    if active + more > visitor.limits.quota:
        raise UserError(
            f"You may have {_things(visitor.limits.quota)} waiting or running at once;"
            f" {_already(active)}. {_advice(active, more)}"
        )


def refuse_hoarding(db: sqlite3.Connection, visitor: Visitor, more: int = 1) -> None:
    """Whether this many more runs of the visitor may be kept."""
    if visitor.limits is None:
        return
    _refuse_unknown(visitor)
    kept = _count(db, "runs", "owner = ?", visitor.owner)
    if kept + more > visitor.limits.kept:
        raise UserError(
            f"You keep {kept} runs here, and a visitor may keep {visitor.limits.kept}: delete some"
            " of yours first."
        )


def _count(db: sqlite3.Connection, table: str, where: str, *values: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM {table} WHERE {where}", values).fetchone()[0])


def _refuse_unknown(visitor: Visitor) -> None:
    if not visitor.owner:
        raise UserError("Sign in first (in the sidebar): what you start is kept as yours.")


def _things(number: int) -> str:
    return "1 training or comparison" if number == 1 else f"{number} trainings and comparisons"


def _already(active: int) -> str:
    if not active:
        return "you have none now"
    return "one is yours already" if active == 1 else f"{active} are yours already"


def _advice(active: int, more: int) -> str:
    return "Wait for it to end, or cancel it." if active else f"Ask for fewer than {more}."


# --- a class -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Classroom:
    """The rules of a class that is being held, and who its teachers are."""

    limits: Limits
    key: str = field(repr=False)  # the digest of the teacher's key
    teachers: tuple[str, ...] = ()  # those who sign in, by their address
    _entered: set[str] = field(default_factory=set, repr=False, compare=False)

    def visitor(self, owner: str) -> Visitor:
        return Visitor(owner, None if owner in self._entered else self.limits)

    def fits(self, key: str) -> bool:
        """Whether this is the teacher's key."""
        return hmac.compare_digest(digest("teacher", key), self.key)

    def enter(self, owner: str) -> None:
        """Makes a visitor a teacher, for as long as the server runs."""
        if owner:
            self._entered.add(owner)

    def leave(self, owner: str) -> None:
        self._entered.discard(owner)

    def teaches(self, address: str, more: tuple[str, ...] = ()) -> bool:
        """Whether somebody who signed in with this address is a teacher."""
        return address.casefold() in {name.casefold() for name in (*self.teachers, *more)}

    def to_json(self) -> str:
        """For the environment of a server."""
        teachers = list(self.teachers)
        return json.dumps({"limits": self.limits.to_dict(), "key": self.key, "teachers": teachers})

    @classmethod
    def from_json(cls, text: str) -> Self:
        try:
            found = json.loads(text)
            limits = Limits.from_dict(found["limits"])
            return cls(limits, str(found["key"]), tuple(map(str, found["teachers"])))
        except (ValueError, KeyError, TypeError):
            raise UserError(
                f"{VARIABLE} is not what metacore serve --class makes of it: unset it."
            ) from None


def classroom() -> Classroom | None:
    """The class this server holds; None at one's own computer."""
    text = os.environ.get(VARIABLE)
    return _classroom(text) if text else None


_classroom = cache(Classroom.from_json)  # one for all, for it remembers who has entered as teacher


def digest(kind: str, secret: str) -> str:
    """What is kept of a key or a name; the kinds never meet."""
    return hashlib.blake2b(f"{kind}:{secret}".encode(), digest_size=16).hexdigest()
