"""A few helper processes that answer everybody's questions: each question once, for all who ask it.

Asking renews a lease: what nobody has asked for lately is not worked on, though what is done of it
is kept for a while, and asking again goes on from there. Quick questions go before long ones. A
long one gives way after every piece, long ones take turns, and one helper is always kept free of
them, so nobody's single adaptation waits behind another's hundred episodes. What is prepared in
advance comes last of all.
"""

import logging
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from metacore.answers.cache import AnswerCache
from metacore.answers.helper import Order
from metacore.answers.question import Question, Standing
from metacore.answers.seat import DiedError, Seat
from metacore.errors import UserError

T = TypeVar("T")

LEASE_SECONDS = 4.0  # of who asks once; a page that waits asks more often
PIECE_SECONDS = 0.25
LIMIT_SECONDS = 60.0  # for one piece
LEFT_SECONDS = 1.5  # a piece that nobody waits for any more may go on for so long
TRIES = 2
BUDGET = 96 * 2**20  # bytes of answers
UNFINISHED = 200  # questions of which a part is kept
MEMORY = 2 * 10**9  # bytes for each helper
NICE, PATIENT = 2, 5  # a training has 10, the server 0
LOOK_SECONDS = 0.25
REST_SECONDS = 1.0  # after a helper that could not even be started

WANTED, PREPARED, UNWANTED = range(3)


@dataclass
class _Job:
    """One question on its way to an answer."""

    question: Question[Any]
    quick: bool  # as it was when it was asked
    asked: float
    wanted_until: float = 0.0
    prepared: bool = False
    pieces: list[Any] = field(default_factory=list)
    size: int = 0
    done: int = 0
    spent: float = 0.0  # seconds in helpers
    turn: float = 0.0  # when a piece of it was last begun
    deaths: int = 0
    _joined: tuple[int, Any] = (0, None)  # of how many pieces, and what they make

    @property
    def value(self) -> Any:
        """The answer so far."""
        if self._joined[0] != len(self.pieces):
            self._joined = len(self.pieces), self.question.joined(self.pieces)
        return self._joined[1]

    def level(self, now: float) -> int:
        if now < self.wanted_until:
            return WANTED
        return PREPARED if self.prepared else UNWANTED

    @property
    def left(self) -> float | None:
        return self.spent / self.done * (self.question.total - self.done) if self.done else None


@dataclass
class _Work:
    """What a seat is doing."""

    job: _Job
    since: float
    stopped: str = ""  # why its helper was killed


class Pool:
    """Started once, where the server starts; `ask` may be called from any thread."""

    def __init__(
        self, helpers: int | None = None, *, budget: int = BUDGET, memory: int = MEMORY
    ) -> None:
        count = max(2, helpers or min(4, (os.cpu_count() or 2) // 2))
        # The first one is kept for quick questions; pages win over it, and it over the others.
        self._seats = [Seat(NICE if n == 0 else PATIENT, memory) for n in range(count)]
        self._kept = AnswerCache(budget)
        self._jobs: dict[Question[Any], _Job] = {}
        self._work: dict[int, _Work] = {}  # by seat
        self._changed = threading.Condition()
        self._ended = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for number in range(len(self._seats)):
            self._begin(partial(self._serve, number), f"answers {number}")
        self._begin(self._watch, "answers watch")

    def _begin(self, what: Callable[[], None], name: str) -> None:
        thread = threading.Thread(target=what, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        for seat in self._seats:
            seat.kill()
        for thread in self._threads:
            thread.join(5.0)
        for seat in self._seats:
            seat.end()

    # Asking

    def ask(self, question: Question[T], *, wait: float = 0.0) -> Standing[T]:
        """How its answer stands, after up to `wait` seconds if it is not complete before."""
        until = time.monotonic() + wait
        with self._changed:
            while True:
                now = time.monotonic()
                found = self._kept.get(question)
                if found is not None:
                    return found
                job = self._want(question, now)
                if now >= until or self._ended:
                    return self._standing(job, now)
                self._changed.wait(until - now)

    def peek(self, question: Question[T]) -> Standing[T] | None:
        """What is known of it, without asking for more; None if it is nothing."""
        with self._changed:
            found = self._kept.get(question)
            if found is not None:
                return found
            job = self._jobs.get(question)
            return self._standing(job, time.monotonic()) if job and job.done else None

    def forget(self, question: Question[Any]) -> None:
        """So that it is answered anew."""
        with self._changed:
            self._kept.drop(question)

    def prepare(self, questions: Iterable[Question[Any]]) -> None:
        """Answers these when there is nothing else to do."""
        with self._changed:
            for question in questions:
                if self._kept.get(question) is None:
                    self._job(question, time.monotonic()).prepared = True
            self._changed.notify_all()

    def _want(self, question: Question[Any], now: float) -> _Job:
        job = self._job(question, now)
        fresh = job.level(now) != WANTED
        job.wanted_until = now + LEASE_SECONDS
        if fresh:
            job.asked = now
            self._changed.notify_all()
        return job

    def _job(self, question: Question[Any], now: float) -> _Job:
        job = self._jobs.get(question)
        if job is None:
            job = self._jobs[question] = _Job(question, question.quick, now)
            self._forget_unfinished(now)
        return job

    def _forget_unfinished(self, now: float) -> None:
        """Of what nobody wants: all that has not begun, and the oldest beyond so many."""
        busy = {id(work.job) for work in self._work.values()}
        idle = [
            job
            for job in self._jobs.values()
            if job.level(now) == UNWANTED and id(job) not in busy and now > job.asked
        ]
        begun = sorted((job for job in idle if job.done), key=lambda job: job.turn)
        room = sum(job.size for job in begun) - self._kept.budget // 4
        for job in [*(job for job in idle if not job.done), *begun]:
            if job.done and room <= 0 and len(self._jobs) <= UNFINISHED:
                break
            room -= job.size
            del self._jobs[job.question]

    def _standing(self, job: _Job, now: float) -> Standing[Any]:
        order = self._order(job, now)
        ahead = [
            other
            for other in self._jobs.values()
            if other is not job and other.level(now) == WANTED and self._order(other, now) < order
        ]
        long = sum(not each.quick for each in [job, *ahead])
        left = job.left
        return Standing(
            value=job.value,
            done=job.done,
            total=job.question.total,
            left=None if left is None else left * max(1, long / max(1, len(self._seats) - 1)),
            ahead=len(ahead),
        )

    # Answering

    @staticmethod
    def _order(job: _Job, now: float) -> tuple[int, int, float]:
        """What comes first: the wanted, among them the quick, among the long whoever waits most."""
        quick = job.quick
        return job.level(now), 0 if quick else 1, job.asked if quick else job.turn or job.asked

    def _next(self, seat: int, now: float) -> _Job | None:
        busy = {id(work.job) for work in self._work.values()}
        can = [
            job
            for job in self._jobs.values()
            if id(job) not in busy and job.level(now) != UNWANTED and (job.quick or seat > 0)
        ]
        return min(can, key=lambda job: self._order(job, now), default=None)

    def _serve(self, number: int) -> None:
        """The thread of one seat."""
        seat = self._seats[number]
        while not self._ended:
            if seat.pid is None and not self._seated(seat):
                continue
            with self._changed:
                job = self._next(number, time.monotonic())
                if job is None:
                    self._changed.wait(LOOK_SECONDS * 4)
                    continue
                job.turn = time.monotonic()
                work = self._work[number] = _Work(job, job.turn)
            self._answer(number, seat, work)

    def _seated(self, seat: Seat) -> bool:
        try:
            seat.start()
        except DiedError:
            if not self._ended:
                logging.getLogger(__name__).error("A helper process could not be started.")
                time.sleep(REST_SECONDS)
            return False
        return True

    def _answer(self, number: int, seat: Seat, work: _Work) -> None:
        job = work.job
        try:
            reply = seat.ask(Order(job.question, job.done, PIECE_SECONDS))
        except DiedError:
            with self._changed:
                del self._work[number]
                self._bury(work)
                self._changed.notify_all()
            return
        piece = pickle.loads(reply.piece) if reply.piece else None
        with self._changed:
            del self._work[number]
            job.spent += reply.seconds
            if reply.error:
                self._finish(job, Standing(error=UserError(reply.error)))
            else:
                job.pieces.append(piece)
                job.size += len(reply.piece)
                job.done = reply.done
                if job.done >= job.question.total:
                    self._complete(job)
            self._changed.notify_all()

    def _complete(self, job: _Job) -> None:
        try:
            value = job.value
            total = job.question.total
            self._finish(job, Standing(value, done=total, total=total))
        except UserError as error:
            self._finish(job, Standing(error=error))

    def _finish(self, job: _Job, standing: Standing[Any]) -> None:
        self._jobs.pop(job.question, None)
        self._kept.put(job.question, standing, job.size)

    def _bury(self, work: _Work) -> None:
        """After a helper's death: once more, or the sentence."""
        job = work.job
        if self._ended or work.stopped == "left":
            return
        job.deaths += 1
        if work.stopped == "late":
            said = (
                f"This takes longer than {LIMIT_SECONDS:.0f} seconds here: choose fewer ways,"
                " shots, queries or inner steps, or another normalisation."
            )
        elif job.deaths < TRIES:
            logging.getLogger(__name__).warning("A helper died; its question is asked again.")
            return
        else:
            said = (
                "The process that computes this has ended twice before it had an answer. Choose"
                " something smaller, or try again in a while."
            )
        self._finish(job, Standing(error=UserError(said)))

    def _watch(self) -> None:
        """Ends what takes too long, and what takes long and is for nobody any more."""
        while not self._ended:
            time.sleep(LOOK_SECONDS)
            with self._changed:
                now = time.monotonic()
                for number, work in self._work.items():
                    took = now - work.since
                    if took > LIMIT_SECONDS:
                        work.stopped = "late"
                    elif took > LEFT_SECONDS and work.job.level(now) == UNWANTED:
                        work.stopped = "left"
                    if work.stopped:
                        self._seats[number].kill()

    # Looking on

    def pids(self) -> Sequence[int]:
        return [seat.pid for seat in self._seats if seat.pid is not None]

    def at_work(self) -> int:
        """How many questions are wanted or being prepared."""
        with self._changed:
            now = time.monotonic()
            return sum(job.level(now) != UNWANTED for job in self._jobs.values())
