"""A run's whole description: what is learned from what, by which rule, and for how long.

Every part is a frozen dataclass; `to_dict` and `from_dict` carry it through JSON unchanged, and
the command line and the forms are generated from the same fields.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Self

import torch

from metacore.algorithms import ALGORITHMS
from metacore.algorithms.base import Algorithm
from metacore.datasets import DATASETS
from metacore.datasets.base import Dataset
from metacore.errors import UserError
from metacore.models import MODELS
from metacore.models.networks import ModelConfig
from metacore.models.proof import prove, uses_batch_statistics
from metacore.settings import Config, setting

OPTIMISERS = ("adam", "adamw", "sgd", "rmsprop", "adagrad")
SCHEDULES = ("constant", "step", "linear", "cosine")


@dataclass(frozen=True, kw_only=True)
class TaskConfig(Config):
    """The few-shot task a run is made for: what validation and the test ask of it."""

    ways: int = setting(5, "How many classes a task has.", low=2, high=100, step=1)
    shots: int = setting(1, "How many labelled examples each class has.", low=1, high=100, step=1)
    queries: int = setting(
        5, "How many examples of each class are asked about.", low=1, high=100, step=1
    )


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(Config):
    """The outer loop: shared by all algorithms."""

    train_ways: int = setting(
        0, "Ways of the training tasks; 0 means the same as the task's.", low=0, high=5000, step=5
    )
    train_shots: int = setting(
        0, "Shots of the training tasks; 0 means the same as the task's.", low=0, high=100, step=1
    )
    train_queries: int = setting(
        0, "Queries of the training tasks; 0 means the same as the task's.", low=0, high=100, step=1
    )
    tasks: int = setting(4, "How many tasks one meta-step averages over.", low=1, high=512, step=1)
    iterations: int = setting(
        1000, "Stop after this many meta-steps; 0 means no limit.", low=0, high=10**7, step=100
    )
    seconds: float = setting(
        0, "Stop after this many seconds of training; 0 means no limit.", low=0, high=10**6, step=10
    )
    optimiser: str = setting(
        "adam", "The rule that turns meta-gradients into steps.", choices=OPTIMISERS
    )
    learning_rate: float = setting(
        1e-3, "The size of a meta-step.", low=1e-6, high=10, step=1e-4, label="Outer learning rate"
    )
    momentum: float = setting(0.0, "Momentum of SGD and RMSProp.", low=0, high=0.999, step=0.1)
    weight_decay: float = setting(
        0.0, "How strongly weights are pulled to 0.", low=0, high=1, step=1e-4
    )
    schedule: str = setting(
        "constant", "How the outer learning rate changes over the run.", choices=SCHEDULES
    )
    warm_up: int = setting(
        0, "The rate rises from 0 over this many first meta-steps.", low=0, high=10**6, step=50
    )
    step_every: int = setting(
        2000, "The step schedule halves the rate after this many meta-steps.", low=1, high=10**6
    )
    clip: float = setting(
        0.0, "Largest norm of a meta-gradient; 0 means no clipping.", low=0, high=1000, step=1
    )
    validate_every: int = setting(
        200, "Meta-steps between validations; 0 means none.", low=0, high=10**6, step=50
    )
    validation_episodes: int = setting(
        100, "How many fixed tasks a validation covers.", low=2, high=10000, step=50
    )
    patience: int = setting(
        0,
        "Stop after this many validations without a new best; 0 means never.",
        low=0,
        high=1000,
        step=1,
    )


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    algorithm: Config
    dataset: Config
    model: ModelConfig
    task: TaskConfig = field(default_factory=TaskConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        self.check()

    @property
    def algorithm_class(self) -> type[Algorithm]:
        return config_owner(ALGORITHMS, self.algorithm)

    @property
    def dataset_class(self) -> type[Dataset]:
        return config_owner(DATASETS, self.dataset)

    @property
    def model_name(self) -> str:
        return _name(MODELS, self.model)

    @property
    def ways(self) -> int:
        """Outputs of a task: its classes, or 1 for regression."""
        return 1 if self.dataset_class.regression else self.task.ways

    def training_task(self) -> dict[str, int]:
        """Ways, shots and queries of the training tasks."""
        training, task = self.training, self.task
        return {
            "ways": training.train_ways or task.ways,
            "shots": training.train_shots or task.shots,
            "queries": training.train_queries or task.queries,
        }

    @property
    def input_shape(self) -> tuple[int, ...]:
        return self.dataset_class.shape(self.dataset)

    def takes(self, source: Config) -> bool:
        """Whether what is learned can be asked about this dataset: inputs of one kind and size,
        or pictures of any."""
        asked, own = config_owner(DATASETS, source), self.dataset_class
        same_kind = asked.regression == own.regression
        any_shape = self.model.any_picture and not own.regression
        return bool(same_kind and (any_shape or asked.shape(source) == self.input_shape))

    def converts(self, source: Config) -> bool:
        """Whether this dataset's pictures can be turned into such as it takes."""
        asked, own = config_owner(DATASETS, source), self.dataset_class
        return not (asked.regression or own.regression)

    @property
    def norms(self) -> tuple[str, ...]:
        """The normalisation modes it can choose from, its own first; none without batch norm."""
        batch = uses_batch_statistics(self.model, self.input_shape)
        return self.algorithm_class.norms if batch else ()

    @property
    def learns(self) -> bool:
        """Whether there is anything to learn before a task comes."""
        return self.algorithm_class.trains and _learns(self.replace(seed=0))

    @property
    def teacher(self) -> str | None:
        """The run it learns from, or "" for the best there is; None where it learns alone."""
        return self.algorithm_class.wanted_teacher(self.algorithm)

    def untaught(self) -> Self:
        """The same run learning alone."""
        return self.replace(algorithm=self.algorithm_class.untaught(self.algorithm))

    @property
    def metric(self) -> str:
        return "mse" if self.dataset_class.regression else "accuracy"

    def algorithm_for(self, training_classes: int) -> Algorithm:
        """The algorithm over a network as large as the data ask for."""
        kind, curves = self.algorithm_class, self.dataset_class.regression
        network = self.model.build(self.input_shape, kind.outputs(self.ways, training_classes))
        return kind(self.algorithm, network, regression=curves)

    def check(self) -> None:
        """Refuses combinations that make no sense, in a sentence."""
        algorithm, dataset = self.algorithm_class, self.dataset_class
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**63:
            raise UserError(f"seed must be a whole number from 0 on, not {self.seed!r}.")
        if not isinstance(self.device, str):
            raise UserError(f"device must be a word such as cpu, not {self.device!r}.")
        refuse_unable(algorithm, dataset)
        fitting = fitting_models(algorithm, dataset)
        if self.model_name not in fitting:
            raise UserError(
                f"The model {self.model_name} does not fit {algorithm.title} on {dataset.name}:"
                f" choose {' or '.join(fitting)}."
            )
        prove(self.model, self.input_shape)
        if algorithm.trains and not (self.training.iterations or self.training.seconds):
            raise UserError("Give the run a budget: iterations, seconds, or both.")
        if algorithm.fixed_ways and self.training_task()["ways"] != self.task.ways:
            raise UserError(
                f"{algorithm.title} learns one output per way, so its training tasks need the"
                f" same ways as its test tasks ({self.task.ways}): leave train_ways at 0."
            )

    def replace(self, **parts: Any) -> Self:
        return replace(self, **parts)

    def to_dict(self) -> dict[str, Any]:
        return {
            "algorithm": {"name": self.algorithm_class.name, **self.algorithm.to_dict()},
            "dataset": {"name": self.dataset_class.name, **self.dataset.to_dict()},
            "model": {"name": self.model_name, **self.model.to_dict()},
            "task": self.task.to_dict(),
            "training": self.training.to_dict(),
            "seed": self.seed,
            "device": self.device,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        try:
            return cls(
                algorithm=_read(ALGORITHMS, "algorithm", values),
                dataset=_read(DATASETS, "dataset", values),
                model=_read(MODELS, "model", values),
                task=TaskConfig.from_dict(values["task"]),
                training=TrainingConfig.from_dict(values["training"]),
                seed=values["seed"],
                device=values.get("device", "auto"),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise UserError(f"This is not the description of a run: {error!r}.") from error


@lru_cache(maxsize=256)
def _learns(config: RunConfig) -> bool:
    with torch.device("meta"):
        return config.algorithm_for(2).learns


def able(algorithm: type[Algorithm], dataset: type[Dataset]) -> bool:
    """Whether the algorithm learns tasks of that kind at all."""
    return algorithm.regression if dataset.regression else algorithm.classification


def refuse_unable(algorithm: type[Algorithm], dataset: type[Dataset]) -> None:
    if not able(algorithm, dataset):
        others = ", ".join(name for name, one in ALGORITHMS.items() if able(one, dataset))
        does = "classifies" if dataset.regression else "learns curves"
        asks = "a regression task" if dataset.regression else "a task of classes"
        other = "images" if dataset.regression else "curves"
        raise UserError(
            f"{algorithm.title} {does} and {dataset.title} is {asks}:"
            f" choose one of {others}, or a dataset of {other}."
        )


def fitting_models(algorithm: type[Algorithm], dataset: type[Dataset]) -> list[str]:
    """The names of the networks with which an algorithm can learn a dataset."""
    return [
        name
        for name, model in MODELS.items()
        if model.regression == dataset.regression and algorithm.fits(model)
    ]


CONVERT = "have them converted (--convert, or convert=True; on Compare, “Convert pictures”)"


def refuse_other_inputs(
    config: RunConfig, source: Config, who: str = "A run", *, convert: bool | None = False
) -> None:
    """What was learned from one kind of input cannot be asked about another.

    With `convert` pictures of another kind or size are turned into such as it takes; where it is
    None, nothing is said of that.
    """
    if config.takes(source) or (convert and config.converts(source)):
        return
    trained, asked = config.dataset_class, config_owner(DATASETS, source)
    offer = f" as they are: {CONVERT}" if convert is False and config.converts(source) else ""
    raise UserError(
        f"{who} was trained on {trained.title} ({trained.described(config.dataset)}) and cannot"
        f" be asked about {asked.title} ({asked.described(source)}){offer}."
    )


def config_owner(registry: dict[str, Any], config: Config) -> Any:
    """The algorithm or dataset a config belongs to."""
    return registry[_name(registry, config)]


def _name(registry: dict[str, Any], config: Config) -> str:
    """Which entry of a registry a config belongs to (models are registered as their configs)."""
    for name, entry in registry.items():
        if type(config) is getattr(entry, "Config", entry):
            return name
    raise UserError(f"{type(config).__name__} is not one of {', '.join(registry)}.")


def _read(registry: dict[str, Any], part: str, values: dict[str, Any]) -> Any:
    fields = dict(values[part])
    entry = lookup(registry, part, fields.pop("name"))
    return getattr(entry, "Config", entry).from_dict(fields)


def lookup(registry: dict[str, Any], part: str, name: str) -> Any:
    """The registry's entry of that name, or a sentence with the names there are."""
    if name not in registry:
        raise UserError(f"{part} must be one of {', '.join(registry)}, not {name!r}.")
    return registry[name]
