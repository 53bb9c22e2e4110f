"""Metacore: watch a network learn to learn.

    import metacore as mc
    run = mc.train(mc.preset("protonet", "glyphs", "demo"))
    print(mc.evaluate(run, shots=5).mean)

Every name here is defined in the module that is about it; this file only gathers them. It also
tells OpenMP, before torch is loaded, not to let waiting threads spin for long: on an idle machine
that costs nothing, on a busy one (a dashboard beside a training) spinning made a meta-step four
times slower.
"""

import os

os.environ.setdefault("GOMP_SPINCOUNT", "10000")

from metacore.algorithms import ALGORITHMS
from metacore.datasets import DATASETS
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.library import Comparison, compare, cost, evaluate, load, trace, train
from metacore.models import MODELS
from metacore.randomness import generator
from metacore.runs import Run, Store
from metacore.training.config import RunConfig, TaskConfig, TrainingConfig
from metacore.training.learner import Learner, build
from metacore.training.presets import PRESETS, preset

__all__ = [
    "ALGORITHMS",
    "DATASETS",
    "MODELS",
    "PRESETS",
    "Comparison",
    "Episode",
    "Learner",
    "Run",
    "RunConfig",
    "Store",
    "TaskConfig",
    "TrainingConfig",
    "UserError",
    "build",
    "compare",
    "cost",
    "evaluate",
    "generator",
    "load",
    "preset",
    "trace",
    "train",
]
