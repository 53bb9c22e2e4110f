"""Datasets by name. Adding one is one file and one entry here."""

from collections.abc import Hashable
from functools import lru_cache

import torch

from metacore import home
from metacore.datasets.base import Dataset
from metacore.datasets.cifar_fs import CifarFs
from metacore.datasets.emoji import Emoji
from metacore.datasets.folder import Folder
from metacore.datasets.gaussian_process import GaussianProcess
from metacore.datasets.glyphs import Glyphs
from metacore.datasets.mini_imagenet import MiniImagenet
from metacore.datasets.mnist import Fashion, Mnist
from metacore.datasets.omniglot import Omniglot
from metacore.datasets.quickdraw import QuickDraw
from metacore.datasets.regression import Line, Sinusoid
from metacore.errors import UserError
from metacore.settings import Config, settings_of

DATASETS: dict[str, type[Dataset]] = {
    dataset.name: dataset
    for dataset in (
        *(Glyphs, Omniglot, QuickDraw, Emoji, CifarFs, MiniImagenet, Mnist, Fashion, Folder),
        *(Sinusoid, Line, GaussianProcess),
    )
}


def load(config: Config, device: torch.device) -> Dataset:
    """The dataset a config describes, on a device; the last few stay in memory."""
    kind = next(kind for kind in DATASETS.values() if type(config) is kind.Config)
    if home.shared():
        refuse_foreign_paths(config)
    return _loaded(config, device, kind.stamp(config))


def forget() -> None:
    """None stays in memory."""
    _loaded.cache_clear()


@lru_cache(maxsize=6)
def _loaded(config: Config, device: torch.device, stamp: Hashable) -> Dataset:
    dataset = next(kind for kind in DATASETS.values() if type(config) is kind.Config)
    return dataset(config, device)


def refuse_foreign_paths(config: Config) -> None:
    """For where strangers choose: nobody has it read what was not put there for them."""
    kind = next(kind for kind in DATASETS.values() if type(config) is kind.Config)
    for setting in settings_of(config):
        word = getattr(config, setting.name)
        if setting.path and word and not kind.knows(word):
            raise UserError(
                f"{kind.title}: on a server for a class, {setting.name} is no place on the server,"
                f" but the name of something that was added to it. {kind.there()}"
            )


__all__ = ["DATASETS", "forget", "load", "refuse_foreign_paths"]
