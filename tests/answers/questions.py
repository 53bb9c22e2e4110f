"""Questions for tests, which helpers can import."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from metacore.answers import LongQuestion, Question
from metacore.errors import UserError


@dataclass(frozen=True)
class Counted(Question[int]):
    """Leaves a line in a file every time it is computed."""

    file: str
    number: int = 0
    seconds: float = 0.0

    def answer(self) -> int:
        with open(self.file, "a") as lines:
            lines.write(f"{self.number}\n")
        time.sleep(self.seconds)
        return 10 * self.number


@dataclass(frozen=True)
class Slow(LongQuestion[list[int]]):
    """Counts up, a piece at a time."""

    file: str
    name: str = "slow"
    total: int = 10
    seconds: float = 0.1

    def some(self, done: int, seconds: float) -> tuple[int, int]:
        with open(self.file, "a") as lines:
            lines.write(f"{self.name} {done}\n")
        time.sleep(self.seconds)
        return done, done + 1

    def joined(self, pieces: Sequence[int]) -> list[int]:
        return list(pieces)


@dataclass(frozen=True)
class Refused(Question[int]):
    def answer(self) -> int:
        raise UserError("There is no such thing.")


@dataclass(frozen=True)
class Broken(Question[int]):
    def answer(self) -> int:
        return 1 // 0


@dataclass(frozen=True)
class Killer(Question[int]):
    """Ends its process so many times before it answers."""

    file: str
    times: int

    def answer(self) -> int:
        path = Path(self.file)
        before = len(path.read_text()) if path.exists() else 0
        if before < self.times:
            path.write_text("x" * (before + 1))
            os.kill(os.getpid(), signal.SIGKILL)
        return before


@dataclass(frozen=True)
class Large(Question[int]):
    """Asks for memory."""

    size: int

    def answer(self) -> int:
        return len(bytes(self.size))


@dataclass(frozen=True)
class Fat(Question[bytes]):
    """An answer that takes room."""

    number: int

    def answer(self) -> bytes:
        return os.urandom(100_000)


@dataclass(frozen=True)
class Modules(Question[list[str]]):
    def answer(self) -> list[str]:
        import sys

        return [name for name in ("streamlit", "plotly") if name in sys.modules]
