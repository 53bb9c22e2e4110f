"""What can be asked, and how its answer stands.

A question is a frozen dataclass of plain values: two that are equal have one answer, and it travels
to another process by pickle, which is safe because both ends are ours. A long one is answered a
piece at a time, each piece from what the question says and from how much is done alone: so it can
stop after any piece, go on in any process, and lose no more than a piece when one dies.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from metacore.errors import UserError

T = TypeVar("T")


class Question(Generic[T]):
    """Answered in one go. Errors to be shown are raised as UserError."""

    total = 1

    @property
    def quick(self) -> bool:
        """Goes before all that take longer, which never keep it waiting."""
        return True

    def answer(self) -> T:
        raise NotImplementedError

    def some(self, done: int, seconds: float) -> tuple[Any, int]:
        """A piece of the answer that takes about so long, and how much is done after it."""
        return self.answer(), 1

    def joined(self, pieces: Sequence[Any]) -> T | None:
        """The answer as far as these pieces go; done where it is asked, so it must be cheap."""
        return pieces[0] if pieces else None


class LongQuestion(Question[T]):
    """Answered a piece at a time: defines `total`, `some` and `joined`."""

    @property
    def quick(self) -> bool:
        return False

    def answer(self) -> T:
        pieces, done = [], 0
        while done < self.total:
            piece, done = self.some(done, float("inf"))
            pieces.append(piece)
        found = self.joined(pieces)
        assert found is not None, "all pieces together are an answer"
        return found


@dataclass(frozen=True)
class Standing(Generic[T]):
    """How the answer to a question stands."""

    value: T | None = None  # the answer; while `done` is less than `total`, that of the part
    error: UserError | None = None
    done: int = 0
    total: int = 1
    left: float | None = None  # seconds, as far as can be told
    ahead: int = 0  # questions that are answered before it

    @property
    def complete(self) -> bool:
        """Nothing more will come."""
        return self.error is not None or self.done >= self.total

    @property
    def share(self) -> float:
        """0 to 1."""
        return 1.0 if self.complete else self.done / self.total

    def get(self) -> T:
        """The answer; raises what it was refused with."""
        if self.error is not None:
            raise self.error
        assert self.value is not None or self.done >= self.total, "it is not answered yet"
        return self.value  # type: ignore[return-value]  # some answers are None
