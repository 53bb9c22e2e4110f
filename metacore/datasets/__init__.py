"""Datasets by name. Adding one is one file and one entry here."""

from functools import lru_cache

import torch

from metacore.datasets.base import Dataset
from metacore.datasets.emoji import Emoji
from metacore.datasets.gaussian_process import GaussianProcess
from metacore.datasets.glyphs import Glyphs
from metacore.datasets.omniglot import Omniglot
from metacore.datasets.quickdraw import QuickDraw
from metacore.datasets.regression import Line, Sinusoid
from metacore.settings import Config

DATASETS: dict[str, type[Dataset]] = {
    dataset.name: dataset
    for dataset in (Glyphs, Omniglot, QuickDraw, Emoji, Sinusoid, Line, GaussianProcess)
}


@lru_cache(maxsize=4)
def load(config: Config, device: torch.device) -> Dataset:
    """The dataset a config describes, on a device; the last few stay in memory."""
    dataset = next(kind for kind in DATASETS.values() if type(config) is kind.Config)
    return dataset(config, device)


__all__ = ["DATASETS", "load"]
