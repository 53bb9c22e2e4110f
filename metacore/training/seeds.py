"""Methods over seeds: runs that differ in nothing but their seed are one method, trained anew.

A run's interval over test tasks says nothing of the luck of its training; several seeds do. Few of
them call for Student's t.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from metacore.statistics import difference, finite, t_interval
from metacore.training.config import RunConfig
from metacore.training.differences import between


@dataclass(frozen=True)
class Apart:
    """How much better than the first method one is, over the seeds that both were trained with."""

    mean: float
    ci95: float  # of the differences, seed by seed
    seeds: int

    def text(self, metric: str) -> str:
        return difference(metric, self.mean, self.ci95)


@dataclass(frozen=True)
class Method:
    """One method's scores, a seed each."""

    label: str
    algorithm: str
    places: tuple[int, ...]  # of its runs among those that were given
    seeds: tuple[int, ...]
    scores: tuple[float, ...]
    mean: float
    ci95: float  # of the mean over seeds; infinite for one seed
    apart: Apart | None  # None for the first, and where no two seeds are shared with it

    def to_dict(self) -> dict[str, Any]:
        """As JSON, in which what is infinite is None."""
        plain = {name: finite(value) for name, value in asdict(self).items()}
        apart = self.apart and {name: finite(value) for name, value in asdict(self.apart).items()}
        scores = [finite(score) for score in self.scores]
        return {**plain, "seeds": [*self.seeds], "scores": scores, "apart": apart}


def over_seeds(configs: Sequence[RunConfig], scores: Sequence[float]) -> list[Method]:
    """The methods behind these runs, in the order of their first; accuracy or error by metric.

    A run that repeats another one's seed adds nothing and is left out.
    """
    groups: dict[RunConfig, dict[int, int]] = {}
    for place, config in enumerate(configs):
        groups.setdefault(_without_seed(config), {}).setdefault(config.seed, place)
    labels = _labels(list(groups))
    by_seed = [{seed: scores[place] for seed, place in runs.items()} for runs in groups.values()]
    methods: list[Method] = []
    for label, (config, runs), own in zip(labels, groups.items(), by_seed, strict=True):
        mean, ci95 = t_interval(list(own.values()))
        apart = _apart(own, by_seed[0], config.metric) if methods else None
        name, places = config.algorithm_class.name, tuple(runs.values())
        methods.append(
            Method(label, name, places, tuple(own), tuple(own.values()), mean, ci95, apart)
        )
    return methods


def repeated(methods: Sequence[Method]) -> bool:
    """Whether any method was trained more than once: else there is nothing to say over seeds."""
    return any(len(method.seeds) > 1 for method in methods)


def _without_seed(config: RunConfig) -> RunConfig:
    """The device is no part of the method either."""
    return config.replace(seed=0, device="auto")


def _apart(own: dict[int, float], first: dict[int, float], metric: str) -> Apart | None:
    """Paired, so that a seed whose tasks and first weights are kind to both counts for neither."""
    shared = [seed for seed in own if seed in first]
    if len(shared) < 2:
        return None
    sign = 1 if metric == "accuracy" else -1
    mean, ci95 = t_interval([sign * (own[seed] - first[seed]) for seed in shared])
    return Apart(mean, ci95, len(shared))


def _labels(configs: Sequence[RunConfig]) -> list[str]:
    """Algorithms, and the settings in which one differs from the first method of its algorithm."""
    labels = []
    for config in configs:
        kind = config.algorithm_class
        first = next(one for one in configs if one.algorithm_class is kind)
        rows = between([first, config])
        said = [f"{_small(row.label)}: {_value(row.values[1])}" for row in rows]
        labels.append(", ".join([kind.title, *said]))
    return labels


def _small(label: str) -> str:
    return label[0].lower() + label[1:]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
