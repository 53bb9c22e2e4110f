"""What presets are made of: `demo` (under a minute on two cores), `good` (a few minutes), `paper`
(the published protocol).

Every algorithm keeps its own recipes; here stands what they share. Every budget is in meta-steps,
so that a run is repeatable and a busy computer takes longer instead of learning less. `demo` and
`good` are sized by what two idle cores do with 5-way tasks of characters, and shrink where a task
or its pictures are larger, down to a fifth. They differ from `paper` where so little time asks for
it: fewer tasks per meta-step, a rate that decays to 0 over the budget, and a faster network.
"""

from dataclasses import dataclass
from typing import Any

from metacore.datasets.base import Dataset
from metacore.models.networks import Conv4, ModelConfig
from metacore.models.proof import multiplications
from metacore.settings import Config

LEVELS = ("demo", "good", "paper")
VALIDATIONS = {"demo": 8, "good": 20, "paper": 50}  # one every few seconds of a demo
LEAST_SHARE = 0.2  # of a budget: with less there would be nothing to see


@dataclass(frozen=True)
class Recipe:
    algorithm: Config
    model: ModelConfig
    training: dict[str, Any]  # settings of the outer loop; what is not named is as usual


@dataclass(frozen=True)
class Budget:
    """Meta-steps of each level, for the task and the meta-step the levels were sized with."""

    demo: int
    good: int
    paper: int

    def steps(self, level: str, share: float = 1.0) -> int:
        """`share` is what part of them takes as long, where tasks make each meta-step heavier."""
        steps: int = getattr(self, level)
        if level == "paper" or share >= 1:
            return steps
        every = VALIDATIONS[level]
        return every * round(max(share, LEAST_SHARE) * steps / every)


# Two idle cores make about 20 meta-steps per second with one large task of pictures, and 500 with
# 25 curves.
LARGE_TASKS = Budget(demo=640, good=4000, paper=20_000)
ON_CURVES = Budget(demo=6000, good=40_000, paper=70_000)


@dataclass(frozen=True)
class Wanted:
    """What a preset is asked for."""

    source: type[Dataset]
    level: str
    ways: int
    shots: int

    @property
    def paper(self) -> bool:
        return self.level == "paper"

    @property
    def many_ways(self) -> bool:
        """The papers have one set of numbers for 5 ways and one for 20."""
        return self.ways > 10

    @property
    def curves(self) -> bool:
        return self.source.regression

    @property
    def model(self) -> ModelConfig:
        """What presets learn the dataset with at this level."""
        quick = self.source.quick_model if self.level == "demo" else None
        return quick or self.source.usual_model

    def training(self, budget: Budget, share: float = 1.0, **settings: Any) -> dict[str, Any]:
        """The budget of the level; in `demo` and `good` the rate decays over it.

        A meta-step of other pictures takes longer than one of the characters that budgets were
        sized with: as much longer as their network has to multiply more.
        """
        if not self.curves:
            work = multiplications(self.model, self.source.shape(self.source.Config()))
            share *= multiplications(Conv4(), (1, 28, 28)) / work
        steps = budget.steps(self.level, share)
        usual: dict[str, Any] = {} if self.paper else {"schedule": "cosine"}
        if self.curves:
            usual |= {"tasks": 25, "train_queries": 10, "validation_episodes": 500}
        usual |= {"iterations": steps, "validate_every": steps // VALIDATIONS[self.level]}
        wanted = {**usual, **settings}
        most = self.source.most_queries
        if most is not None and "train_queries" in wanted:
            wanted["train_queries"] = min(most, wanted["train_queries"])
        return wanted
