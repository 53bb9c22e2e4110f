"""What a comparison asks: which runs, on which episodes, and over which shots or ways."""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

from metacore.datasets import DATASETS
from metacore.datasets.base import SPLITS, Dataset
from metacore.errors import UserError
from metacore.models.normalisation import NORM_MODES
from metacore.settings import Config, setting
from metacore.training.config import TaskConfig, config_owner, lookup

MOST_RUNS = 20
MOST_VALUES = 12
MOST_STEPS = 1000


@dataclass(frozen=True, kw_only=True)
class Question(Config):
    """Which runs to evaluate on which episodes; checked when made, like every config."""

    runs: tuple[str, ...]  # ids
    dataset: dict[str, Any] = field(hash=False)  # its name beside its settings
    split: str = setting("test", "Which classes the tasks are made of.", choices=SPLITS)
    ways: int = 5
    shots: int = 1
    queries: int = 5
    steps: int | None = None  # each run's own test steps
    norm: str | None = None  # each run's own default
    episodes: int = setting(600, "How many tasks all runs meet.", low=2, high=10_000, step=100)
    seed: int = setting(0, "Which tasks those are.", low=0, high=2**31 - 1, step=1)
    sweep: str = setting("", "What is varied.", choices=("", "shots", "ways"))
    values: tuple[int, ...] = ()  # the shots (or ways) of the sweep
    convert: bool = False  # pictures of another kind or size into such as a run takes

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "runs", tuple(self.runs))
        object.__setattr__(self, "values", tuple(self.values))
        owner = self.dataset_class  # read once, so that what was left out stands there, too
        object.__setattr__(self, "dataset", {"name": owner.name, **self.source.to_dict()})
        self._check_runs()
        self._check_protocol()
        self._check_sweep(owner)

    @cached_property
    def source(self) -> Config:
        """The dataset's config."""
        fields = dict(self.dataset)
        kind = lookup(DATASETS, "dataset", fields.pop("name", ""))
        return kind.Config.from_dict(fields)

    @property
    def dataset_class(self) -> type[Dataset]:
        return config_owner(DATASETS, self.source)

    @property
    def task(self) -> dict[str, int]:
        return {"ways": self.ways, "shots": self.shots, "queries": self.queries}

    @property
    def tasks(self) -> list[dict[str, int]]:
        """The question's own task, then those of the sweep that differ from it."""
        swept = [{**self.task, self.sweep: value} for value in self.values]
        return [self.task, *(task for task in swept if task != self.task)]

    @property
    def protocol(self) -> dict[str, Any]:
        """All of `evaluate`'s options but the task."""
        names = ("split", "steps", "norm", "seed", "convert")
        return {name: getattr(self, name) for name in names}

    @property
    def total(self) -> int:
        """Episodes over all runs and tasks."""
        return len(self.runs) * len(self.tasks) * self.episodes

    def to_dict(self) -> dict[str, Any]:
        """As plain JSON, in which tuples are lists.

        A question that converts nothing is what it was before there was conversion: whoever asks
        it again finds the answer of then.
        """
        found = {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items()}
        return found if self.convert else {k: v for k, v in found.items() if k != "convert"}

    def _check_runs(self) -> None:
        if len(self.runs) < 2:
            raise UserError("Name at least two runs to compare.")
        if len(self.runs) > MOST_RUNS:
            raise UserError(f"At most {MOST_RUNS} runs are compared at once, not {len(self.runs)}.")
        if len(set(self.runs)) < len(self.runs):
            raise UserError("Each run takes part in a comparison once: one is named twice.")

    def _check_protocol(self) -> None:
        TaskConfig(**self.task)
        if self.steps is not None and not (
            type(self.steps) is int and 0 <= self.steps <= MOST_STEPS
        ):
            raise UserError(f"steps must be between 0 and {MOST_STEPS}, not {self.steps!r}.")
        if type(self.convert) is not bool:
            raise UserError(f"convert must be yes or no, not {self.convert!r}.")
        if self.norm not in (None, "none", *NORM_MODES):
            raise UserError(f"norm must be one of {', '.join(NORM_MODES)}, not {self.norm!r}.")

    def _check_sweep(self, owner: type[Dataset]) -> None:
        if bool(self.sweep) != bool(self.values):
            raise UserError("A sweep needs both: what to vary (shots or ways) and its values.")
        if self.sweep == "ways" and owner.regression:
            raise UserError(f"Tasks of {owner.title} have no ways: vary the shots.")
        if len(self.values) > MOST_VALUES:
            raise UserError(f"A sweep has at most {MOST_VALUES} values, not {len(self.values)}.")
        for task in self.tasks:
            TaskConfig(**task)
        if list(self.values) != sorted(set(self.values)):
            raise UserError("The values of a sweep must grow from each to the next.")
