"""What a run is held against: the same network with nothing learned beforehand."""

from metacore.algorithms.baselines import ScratchConfig
from metacore.algorithms.maml import InnerLoopConfig
from metacore.settings import Config
from metacore.training.config import RunConfig
from metacore.training.presets import preset


def from_scratch(config: RunConfig) -> RunConfig:
    """The run's network from a random start, adapted by plain gradient steps.

    The steps are as large as the run's own, where it takes plain ones too.
    """
    usual = preset("scratch", config.dataset_class.name)
    rate = _plain_rate(config.algorithm)
    scratch = usual.algorithm if rate is None else ScratchConfig(inner_rate=rate)
    return config.replace(algorithm=scratch, training=usual.training)


def _plain_rate(method: Config) -> float | None:
    """The inner rate of methods whose inner loop is plain gradient descent."""
    plain = (
        isinstance(method, InnerLoopConfig | ScratchConfig)
        or getattr(method, "inner_optimiser", "") == "sgd"
        or getattr(method, "layers", "") == "all"
    )
    return float(method.to_dict()["inner_rate"]) if plain else None
