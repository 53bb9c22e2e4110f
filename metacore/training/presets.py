"""Named settings as functions: `demo`, `good` and `paper`, made of what algorithms say."""

from metacore.algorithms import ALGORITHMS
from metacore.algorithms.recipes import LEVELS, Recipe, Wanted
from metacore.datasets import DATASETS
from metacore.errors import UserError
from metacore.training.config import (
    RunConfig,
    TaskConfig,
    TrainingConfig,
    able,
    lookup,
    refuse_unable,
)

PRESETS = LEVELS


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
    kind = lookup(ALGORITHMS, "algorithm", algorithm)
    if level not in PRESETS:
        raise UserError(f"preset must be one of {', '.join(PRESETS)}, not {level!r}.")
    shots = shots if shots is not None else (5 if source.regression else 1)
    refuse_unable(kind, source)
    recipe: Recipe | None = kind.recipe(Wanted(source, level, ways, shots))
    if recipe is None:
        raise UserError(
            f"{kind.title} has no preset for {source.title}: choose one of"
            f" {', '.join(a for a, d in pairs() if d == dataset)}, or another dataset."
        )
    queries = 50 if source.regression else min(5, source.most_queries or 5)
    return RunConfig(
        algorithm=recipe.algorithm,
        dataset=source.Config(),
        model=recipe.model,
        task=TaskConfig(ways=ways, shots=shots, queries=queries),
        training=TrainingConfig(**recipe.training),
        seed=seed,
        device=device,
    )


def pairs() -> list[tuple[str, str]]:
    """Every algorithm × dataset that makes sense."""
    return [
        (algorithm, name)
        for name, source in DATASETS.items()
        for algorithm, kind in ALGORITHMS.items()
        if able(kind, source)
        and kind.recipe(Wanted(source, "good", 5, 5 if source.regression else 1))
    ]
