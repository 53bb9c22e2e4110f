"""The inner loop of a trial: every run's answer to the query, step by step."""

from collections.abc import Sequence

from metacore import ALGORITHMS
from pages.ui import film, palette
from pages.ui.film import FilmedRun
from pages.ui.player import Film, play
from pages.ui.trial.on_trial import RunOnTrial

LONGEST = 20  # steps; fine-tuning may take a hundred, beside which the others' few are a dot


def show(found: Sequence[RunOnTrial], classes: Sequence[tuple[str, str]], query: int = 0) -> None:
    """`classes` are names and colours."""
    runs = [_filmed(on_trial) for on_trial in found]
    steps = film.steps_of(runs, LONGEST)
    panels = [film.answers(run, classes, query, steps) for run in runs]
    shown = Film(
        steps=steps,
        panels=[*panels, film.losses(runs, steps)],
        label=film.moment(runs).capitalize(),
        autoplay=True,
    )
    play(shown, key="trial film player")


def _filmed(on_trial: RunOnTrial) -> FilmedRun:
    assert on_trial.answer is not None, "a film is about a query"
    return FilmedRun(
        name=on_trial.name,
        color=on_trial.color,
        steps=on_trial.answer.steps,
        support_loss=on_trial.answer.support_loss,
        probabilities=on_trial.answer.probabilities,
        dash=palette.svg_dash(on_trial.kind),
        moment=ALGORITHMS[on_trial.kind].moment,
    )
