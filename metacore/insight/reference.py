"""What a run is held against: the same network with nothing learned beforehand."""

from metacore.algorithms.baselines import Scratch
from metacore.training.config import RunConfig
from metacore.training.presets import preset

Reference = Scratch


def possible(config: RunConfig) -> bool:
    """Whether the run's network, all it learns, can be adapted without having learned anything."""
    kind = config.algorithm_class
    return Reference.fits(type(config.model)) and (kind.in_steps or kind.embeds)


def from_scratch(config: RunConfig) -> RunConfig:
    """The run's network from a random start, adapted as the preset of `scratch` adapts.

    So it is what a run of `scratch` with this network and seed is, the one that comes with
    Metacore included: one rival, and one number for it on every page.
    """
    usual = preset(Reference.name, config.dataset_class.name)
    return config.replace(algorithm=usual.algorithm, training=usual.training)
