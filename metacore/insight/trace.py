"""An adaptation recorded step by step, for looking at.

Axes: S+1 recorded moments (after 0, 1, …, S inner steps; one moment for methods that adapt in a
single computation), then T tasks. Everything is float32 numpy, ready for a figure.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from metacore.algorithms.base import ByLayer, Explanation, Predictor, task_losses, task_scores
from metacore.datasets.regression import curve_grid
from metacore.episode import Episode
from metacore.models.networks import Params, layer_of
from metacore.models.normalisation import resolve
from metacore.training.learner import Learner

Array = np.ndarray[Any, np.dtype[np.float32]]
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class Explained:
    """What the last answers go by (see `Explanation`), of a method that embeds an episode."""

    support: Array  # embeddings [T, N*K, F]
    query: Array  # embeddings [T, N*Q, F]
    prototypes: Array | None  # [T, N, F]
    distances: Array | None  # queries to prototypes, as the method measures [T, N*Q, N]
    attention: Array | None  # queries to supports [T, N*Q, N*K]


@dataclass(frozen=True)
class LearnedByLayer:
    """What a method learned beside its network (see `ByLayer`): how each layer's numbers lie."""

    title: str
    axis: str
    about: str
    spread: dict[str, Array]  # layer -> SHARES of the numbers lie below these


@dataclass(frozen=True)
class Trace:
    """What adaptation did to T tasks."""

    metric: str  # accuracy or mse
    norm: str
    steps: list[int]
    support_loss: Array  # [S+1, T]
    query_loss: Array  # [S+1, T]
    query_score: Array  # [S+1, T] accuracy or mse
    query_probabilities: Array | None = None  # [S+1, T, N*Q, N]
    update_norms: dict[str, Array] = field(default_factory=dict)  # layer -> [S, T] per inner step
    support_features: Array | None = None  # [S+1, T, N*K, F]
    query_features: Array | None = None  # [S+1, T, N*Q, F]
    grid: Array | None = None  # [G] where curves are drawn
    curves: Array | None = None  # [S+1, T, G] predicted values on the grid
    spread: Array | None = None  # [S+1, T, G] their standard deviations, of a method that says any
    explained: Explained | None = None
    heads: Array | None = None  # the last answers' attention [T, L, H, N*Q, N*K], of one that reads
    learned: LearnedByLayer | None = None


def trace(
    learner: Learner,
    episode: Episode,
    *,
    steps: int | None = None,
    norm: str | None = None,
    features: bool = True,
) -> Trace:
    """Adapts to every task of the episode and records each inner step.

    `features=False` leaves the features out: for a hundred episodes behind one, curves are enough.
    """
    algorithm = learner.algorithm
    predictors = algorithm.adapt(learner.params, episode, steps=steps, norm=norm)
    recorder = _Recorder(episode, features)
    for predictor in predictors:
        recorder.record(predictor)
    found = recorder.result(resolve(norm, algorithm.norms, algorithm.network))
    return replace(found, learned=_learned(algorithm.learned_by_layer(learner.params)))


def _learned(found: ByLayer | None) -> LearnedByLayer | None:
    if found is None:
        return None
    rows = found.values.items()
    spread = {name: np.quantile(_array(row), SHARES).astype(np.float32) for name, row in rows}
    return LearnedByLayer(found.title, found.axis, found.about, spread)


class _Recorder:
    def __init__(self, episode: Episode, features: bool) -> None:
        self.episode = episode
        self.features = features and not episode.regression
        self.columns: dict[str, list[Tensor]] = {}
        self.updates: dict[str, list[Tensor]] = {}
        self.before: Params | None = None
        self.last: Predictor | None = None
        self.grid = curve_grid(episode)

    def record(self, predictor: Predictor) -> None:
        episode = self.episode
        outputs = predictor(episode.query_x)
        self._keep("support_loss", predictor.support_loss)
        self._keep("query_loss", lambda: task_losses(outputs, episode.query_y))
        self._keep("query_score", lambda: task_scores(outputs, episode.query_y))
        if episode.regression:
            found = predictor.explain(self.grid)
            self._keep("curves", lambda: found.logits[..., 0])
            if found.spread is not None:
                spread = found.spread[..., 0]
                self._keep("spread", lambda: spread)
        else:
            self._keep("query_probabilities", lambda: outputs.softmax(-1))
        if self.features:
            self._keep("support_features", lambda: predictor.features(episode.support_x))
            self._keep("query_features", lambda: predictor.features(episode.query_x))
        self._record_update(predictor.params)
        self.last = predictor

    def _keep(self, name: str, value: Callable[[], Tensor]) -> None:
        self.columns.setdefault(name, []).append(value().detach())

    def _record_update(self, params: Params | None) -> None:
        if params is None:
            return
        if self.before is not None:
            for layer, norm in _layer_distances(self.before, params).items():
                self.updates.setdefault(layer, []).append(norm)
        self.before = params

    def result(self, norm: str) -> Trace:
        moments = len(self.columns["query_loss"])
        regression = self.episode.regression
        columns: dict[str, Any] = {n: _array(torch.stack(v)) for n, v in self.columns.items()}
        return Trace(
            metric="mse" if regression else "accuracy",
            norm=norm,
            steps=list(range(moments)),
            update_norms={layer: _array(torch.stack(v)) for layer, v in self.updates.items()},
            grid=_array(self.grid[0, :, 0]) if regression else None,
            **columns,
            **({} if self.last is None else _explained(self.last, self.episode)),
        )


def _explained(predictor: Predictor, episode: Episode) -> dict[str, Any]:
    """What the trace keeps of the last explanation."""
    found: Explanation = predictor.explain(episode.query_x)
    named = {field.name: getattr(found, field.name) for field in fields(Explained)}
    arrays: dict[str, Any] = {n: None if v is None else _array(v) for n, v in named.items()}
    return {
        "explained": None if found.query is None else Explained(**arrays),
        "heads": None if found.heads is None else _array(found.heads),
    }


def _layer_distances(before: Params, after: Params) -> dict[str, Tensor]:
    """How far each layer of each task moved: layer -> [T]."""
    squares: dict[str, Tensor] = {}
    for name, value in after.items():
        layer = layer_of(name)
        moved = (value - before[name]).flatten(1).pow(2).sum(1)
        squares[layer] = squares[layer] + moved if layer in squares else moved
    return {layer: value.sqrt() for layer, value in squares.items()}


def _array(tensor: Tensor) -> Array:
    return tensor.detach().float().cpu().numpy()
