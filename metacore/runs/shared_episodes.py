"""Several learners on the same episodes: what notebooks, commands and pages compare by."""

from collections.abc import Callable, Sequence
from typing import Any

from metacore import datasets
from metacore.datasets.base import Dataset
from metacore.settings import Config
from metacore.training.config import refuse_other_inputs
from metacore.training.evaluate import Evaluation, evaluate
from metacore.training.learner import Learner

Progress = Callable[[int], None]


def evaluate_on_same_episodes(
    learners: Sequence[Learner],
    source: Config,
    *,
    episodes: int = 600,
    convert: bool = False,
    progress: Progress | None = None,
    **protocol: Any,
) -> list[Evaluation]:
    """Every learner's score; `progress` hears how many episodes are done, over all learners."""
    return [
        evaluate(
            learner,
            dataset=dataset_for(learner, source, convert=convert),
            convert=convert,
            episodes=episodes,
            progress=shifted(progress, number * episodes),
            **protocol,
        )
        for number, learner in enumerate(learners)
    ]


def dataset_for(learner: Learner, source: Config, *, convert: bool = False) -> Dataset:
    """The dataset on the learner's device; its own, which it holds anyway, if that is meant."""
    if source == learner.config.dataset:
        return learner.dataset
    refuse_other_inputs(learner.config, source, convert=convert)
    return datasets.load(source, learner.device)


def shifted(progress: Progress | None, before: int) -> Progress | None:
    """For a part of the work: counts what was done before it, too."""
    return progress and (lambda done: progress(before + done))
