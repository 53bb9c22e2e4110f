"""How single episodes spread around their mean: the background before which one of them is seen."""

from dataclasses import dataclass

import numpy as np
import torch

from metacore.insight.trace import Array
from metacore.statistics import mean_ci95

LOW, HIGH = 0.025, 0.975


@dataclass(frozen=True)
class Spread:
    """A value after every inner step, over E episodes."""

    mean: Array  # [S+1]
    low: Array  # [S+1] 95% of the episodes lie between these
    high: Array  # [S+1]
    last: float  # the mean after the last step
    ci95: float  # and the half-width of its confidence interval
    episodes: int


def spread(values: Array) -> Spread:
    """Of values [S+1, E]. The bounds are values that were seen, so they are possible ones.

    A task that diverged counts as infinitely wrong.
    """
    told = np.nan_to_num(values, nan=np.inf, posinf=np.inf)
    low, high = np.quantile(told, [LOW, HIGH], axis=1, method="inverted_cdf")
    last, ci95 = mean_ci95(torch.from_numpy(told[-1]))
    return Spread(told.mean(1), low, high, last, ci95, told.shape[1])
