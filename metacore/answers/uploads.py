"""The question what uploaded pictures show, answered while others answer theirs."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from metacore.answers.question import LongQuestion
from metacore.answers.timing import until
from metacore.runs import uploads
from metacore.trial.photographs import Found, Reader, Uploaded, gathered


@dataclass(frozen=True, kw_only=True)
class Reading(LongQuestion[Uploaded]):
    """Every picture of an upload as the networks see it."""

    upload: str
    total: int  # files, those in zips included

    def some(self, done: int, seconds: float) -> tuple[list[Found], int]:
        reader, found = _reader(self.upload), []
        for _ in until(seconds):
            if done == self.total:
                break
            found.append(reader.read(done))
            done += 1
        return found, done

    def joined(self, pieces: Sequence[list[Found]]) -> Uploaded:
        return gathered(chain.from_iterable(pieces))


@lru_cache(maxsize=2)
def _reader(upload: str) -> Reader:
    return Reader(uploads.sources(upload))
