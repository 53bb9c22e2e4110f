"""The inner loop of a trial: every run's answer to the query, step by step."""

from collections.abc import Sequence

from pages.ui import film, palette
from pages.ui.film import FilmedRun
from pages.ui.player import Film, play
from pages.ui.trial.machine import Actor

LONGEST = 20  # steps; fine-tuning may take a hundred, beside which the others' few are a dot


def show(actors: Sequence[Actor], classes: Sequence[tuple[str, str]], query: int = 0) -> None:
    """`classes` are names and colours."""
    runs = [_filmed(actor) for actor in actors]
    steps = film.steps_of(runs, LONGEST)
    panels = [film.answers(run, classes, query, steps) for run in runs]
    shown = Film(steps=steps, panels=[*panels, film.losses(runs, steps)], start=0, autoplay=True)
    play(shown, key="trial film player")


def _filmed(actor: Actor) -> FilmedRun:
    assert actor.answer is not None, "a film is about a query"
    return FilmedRun(
        name=actor.name,
        color=actor.color,
        steps=actor.answer.steps,
        support_loss=actor.answer.support_loss,
        probabilities=actor.answer.probabilities,
        dash=palette.svg_dash(actor.kind),
    )
