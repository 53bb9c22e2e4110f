"""Named settings as functions: `demo` (under a minute on two cores), `good` (a few minutes),
`paper` (the published protocol).

`good` differs from `paper` where two CPU cores and a few minutes ask for it: fewer tasks per
meta-step, a rate that decays to 0 over the budget, the faster strided network for the metric
methods too, and fewer inner steps for Reptile at test.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from metacore.algorithms import ALGORITHMS
from metacore.algorithms.anil import ANILConfig
from metacore.algorithms.baselines import FinetuneConfig, ScratchConfig
from metacore.algorithms.maml import FOMAMLConfig, InnerLoopConfig, MAMLConfig
from metacore.algorithms.matching import MatchingConfig
from metacore.algorithms.protonet import ProtoNetConfig
from metacore.algorithms.reptile import ReptileConfig
from metacore.datasets import DATASETS
from metacore.errors import UserError
from metacore.models.networks import Conv4, Conv4Pool, Linear, ModelConfig, SineMlp
from metacore.settings import Config
from metacore.training.config import RunConfig, TaskConfig, TrainingConfig, lookup

PRESETS = ("demo", "good", "paper")
IMAGE_SECONDS = {"demo": 40.0, "good": 240.0}
CURVE_SECONDS = {"demo": 15.0, "good": 90.0}


@dataclass(frozen=True)
class Wanted:
    """What a preset is asked for."""

    dataset: str
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


Recipe = tuple[Config, ModelConfig, TrainingConfig]


def preset(
    algorithm: str,
    dataset: str,
    level: str = "good",
    *,
    ways: int = 5,
    shots: int | None = None,
    seed: int = 0,
    device: str = "auto",
) -> RunConfig:
    """The run this preset makes of an algorithm and a dataset.

    Tasks have `ways` classes and `shots` examples of each: 1 for images and 5 points of a curve
    unless told otherwise.
    """
    source = lookup(DATASETS, "dataset", dataset)
    lookup(ALGORITHMS, "algorithm", algorithm)
    if level not in PRESETS:
        raise UserError(f"preset must be one of {', '.join(PRESETS)}, not {level!r}.")
    shots = shots if shots is not None else (5 if source.regression else 1)
    recipes = CURVE_RECIPES if source.regression else IMAGE_RECIPES
    if algorithm not in recipes:
        raise UserError(
            f"{ALGORITHMS[algorithm].title} classifies and {source.title} is a regression task:"
            f" choose one of {', '.join(recipes)}, or a dataset of images."
        )
    method, model, training = recipes[algorithm](Wanted(dataset, level, ways, shots))
    queries = 50 if source.regression else 5
    return RunConfig(
        algorithm=method,
        dataset=source.Config(),
        model=model,
        task=TaskConfig(ways=ways, shots=shots, queries=queries),
        training=training,
        seed=seed,
        device=device,
    )


def pairs() -> list[tuple[str, str]]:
    """Every algorithm × dataset that makes sense."""
    return [
        (algorithm, name)
        for name, source in DATASETS.items()
        for algorithm in (CURVE_RECIPES if source.regression else IMAGE_RECIPES)
    ]


def _training(
    wanted: Wanted, seconds: dict[str, float], iterations: int, often: int, **settings: Any
) -> TrainingConfig:
    """`iterations` meta-steps for `paper`; else a budget in seconds over which the rate decays."""
    if wanted.paper:
        budget: dict[str, Any] = {"iterations": iterations, "validate_every": iterations // 50}
    else:
        budget = {"iterations": 0, "seconds": seconds[wanted.level], "schedule": "cosine"}
        budget["validate_every"] = often if wanted.level == "demo" else 4 * often
    return TrainingConfig(**{**budget, **settings})


def _maml_on_images(kind: type[InnerLoopConfig]) -> Callable[[Wanted], Recipe]:
    def recipe(wanted: Wanted) -> Recipe:
        if wanted.many_ways:
            method = kind(inner_rate=0.1, inner_steps=5, test_steps=5)
        else:
            method = kind(inner_rate=0.4, inner_steps=1, test_steps=3)
        if wanted.paper:
            tasks = 16 if wanted.many_ways else 32
            settings: dict[str, Any] = {"tasks": tasks, "train_queries": wanted.shots}
        else:
            settings = {"tasks": 8, "train_queries": 5, "learning_rate": 3e-3}
        return method, Conv4(), _training(wanted, IMAGE_SECONDS, 60_000, 100, **settings)

    return recipe


def _reptile_on_images(wanted: Wanted) -> Recipe:
    method = ReptileConfig(
        inner_rate=5e-4 if wanted.many_ways else 1e-3,
        inner_batch=20 if wanted.many_ways else 10,
        inner_steps=10 if wanted.many_ways else 5,
        test_steps=50 if wanted.paper else 5,
    )
    iterations = 200_000 if wanted.many_ways else 100_000
    outer = {"optimiser": "sgd", "learning_rate": 1.0, "schedule": "linear", "tasks": 5}
    shots = {"train_shots": max(10, wanted.shots), "train_queries": 1}
    training = _training(wanted, IMAGE_SECONDS, iterations, 200, **outer, **shots)
    return method, Conv4(), training


def _protonet(wanted: Wanted) -> Recipe:
    return ProtoNetConfig(), _metric_model(wanted), _metric_training(wanted)


def _matching(wanted: Wanted) -> Recipe:
    return MatchingConfig(), _metric_model(wanted), _metric_training(wanted)


def _metric_model(wanted: Wanted) -> ModelConfig:
    return Conv4Pool() if wanted.paper else Conv4()


def _metric_training(wanted: Wanted) -> TrainingConfig:
    settings: dict[str, Any] = {"tasks": 1, "train_ways": 60, "train_queries": 5}
    if wanted.paper:
        settings |= {"schedule": "step", "step_every": 2000}
    else:
        settings |= {"learning_rate": 2e-3}
    return _training(wanted, IMAGE_SECONDS, 20_000, 200, **settings)


def _finetune_on_images(wanted: Wanted) -> Recipe:
    settings = {"tasks": 1, "train_ways": 128, "train_shots": 1, "train_queries": 1}
    training = _training(wanted, IMAGE_SECONDS, 20_000, 200, **settings)
    return FinetuneConfig(), Conv4(), training


def _scratch_on_images(wanted: Wanted) -> Recipe:
    return ScratchConfig(test_steps=5), Conv4(), TrainingConfig()


def _maml_on_curves(kind: type[InnerLoopConfig]) -> Callable[[Wanted], Recipe]:
    def recipe(wanted: Wanted) -> Recipe:
        method = kind(inner_rate=_curve_rate(wanted), inner_steps=1, test_steps=10)
        return method, _curve_model(wanted), _curve_training(wanted, 70_000)

    return recipe


def _reptile_on_curves(wanted: Wanted) -> Recipe:
    method = ReptileConfig(
        inner_optimiser="sgd",
        inner_rate=_curve_rate(wanted),
        inner_steps=10,
        inner_batch=10,
        test_steps=10,
    )
    outer = {"optimiser": "sgd", "learning_rate": 1.0, "schedule": "linear", "tasks": 10}
    shots = {"train_shots": max(10, wanted.shots)}
    return method, _curve_model(wanted), _curve_training(wanted, 30_000, **outer, **shots)


def _finetune_on_curves(wanted: Wanted) -> Recipe:
    method = FinetuneConfig(layers="all", inner_rate=_curve_rate(wanted), test_steps=10)
    return method, _curve_model(wanted), _curve_training(wanted, 70_000)


def _scratch_on_curves(wanted: Wanted) -> Recipe:
    method = ScratchConfig(inner_rate=_curve_rate(wanted), test_steps=10)
    return method, _curve_model(wanted), TrainingConfig()


def _curve_training(wanted: Wanted, iterations: int, **settings: Any) -> TrainingConfig:
    usual: dict[str, Any] = {"tasks": 25, "train_queries": 10, "validation_episodes": 500}
    return _training(wanted, CURVE_SECONDS, iterations, 1000, **{**usual, **settings})


def _curve_rate(wanted: Wanted) -> float:
    return 0.05 if wanted.dataset == "line" else 0.01


def _curve_model(wanted: Wanted) -> ModelConfig:
    return Linear() if wanted.dataset == "line" else SineMlp()


IMAGE_RECIPES: dict[str, Callable[[Wanted], Recipe]] = {
    "maml": _maml_on_images(MAMLConfig),
    "fomaml": _maml_on_images(FOMAMLConfig),
    "anil": _maml_on_images(ANILConfig),
    "reptile": _reptile_on_images,
    "protonet": _protonet,
    "matching": _matching,
    "finetune": _finetune_on_images,
    "scratch": _scratch_on_images,
}
CURVE_RECIPES: dict[str, Callable[[Wanted], Recipe]] = {
    "maml": _maml_on_curves(MAMLConfig),
    "fomaml": _maml_on_curves(FOMAMLConfig),
    "anil": _maml_on_curves(ANILConfig),
    "reptile": _reptile_on_curves,
    "finetune": _finetune_on_curves,
    "scratch": _scratch_on_curves,
}
