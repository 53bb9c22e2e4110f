"""Runs small enough to train in a test."""

from dataclasses import replace

from metacore.datasets import DATASETS
from metacore.datasets.glyphs import GlyphsConfig
from metacore.models.networks import Conv4
from metacore.training.config import RunConfig
from metacore.training.presets import pairs, preset

ALIKE = ("quickdraw", "emoji")  # to an algorithm they are glyphs: two try them instead of all
TRIED = ("maml", "protonet")
# Made first, where their own tests train on them.
FROM_FILES = ("cifar-fs", "mini-imagenet", "mnist", "fashion", "folder")
TINY_GLYPHS = GlyphsConfig(train_classes=20, test_classes=20)


def small(algorithm: str, dataset: str = "sinusoid", **training: object) -> RunConfig:
    """The preset with a small network, few tasks, a budget of 20 meta-steps and no teacher."""
    config = preset(algorithm, dataset, "demo").untaught()
    if not DATASETS[dataset].regression:
        ways = min(10, config.training.train_ways)
        config = config.replace(
            model=Conv4(width=8),
            dataset=TINY_GLYPHS if dataset == "glyphs" else config.dataset,
            training=replace(config.training, train_ways=ways),
        )
    usual: dict[str, object] = {
        "tasks": min(4, config.training.tasks),
        "iterations": 20,
        "seconds": 0.0,
        "validate_every": 0,
        "validation_episodes": 10,
    }
    return config.replace(training=replace(config.training, **{**usual, **training}))


def some_pairs() -> list[tuple[str, str]]:
    """Those, and two algorithms on every other dataset: for what no data are needed."""
    every = unlike_pairs()
    return every + [pair for pair in pairs() if pair not in every and pair[0] in TRIED]


def unlike_pairs() -> list[tuple[str, str]]:
    """Every algorithm × dataset, but of datasets alike to an algorithm only one with all."""
    return [
        (algorithm, dataset)
        for algorithm, dataset in pairs()
        if dataset not in FROM_FILES and (dataset not in ALIKE or algorithm in TRIED)
    ]
