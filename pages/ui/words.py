"""What is read on a page: numbers rounded by their uncertainty, and what strangers typed.

A run's name, a note, a file's name, an address: whatever comes from outside goes through `plain`
where Markdown is expected, through `in_figure` into a figure, and through `clean` elsewhere.
"""

import math
import re
from collections.abc import Sequence
from html import escape
from unicodedata import category

from metacore.runs import Run
from metacore.runs.tested import Tested
from metacore.statistics import score, significant

_JOINER = "\N{WORD JOINER}"  # takes no room; no address, icon or emoji is recognised across it
_LOOSE = "(?<![a-zA-Z0-9])_|_(?![a-zA-Z0-9])"  # within a word it is just a line
_OURS = "\N{NARROW NO-BREAK SPACE}\N{NO-BREAK SPACE}"
_IN_WORDS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"  # some scripts and emoji need them


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
        return f"{significant(seconds)} s" if seconds < 10 else duration(seconds)
    return f"{significant(1000 * seconds)} ms"


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
    return f"{significant(per_second)} steps/s"


def best(run: Run) -> str:
    """The best validation of a run, or a dash: for places that say that it is one."""
    return score(run.metric, run.best_value, run.best_ci95) if _validated(run) else "–"


def _validated(run: Run) -> bool:
    return run.best_value is not None and math.isfinite(run.best_value)


def quoted(run: Run) -> str:
    """A run's score with what it is: its test where there is one, else its best validation.

    `97.1 ± 0.4 % test, 5-way 1-shot`, or `error 0.38 ± 0.03 validation, 5 points`.
    """
    if run.tested is None and not _validated(run):
        return "its record is damaged" if run.damage else "not validated yet"
    return f"{'error ' if run.metric == 'mse' else ''}{scored(run)}, {task(run, run.tested)}"


def scored(run: Run) -> str:
    """`97.1 ± 0.4 % test`, `97.7 ± 0.9 % validation` where it was not tested, or a dash."""
    found = run.tested
    if found is not None:
        return f"{score(found.metric, found.mean, found.ci95)} test"
    return f"{best(run)} validation" if _validated(run) else "–"


def protocol(tested: Tested) -> str:
    """What a test score was measured on: `600 test episodes, transductive`."""
    norm = "" if tested.norm == "none" else f", normalisation: {tested.norm}"
    return f"{count(tested.episodes)} {tested.split} episodes of {tested.dataset}{norm}"


METRIC = {"accuracy": "accuracy", "mse": "mean squared error"}


def unbroken(text: str) -> str:
    """Never split over two lines."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def several(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def clean(text: str) -> str:
    """What a stranger typed, on one line and without what is not seen: control characters, and
    those that turn the reading direction or take no room. Enough where nothing is formatted."""
    line = re.sub(rf"[^\S{_OURS}]+", " ", text)
    seen = (c for c in line if category(c) not in ("Cc", "Cf") or c in _IN_WORDS)
    line = "".join("\N{REPLACEMENT CHARACTER}" if category(c) == "Cs" else c for c in seen)
    return line.strip() or "–"


def plain(text: str) -> str:
    """What a stranger typed, to be read as typed where Markdown is expected: none of it is
    formatting, a link or a picture.

    A backslash is not enough. Streamlit looks for addresses, icons and emoji in the text that is
    left when backslashes are gone, so a character that takes no room stands inside those.
    """
    broken = re.sub(r"(:(?=\S)|@|www(?=\.|$))", rf"\1{_JOINER}", clean(text), flags=re.I)
    escaped = re.sub(rf"([\\`*\[\]<&~$|]|{_LOOSE})", r"\\\1", broken)
    return re.sub(r"^(\d*)([#+\-=>.)])", r"\1\\\2", escaped)  # what only starts a line


def in_figure(text: str) -> str:
    """What a stranger typed, to be read as typed in a Plotly figure, which knows some HTML and
    fills in `%{…}`."""
    return escape(clean(text), quote=False).replace("%{", f"%{_JOINER}{{")


def task(run: Run, tested: Tested | None = None) -> str:
    """`5-way 1-shot`, or `5 points` of a curve: what it was made for, or tested on."""
    asked = tested or run.config.task
    if run.config.dataset_class.regression:
        return several(asked.shots, "point")
    return f"{asked.ways}-way {asked.shots}-shot"


def inner_steps(number: int) -> str:
    """How many gradient steps an adaptation takes; a single computation takes none."""
    return str(number) if number else "none"


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


def called(ways: int, names: Sequence[str] = ()) -> list[str]:
    """Each class of an episode by its name, or by its letter where there are none."""
    return [clean(name) for name in names] or [letter(number) for number in range(ways)]


def letter(number: int) -> str:
    """The name of a class of an episode: A, B, … Z, AA, AB, …"""
    name = chr(ord("A") + number % 26)
    return name if number < 26 else letter(number // 26 - 1) + name
