"""Numbers as people read them: durations, sizes, rates, and scores rounded by their uncertainty."""

import math
import re

from metacore.runs import Run
from metacore.statistics import score


def duration(seconds: float) -> str:
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    if seconds < 48 * 3600:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 86400:.0f} days"


def brief(seconds: float) -> str:
    """A step's time, to two digits."""
    if seconds >= 1:
        return f"{seconds:.2g} s" if seconds < 10 else duration(seconds)
    digits = float(f"{1000 * seconds:.2g}")
    return f"{digits:g} ms"


def size(count: float) -> str:
    """Bytes."""
    for unit in ("bytes", "KB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def count(number: float) -> str:
    """Whole numbers with thin spaces: 28 325."""
    return f"{number:,.0f}".replace(",", "\u202f")


def rate(per_second: float | None) -> str:
    if not per_second:
        return "–"
    return f"{per_second:.3g} steps/s" if per_second < 100 else f"{per_second:.0f} steps/s"


def best(run: Run) -> str:
    """The best validation of a run, or a dash."""
    if run.best_value is None or not math.isfinite(run.best_value):
        return "–"
    return score(run.metric, run.best_value, run.best_ci95)


METRIC = {"accuracy": "accuracy", "mse": "mean squared error"}


def several(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def plain(text: str) -> str:
    """What a person typed, to be read as typed: none of it is formatting."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~$:<>&])", r"\\\1", text)


def task(run: Run) -> str:
    """`5-way 1-shot`, or `5 points` of a curve."""
    asked = run.config.task
    if run.config.dataset_class.regression:
        return several(asked.shots, "point")
    return f"{asked.ways}-way {asked.shots}-shot"


def value(of_setting: object) -> str:
    """A setting's value; a dash where there is no such setting."""
    if of_setting is None:
        return "–"
    if isinstance(of_setting, bool):
        return "yes" if of_setting else "no"
    return f"{of_setting:g}" if isinstance(of_setting, float) else str(of_setting)


MODES = {
    "transductive": "queries shown together",
    "support+query": "one query at a time, with the support set",
    "support": "by the support set alone",
    "running": "by averages kept from training",
}


def mode(norm: str) -> str:
    """A normalisation mode by its name, and in words for those who meet it first."""
    return f"{norm}, {MODES[norm]}" if norm in MODES else norm


def letter(number: int) -> str:
    """The name of a class of an episode: A, B, … Z, AA, AB, …"""
    name = chr(ord("A") + number % 26)
    return name if number < 26 else letter(number // 26 - 1) + name
