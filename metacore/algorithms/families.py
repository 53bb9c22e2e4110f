"""Families of algorithms: what their members have in common, in the order they are shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    title: str
    about: str  # a sentence


FAMILIES: dict[str, Family] = {
    "optimisation": Family(
        "Learn where to start", "A few gradient steps from there solve a new task."
    ),
    "metric": Family(
        "Learn how to compare", "One look at the examples is enough, without a gradient."
    ),
    "model": Family(
        "Learn to read", "The network itself is the learner: it takes in examples and answers."
    ),
    "baseline": Family(
        "Without meta-learning", "What the others must beat: the same network, learning as usual."
    ),
}
