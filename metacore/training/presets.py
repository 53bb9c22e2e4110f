"""Named settings as functions: `demo` (under a minute on two cores), `good` (a few minutes),
`paper` (the published protocol).

Every budget is in meta-steps, so that a run is repeatable and a busy computer takes longer instead
of learning less. `demo` and `good` are sized by what two idle cores do with tasks of 5 ways, and
shrink where a task is larger, down to a fifth.

They differ from `paper` where so little time asks for it: fewer tasks per meta-step, a rate that
decays to 0 over the budget, the faster strided network for the metric methods too, and for Reptile
on drawings fewer inner steps at test and, at few ways, an inner rate of 3e-3 instead of 1e-3 (after
1000 meta-steps on glyphs: 87.4% of the test instead of 79%). First-order MAML at few ways takes
three smaller inner steps, 0.1 instead of one of 0.4: without the second derivative a leap that far
says little (after 1000 meta-steps on glyphs: 92.9% instead of 85.9%). ANIL on curves trains with
five inner steps: with one, its head diverges on some waves in the ten of the test (mean squared
error on sine waves 0.37 instead of 5.0).
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
VALIDATIONS = {"demo": 8, "good": 20, "paper": 50}  # one every few seconds of a demo
LEAST_SHARE = 0.2  # of a budget: with less there would be nothing to see


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


# Two idle cores make about 9.5 meta-steps per second with MAML and Reptile on glyphs, 10 with
# first-order MAML, 13.5 with ANIL, 20 with the methods of one large task; on curves 500, with
# Reptile 80.
MAML_ON_IMAGES = Budget(demo=320, good=2000, paper=60_000)
ANIL_ON_IMAGES = Budget(demo=400, good=2800, paper=60_000)
REPTILE_ON_IMAGES = Budget(demo=320, good=2000, paper=100_000)
REPTILE_OF_MANY_WAYS = Budget(demo=320, good=2000, paper=200_000)
LARGE_TASKS = Budget(demo=640, good=4000, paper=20_000)
ON_CURVES = Budget(demo=6000, good=40_000, paper=70_000)
REPTILE_ON_CURVES = Budget(demo=960, good=6000, paper=30_000)

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
    wanted: Wanted, budget: Budget, share: float = 1.0, **settings: Any
) -> TrainingConfig:
    """The budget of the level; in `demo` and `good` the rate decays over it."""
    steps = budget.steps(wanted.level, share)
    usual: dict[str, Any] = {} if wanted.paper else {"schedule": "cosine"}
    usual |= {"iterations": steps, "validate_every": steps // VALIDATIONS[wanted.level]}
    return TrainingConfig(**{**usual, **settings})


def _maml_on_images(
    kind: type[InnerLoopConfig], budget: Budget = MAML_ON_IMAGES
) -> Callable[[Wanted], Recipe]:
    def recipe(wanted: Wanted) -> Recipe:
        if wanted.many_ways:
            method = kind(inner_rate=0.1, inner_steps=5, test_steps=5)
        elif kind is FOMAMLConfig and not wanted.paper:
            method = kind(inner_rate=0.1, inner_steps=3, test_steps=5)
        else:
            method = kind(inner_rate=0.4, inner_steps=1, test_steps=3)
        if wanted.paper:
            tasks = 16 if wanted.many_ways else 32
            settings: dict[str, Any] = {"tasks": tasks, "train_queries": wanted.shots}
        else:
            settings = {"tasks": 8, "train_queries": 5, "learning_rate": 3e-3}
        images = wanted.ways * (wanted.shots * method.inner_steps + 5)
        return method, Conv4(), _training(wanted, budget, 30 / images, **settings)

    return recipe


def _reptile_on_images(wanted: Wanted) -> Recipe:
    method = ReptileConfig(
        inner_rate=5e-4 if wanted.many_ways else (1e-3 if wanted.paper else 3e-3),
        inner_batch=20 if wanted.many_ways else 10,
        inner_steps=10 if wanted.many_ways else 5,
        test_steps=50 if wanted.paper else 5,
    )
    budget = REPTILE_OF_MANY_WAYS if wanted.many_ways else REPTILE_ON_IMAGES
    outer = {"optimiser": "sgd", "learning_rate": 1.0, "schedule": "linear", "tasks": 5}
    shots = {"train_shots": max(10, wanted.shots), "train_queries": 1}
    share = 50 / (method.inner_steps * method.inner_batch)
    return method, Conv4(), _training(wanted, budget, share, **outer, **shots)


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
    return _training(wanted, LARGE_TASKS, 6 / (wanted.shots + 5), **settings)


def _finetune_on_images(wanted: Wanted) -> Recipe:
    settings = {"tasks": 1, "train_ways": 128, "train_shots": 1, "train_queries": 1}
    return FinetuneConfig(), Conv4(), _training(wanted, LARGE_TASKS, **settings)


def _scratch_on_images(wanted: Wanted) -> Recipe:
    return ScratchConfig(test_steps=5), Conv4(), TrainingConfig()


def _maml_on_curves(kind: type[InnerLoopConfig]) -> Callable[[Wanted], Recipe]:
    def recipe(wanted: Wanted) -> Recipe:
        steps = 5 if kind is ANILConfig and not wanted.paper else 1
        method = kind(inner_rate=_curve_rate(wanted), inner_steps=steps, test_steps=10)
        return method, _curve_model(wanted), _curve_training(wanted, ON_CURVES)

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
    return (
        method,
        _curve_model(wanted),
        _curve_training(wanted, REPTILE_ON_CURVES, **outer, **shots),
    )


def _finetune_on_curves(wanted: Wanted) -> Recipe:
    method = FinetuneConfig(layers="all", inner_rate=_curve_rate(wanted), test_steps=10)
    return method, _curve_model(wanted), _curve_training(wanted, ON_CURVES)


def _scratch_on_curves(wanted: Wanted) -> Recipe:
    method = ScratchConfig(inner_rate=_curve_rate(wanted), test_steps=10)
    return method, _curve_model(wanted), TrainingConfig()


def _curve_training(wanted: Wanted, budget: Budget, **settings: Any) -> TrainingConfig:
    usual: dict[str, Any] = {"tasks": 25, "train_queries": 10, "validation_episodes": 500}
    return _training(wanted, budget, **{**usual, **settings})


def _curve_rate(wanted: Wanted) -> float:
    return 0.05 if wanted.dataset == "line" else 0.01


def _curve_model(wanted: Wanted) -> ModelConfig:
    return Linear() if wanted.dataset == "line" else SineMlp()


IMAGE_RECIPES: dict[str, Callable[[Wanted], Recipe]] = {
    "maml": _maml_on_images(MAMLConfig),
    "fomaml": _maml_on_images(FOMAMLConfig),
    "anil": _maml_on_images(ANILConfig, ANIL_ON_IMAGES),
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
