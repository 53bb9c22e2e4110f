"""Means with their uncertainty, and how both are said: as text, and as verdicts on pairs."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor


def mean_ci95(values: Tensor) -> tuple[float, float]:
    """The mean of [E] values and the half-width of its 95% interval (normal approximation)."""
    values = values.double()
    if values.numel() < 2:
        return values.mean().item(), math.inf
    return values.mean().item(), (1.96 * values.std() / math.sqrt(values.numel())).item()


# Student's t: how many standard errors a 95% interval reaches with 1, 2, … degrees of freedom
_T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """The mean of a few values and the half-width of its 95% interval by Student's t (1908).

    With three values it is twice as wide as the normal approximation says.
    """
    sample = torch.tensor(values, dtype=torch.float64)
    mean, freedom = sample.mean().item(), len(values) - 1
    if freedom < 1:
        return mean, math.inf
    return mean, _t95(freedom) * (sample.std() / math.sqrt(len(values))).item()


def _t95(freedom: int) -> float:
    """Beyond the table by Fisher's expansion in 1 / freedom, right to three decimals."""
    if freedom <= len(_T95):
        return _T95[freedom - 1]
    z, n = 1.959964, freedom
    first, second = (z**3 + z) / 4, (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / n + second / n**2 + third / n**3


def wilson(right: int, total: int) -> tuple[float, float]:
    """The 95% interval of a share of so many yes or no answers, by Wilson's score (1927).

    For ten answers the normal approximation would reach past 1, and have no width at 10 of 10.
    """
    if total < 1:
        return 0.0, 1.0
    share, around = right / total, 1.96**2 / total
    middle = (share + around / 2) / (1 + around)
    half = math.sqrt(around * (share * (1 - share) + around / 4)) / (1 + around)
    return max(0.0, middle - half), min(1.0, middle + half)


def finite(value: Any) -> Any:
    """The same, or None for a number that is none: JSON knows no infinity, a table needs none."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def score(metric: str, mean: float | None, ci95: float | None) -> str:
    """`97.3 ± 0.4 %`, or `0.380 ± 0.031` for an error; None is infinite, as in our JSON."""
    if mean is None or not math.isfinite(mean):
        return "infinite" if metric == "mse" else "–"
    scale, digits, unit = (100, 1, " %") if metric == "accuracy" else (1, 3, "")
    around = "" if ci95 is None or not math.isfinite(ci95) else f" ± {ci95 * scale:.{digits}f}"
    return f"{mean * scale:.{digits}f}{around}{unit}"


def significant(value: float, digits: int = 2) -> str:
    """A number to so many digits, written out: `0.38`, `4.2`, `110`, never `1.1e+02`."""
    if not math.isfinite(value):
        return "infinite" if value > 0 else "–"
    if value == 0:
        return "0"
    decimals = digits - 1 - math.floor(math.log10(abs(value)))
    text = f"{round(value, decimals):.{max(0, decimals)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class PairedDifference:
    """How two runs differ on the same episodes: positive when the first is better."""

    first: str
    second: str
    mean: float
    ci95: float
    diverged: int  # episodes that are left out
    metric: str  # accuracy or mse

    @property
    def shown(self) -> bool:
        return beyond_chance(self.mean, self.ci95)

    @property
    def verdict(self) -> str:
        """In a sentence without its full stop."""
        left_out = f" ({self.diverged} diverged episodes left out)" if self.diverged else ""
        if not self.shown:
            return f"no difference shown between {self.first} and {self.second}{left_out}"
        winner, other = (self.first, self.second)[:: 1 if self.mean > 0 else -1]
        size = difference(self.metric, abs(self.mean), self.ci95)
        return f"{winner} is better than {other} by {size}{left_out}"

    def to_dict(self) -> dict[str, Any]:
        """With the verdict, for JSON files."""
        return {**asdict(self), "verdict": self.verdict}


def beyond_chance(mean: float | None, ci95: float | None) -> bool:
    """Whether the 95% interval of a difference leaves out zero; None is infinite."""
    return mean is not None and ci95 is not None and math.isfinite(ci95) and abs(mean) > ci95


def difference(metric: str, mean: float, ci95: float) -> str:
    """`1.9 ± 0.6 points`, or `0.12 ± 0.03 in MSE`."""
    if metric == "accuracy":
        return f"{100 * mean:.1f} ± {100 * ci95:.1f} points"
    return f"{significant(mean)} ± {significant(ci95)} in MSE"


def paired_difference(
    first: str, second: str, a: Tensor, b: Tensor, *, accuracy: bool
) -> PairedDifference:
    """Compares two runs by their values [E] on the same E episodes.

    Accuracies differ in points, errors in their own unit; a task that diverged for either run
    makes the mean meaningless, so such pairs are left out of it and counted.
    """
    both = torch.isfinite(a) & torch.isfinite(b)
    gain = (a - b) if accuracy else (b - a)
    mean, ci95 = mean_ci95(gain[both])
    metric = "accuracy" if accuracy else "mse"
    return PairedDifference(first, second, mean, ci95, int((~both).sum()), metric)
