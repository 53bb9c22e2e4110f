"""Answers that take time: computed in helper processes, once for all who ask, and kept for a while.

Whoever asks gets a `Standing` at once: the answer, or how far it is. Where no pool is at work (a
script, a test) the question is answered here and now.
"""

from metacore.answers.episode_spec import EpisodeSpec
from metacore.answers.here import Here
from metacore.answers.pool import Pool
from metacore.answers.question import LongQuestion, Question, Standing

_desk: Pool | Here = Here()


def desk() -> Pool | Here:
    """Where this process asks its questions."""
    return _desk


def use(place: Pool | Here) -> None:
    """From now on questions are asked there."""
    global _desk
    _desk = place


__all__ = ["EpisodeSpec", "Here", "LongQuestion", "Pool", "Question", "Standing", "desk", "use"]
