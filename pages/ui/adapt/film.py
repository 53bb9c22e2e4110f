"""The film of a scene: what every run answers, and how wrong it is, step by step."""

from collections.abc import Sequence
from typing import Any

from metacore.insight.reference import Reference
from pages.ui import charts, film, kinds, palette
from pages.ui.adapt.scene import AdaptScene
from pages.ui.curve_task import CurveTask
from pages.ui.film import FilmedRun
from pages.ui.player import CurvePanel, Film, Panel

SCRATCH = "from scratch"
LONGEST = 6500  # milliseconds a film takes, unless it has very many steps


def film_of(scene: AdaptScene) -> Film:
    runs = [
        FilmedRun.of(
            adapted.trace,
            adapted.kind,
            name=adapted.name,
            color=adapted.color,
            background=adapted.background,
            width=3,
        )
        for adapted in scene.runs
    ]
    shown = [*runs, *_reference(scene)]
    steps = film.steps_of(shown)
    title, ways = "How wrong it is at other points", scene.episode.ways
    tasks: Sequence[Panel] = (
        _curves(runs, scene)
        if scene.regression
        else film.boards(runs, scene.episode, scene.choice.spec.kind, kinds.of(scene.choice.spec))
    )
    return Film(
        steps=steps,
        label=film.moment(shown).capitalize(),
        panels=[
            *tasks,
            film.scores(
                shown,
                steps,
                ways=None if scene.regression else ways,
                title=title,
                mark=_mark(scene, steps[-1]),
                best=scene.best,
            ),
            film.losses(shown, steps),
        ],
        autoplay=True,
        stack=True,
        interval=max(60, min(650, LONGEST // len(steps))),
    )


def _reference(scene: AdaptScene) -> list[FilmedRun]:
    """The first run's network from a random start."""
    if scene.scratch is None:
        return []
    color = palette.algorithm(Reference.name, charts.theme())
    looks: dict[str, Any] = {"name": SCRATCH, "color": color, "width": 2, "reference": True}
    return [FilmedRun.of(scene.scratch, Reference.name, **looks)]


def _mark(scene: AdaptScene, last: int) -> dict[str, Any] | None:
    """Where training ended, if all agree on it and the film goes on."""
    trained = {adapted.trained_steps for adapted in scene.runs if not adapted.at_once}
    if len(trained) != 1 or not 0 < (steps := trained.pop()) < last:
        return None
    return {"at": steps, "text": f"trained with {steps}"}


def _curves(runs: Sequence[FilmedRun], scene: AdaptScene) -> list[CurvePanel]:
    task = CurveTask.of(scene.choice.spec, scene.episode, scene.first.trace.grid)
    return [
        film.curve(
            [*_reference(scene), run],
            task,
            best=scene.best,
            title=run.name,
            note="the dashed curve is the truth, of which the circles are all that is seen",
            alt=f"A curve, {len(task.points)} points of it, and how {run.name} bends towards it.",
        )
        for run in runs
    ]
