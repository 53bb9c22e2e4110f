"""How runs adapt to an episode: by how many inner steps, and whose statistics normalise a query."""

from collections.abc import Mapping, Sequence
from typing import Any

from metacore import Run
from metacore.algorithms.base import steps_at_test
from metacore.models.normalisation import NORM_MODES
from pages.ui import widgets, words

MOST_STEPS = 100
OWN = {"own": "own, as published"}


def inner_steps(
    place: Any, *, placeholder: str, name: str = "steps", usual: int | None = None, **more: Any
) -> int | None:
    """None: as many as each run was made for, which the placeholder says."""
    return widgets.number_or_none(
        place,
        "Inner steps",
        name,
        usual=usual,
        low=0,
        high=MOST_STEPS,
        placeholder=placeholder,
        help="Gradient steps on the support set, as many as you like; empty: what each run was"
        " made for.",
        **more,
    )


def normalisation(
    place: Any,
    modes: Sequence[str],
    *,
    own: Mapping[str, str] = OWN,
    usual: str | None = None,
    **more: Any,
) -> str | None:
    """One of these modes; None: each run's own, which the one entry of `own` stands for."""
    (own_name,) = own
    norm = widgets.select(
        place,
        "Normalisation",
        "norm",
        {**own, **{mode: words.mode(mode) for mode in modes}},
        usual=usual or own_name,
        help="Whose statistics normalise a query. Transductive: those of all queries together;"
        " support+query: the support set and that one query; support: the support set alone;"
        " running: averages kept from meta-training; own: as the method was published.",
        **more,
    )
    return None if norm == own_name else norm


def shared_modes(runs: Sequence[Run]) -> list[str]:
    """The normalisation modes all these runs support; none where no network normalises."""
    return [mode for mode in NORM_MODES if all(mode in run.config.norms for run in runs)]


def unless_own(run: Run, norm: str | None) -> str | None:
    """A mode that is the run's own goes without its name: it is the same thing."""
    return None if norm in run.config.norms[:1] else norm


def test_steps(run: Run) -> int:
    """None where adaptation is a single computation."""
    return steps_at_test(run.config.algorithm)
