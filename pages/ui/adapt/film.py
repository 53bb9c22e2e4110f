"""The film of a scene: what every run answers, and how wrong it is, step by step."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from metacore.insight.reference import Reference
from metacore.insight.spread import Spread
from metacore.insight.trace import Array
from pages.ui import charts, drawings, palette, words
from pages.ui.adapt.scene import Actor, Scene
from pages.ui.player import Bending, Curve, Drawing, Drawings, Film, Line, Lines, Panel, chance

SHOWN = 5  # support drawings of a class; the others would push the queries out of sight
SCRATCH = "from scratch"
ENOUGH = 10  # other episodes to have a mean and a band
ROOM = 1.06
LONGEST = 6500  # milliseconds a film takes, unless it has very many steps


def film(scene: Scene) -> Film:
    panels: list[Panel] = [*(_curves(scene) if scene.regression else _drawings(scene))]
    return Film(
        steps=scene.steps,
        panels=[*panels, _scores(scene), _losses(scene)],
        start=0,
        autoplay=True,
        stack=True,
        interval=max(60, min(650, LONGEST // len(scene.steps))),
    )


def _scores(scene: Scene) -> Lines:
    names = ", ".join(actor.name for actor in scene.actors)
    what = "mean squared error" if scene.regression else "query accuracy"
    lines = _lines(scene, "query_score")
    if not scene.regression:
        lines.append(chance(scene.episode.ways, len(scene.steps), charts.theme()))
    return Lines(
        title="How wrong it is at other points" if scene.regression else "Query accuracy",
        y=what,
        alt=f"The {what} of {names} after every inner step, before 95% of other episodes.",
        lines=lines,
        range=_reach(lines) if scene.regression else (0, 1.03),
        percent=not scene.regression,
        mark=_mark(scene),
    )


def _losses(scene: Scene) -> Lines:
    names = ", ".join(actor.name for actor in scene.actors)
    lines = _lines(scene, "support_loss")
    return Lines(
        title="Loss on the support set",
        y="support loss",
        alt=f"The support loss of {names} after every inner step.",
        lines=lines,
        range=_reach(lines),
    )


def _lines(scene: Scene, what: str) -> list[Line]:
    """This episode bold, the mean of others thin in its band, the reference dotted."""
    several, length = len(scene.actors) > 1, len(scene.steps)
    lines = [
        Line(a.name, a.color, _held(a, getattr(a.trace, what)[:, 0], length), a.dash, 3)
        for a in scene.actors
    ]
    if scene.scratch is not None:
        lines.append(
            Line(
                SCRATCH,
                palette.algorithm(Reference.name, charts.theme()),
                getattr(scene.scratch, what)[:, 0],
                palette.svg_dash(Reference.name),
                2,
            )
        )
    for actor in scene.actors:
        if actor.others is not None and actor.others.episodes >= ENOUGH:
            seen = actor.others
            spread = seen.score_spread() if what == "query_score" else seen.loss_spread()
            lines.append(_background(actor, spread, length, several))
    return lines


def _background(actor: Actor, spread: Spread, length: int, several: bool) -> Line:
    band = {side: _held(actor, getattr(spread, side), length) for side in ("low", "high")}
    return Line(
        f"mean of {spread.episodes} others",
        actor.color,
        _held(actor, spread.mean, length),
        width=1.2,
        band=band,
        quiet=several,
    )


def _held(actor: Actor, values: Array, length: int) -> list[float]:
    """A single computation is a level line: no step changes its answers."""
    known = [float(value) for value in values]
    return known * length if actor.at_once else known


def _reach(lines: Sequence[Line]) -> tuple[float, float]:
    """From 0 to what is worth seeing: one that leaps away does not flatten the others."""
    starts = [float(line.values[0]) for line in lines]
    highs = [float(v) for line in lines for v in line.values if np.isfinite(v)]
    bands = [float(v) for line in lines if line.band for v in line.band["high"] if np.isfinite(v)]
    limit = 2 * max((v for v in starts if np.isfinite(v)), default=1.0)
    return 0.0, ROOM * max(1e-6, min(limit, max([*highs, *bands, 0.0])))


def _mark(scene: Scene) -> dict[str, Any] | None:
    """Where training ended, if all agree on it and the film goes on."""
    trained = {actor.trained_steps for actor in scene.actors if not actor.at_once}
    last = scene.steps[-1]
    if len(trained) != 1 or not 0 < (steps := trained.pop()) < last:
        return None
    return {"at": steps, "text": f"trained with {steps}"}


def _drawings(scene: Scene) -> list[Drawings]:
    episode, theme = scene.episode, charts.theme()
    kinds = [(words.letter(n), palette.of_class(n, theme)) for n in range(episode.ways)]
    shots = scene.choice.asked.shots
    support = _pictures(episode.support_x[0], episode.support_y[0])
    query = _pictures(episode.query_x[0], episode.query_y[0])
    shown = [drawing for n, drawing in enumerate(support) if n % shots < SHOWN]
    return [
        Drawings(
            title=actor.name,
            note=_note(actor, shots),
            classes=kinds,
            support=shown,
            query=[
                replace(drawing, probabilities=shares)
                for drawing, shares in zip(query, _probabilities(actor), strict=True)
            ],
        )
        for actor in scene.actors
    ]


def _note(actor: Actor, shots: int) -> str:
    more = f" · {shots - SHOWN} more support drawings per class" if shots > SHOWN else ""
    return f"normalisation: {words.mode(actor.trace.norm)}{more}"


def _probabilities(actor: Actor) -> Any:
    """[Q][S+1][N]."""
    assert actor.trace.query_probabilities is not None, "drawings have classes"
    return actor.trace.query_probabilities[:, 0].swapaxes(0, 1)


def _pictures(images: Any, labels: Any) -> list[Drawing]:
    addresses = drawings.addresses(images)
    return [Drawing(image, int(label)) for image, label in zip(addresses, labels, strict=True)]


def _curves(scene: Scene) -> list[Curve]:
    trace = scene.first.trace
    assert trace.grid is not None, "curves have a grid"
    grid = [float(x) for x in trace.grid]
    truth = scene.choice.asked.curve(grid)
    reach = max(1.0, *(abs(value) for value in truth)) * 1.35
    episode = scene.episode
    points = zip(episode.support_x.flatten(), episode.support_y.flatten(), strict=True)
    seen = [(float(x), float(y)) for x, y in points]
    return [
        Curve(
            title=actor.name,
            note="the dashed curve is the truth, of which the circles are all that is seen",
            grid=grid,
            lines=[*_scratch_curve(scene), _bending(actor)],
            truth=truth,
            points=seen,
            range=(-reach, reach),
            alt=f"A curve, {len(seen)} points of it, and how {actor.name} bends towards it.",
        )
        for actor in scene.actors
    ]


def _bending(actor: Actor) -> Bending:
    assert actor.trace.curves is not None, "regression"
    return Bending(actor.name, actor.color, actor.trace.curves[:, 0], actor.dash)


def _scratch_curve(scene: Scene) -> list[Bending]:
    if scene.scratch is None or scene.scratch.curves is None:
        return []
    color = palette.algorithm(Reference.name, charts.theme())
    curves = scene.scratch.curves[:, 0]
    return [Bending(SCRATCH, color, curves, palette.svg_dash(Reference.name), 1.8)]
