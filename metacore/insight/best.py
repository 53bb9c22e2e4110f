"""The best anyone could do, where that is known: a line that no method can get below."""

from dataclasses import dataclass

import torch

from metacore.algorithms.base import task_scores
from metacore.datasets.base import Dataset
from metacore.datasets.regression import CurveDataset, curve_grid
from metacore.episode import Episode
from metacore.insight.trace import Array
from metacore.statistics import mean_ci95
from metacore.training.evaluate import Protocol

AT_ONCE = 500  # episodes


@dataclass(frozen=True)
class Best:
    """What points of a curve say about the rest of it."""

    curve: Array  # [G] on the grid of traces
    spread: Array  # [G] standard deviations
    score: float  # mean squared error at the queries


@dataclass(frozen=True)
class BestScore:
    """Over the episodes of an evaluation."""

    mean: float
    ci95: float


def best_answer(source: Dataset, episode: Episode) -> Best | None:
    """For the one task of an episode of this source."""
    if not isinstance(source, CurveDataset):
        return None
    grid = curve_grid(episode)
    on_grid = source.posterior(episode.support_x, episode.support_y, grid)
    asked = source.posterior(episode.support_x, episode.support_y, episode.query_x)
    if on_grid is None or asked is None:
        return None
    curve, spread = (part[0, :, 0].cpu().numpy() for part in on_grid)
    return Best(curve, spread, float(task_scores(asked.mean, episode.query_y)))


def best_score(source: Dataset, protocol: Protocol) -> BestScore | None:
    """On the very episodes that this protocol names."""
    if not isinstance(source, CurveDataset):
        return None
    found = []
    for start in range(0, protocol.episodes, AT_ONCE):
        numbers = range(start, min(start + AT_ONCE, protocol.episodes))
        episode = source.episodes(
            protocol.split, **protocol.task, seed=protocol.seed, numbers=numbers
        )
        answer = source.posterior(episode.support_x, episode.support_y, episode.query_x)
        if answer is None:
            return None
        found.append(task_scores(answer.mean, episode.query_y).cpu())
    return BestScore(*mean_ci95(torch.cat(found)))
