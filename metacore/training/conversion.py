"""Tasks of one dataset, in pictures like those a run was trained on: "train here, test there".

The episode stays the same, its classes and its pictures; only each picture is turned into one of
the run's shape (ink from colour and back, another size), as `metacore.pictures` does it, and then
prepared as the run's own pictures are.
"""

from dataclasses import replace
from typing import cast

from torch import Tensor

from metacore import pictures
from metacore.datasets import DATASETS
from metacore.datasets.base import Dataset, ImageDataset
from metacore.episode import Episode
from metacore.randomness import generator
from metacore.settings import Config
from metacore.training.config import RunConfig, config_owner
from metacore.training.learner import Learner


def conversion(config: RunConfig, source: Config) -> str:
    """What becomes of a dataset's pictures for a run, in words; empty where nothing does."""
    if config.takes(source):
        return ""
    before, after = config_owner(DATASETS, source).shape(source), config.input_shape
    said = f"{_size(before)} → {_size(after)}"
    if before[0] == after[0]:
        return said
    return f"{said}, {'as ink' if after[0] == pictures.INK else 'in colour'}"


def seen_by(learner: Learner, source: Dataset, episode: Episode) -> Episode:
    """The episode as the learner takes it: converted where its pictures are of another shape."""
    if learner.config.takes(source.config):
        return episode
    own = cast(ImageDataset, learner.dataset)
    return replace(
        episode,
        support_x=_converted(episode.support_x, source, own),
        query_x=_converted(episode.query_x, source, own),
    )


def _converted(x: Tensor, source: Dataset, own: ImageDataset) -> Tensor:
    """[T, B, C, H, W] as the learner's own dataset would have prepared such pictures."""
    shown = source.displayed(x).clamp(0, 1)
    bytes_ = (pictures.converted(shown, own.input_shape) * 255).round().clamp(0, 255).byte()
    return own.prepared(bytes_, "test", generator(0, "conversion"))


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
