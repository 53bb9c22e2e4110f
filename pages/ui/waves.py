"""The waves of the start page: which come first, and why one may go wrong.

The first ones are typical: of test waves 0 to 99, the twelve on which MAML's gain over the network
from scratch is nearest to its median, nearest first. After them come the others as they are drawn.
"""

from collections.abc import Sequence
from typing import Any

from metacore import Run
from metacore.answers import EpisodeSpec, Question
from metacore.answers.questions import Drawn
from metacore.insight.miss import largest_miss, reach
from metacore.insight.trace import Array
from metacore.statistics import significant
from pages.ui import engine

TYPICAL = (56, 97, 36, 17, 1, 51, 45, 74, 70, 15, 24, 5)
LOOKED_AT = 100  # waves that were looked at to choose them; the next ones are as they come
STEPS = 10
FLAT = 1.0  # a wave that never leaves 0 by more is flat: the largest ones reach 5


def following(wave: int) -> int:
    """The wave after this one."""
    if wave in TYPICAL:
        place = TYPICAL.index(wave) + 1
        return TYPICAL[place] if place < len(TYPICAL) else LOOKED_AT
    return wave + 1


def questions(learned: Run, scratch: Run, spec: EpisodeSpec) -> list[Question[Any]]:
    """The episode, and what both networks make of it."""
    runs = learned, scratch
    return [Drawn(spec=spec), *(engine.adaptation(run, spec, steps=STEPS) for run in runs)]


def why_lost(
    errors: tuple[float, float],
    curves: tuple[Array, Array],
    grid: Sequence[float],
    truth: Sequence[float],
    seen: Sequence[float],
) -> str:
    """Why the learned network ended worse than the one from scratch; nothing if it did not.

    Errors and curves are the last ones, of the learned network and of the other; `seen` are the
    places of the points.
    """
    learned, fresh = errors
    if learned <= fresh:
        return ""
    miss = largest_miss(grid, curves[0], truth, seen)
    lost = f"This time MAML ends worse: {significant(learned)} against {significant(fresh)}."
    off, away = significant(miss.off), significant(miss.away)
    where = (
        f"at x = {miss.at:.1f}, where it is off by {off} and the nearest point it has seen is"
        f" {away} away."
    )
    if reach(truth) < FLAT and reach(curves[1]) < FLAT:
        flat = (
            f"The wave is flat, never more than {significant(reach(truth))} from 0: a network that"
            " has learned nothing, and says about 0 everywhere, is hardly wrong."
        )
        return f"{lost} {flat} MAML is furthest from it {where}"
    return f"{lost} MAML is furthest from the wave {where}"
