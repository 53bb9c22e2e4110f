"""Films of adaptations: the panels of the player, made in one way for every page that shows one.

A page says which runs it films and picks its panels. Axes: S+1 moments of a run, after inner steps
(layers, examples) it names; Q queries, N classes. A run that has taken its last step keeps what it
answered then.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from torch import Tensor

from metacore import ALGORITHMS
from metacore.answers.questions import BackgroundScores
from metacore.datasets.base import Dataset, ImageDataset
from metacore.episode import Episode
from metacore.insight.best import Best
from metacore.insight.spread import Spread, spread
from metacore.insight.trace import Array, Trace
from pages.ui import charts, drawings, palette, words
from pages.ui.curve_task import CurveTask
from pages.ui.player import (
    BendingLine,
    CurvePanel,
    DrawingsPanel,
    FilmDrawing,
    FilmLine,
    LinesPanel,
)

SUPPORT_SHOWN = 5  # drawings of a class; more would push the queries out of sight
ENOUGH = 10  # background episodes to have a mean and a band
THIN, THICK = 1.8, 2.6  # curves
BEST = "best possible"
SURE = 1.96  # standard deviations to either side that hold 95%
ROOM, WHOLE = 1.06, 1.03  # above the highest value; above 100%


@dataclass(frozen=True, kw_only=True)
class FilmedRun:
    """What a run makes of one episode, and how it looks."""

    name: str
    color: str
    steps: Sequence[int]  # [S+1]
    support_loss: Array  # [S+1]
    score: Array | None = None  # [S+1]
    probabilities: Array | None = None  # [S+1, Q, N]
    curves: Array | None = None  # [S+1, G]
    spread: Array | None = None  # [S+1, G] how sure it is of them
    norm: str = "none"
    dash: str = ""
    moment: str = "inner step"  # what its steps are
    width: float = 2.4
    background: BackgroundScores | None = None  # the same run on other episodes
    reference: bool = False  # the runs are held against it; it ends with its last step

    @classmethod
    def of(cls, trace: Trace, kind: str, **looks: Any) -> "FilmedRun":
        """The first task of a trace; `kind` is the algorithm's name."""
        shares, curves, spread = trace.query_probabilities, trace.curves, trace.spread
        return cls(
            steps=trace.steps,
            support_loss=trace.support_loss[:, 0],
            score=trace.query_score[:, 0],
            probabilities=None if shares is None else shares[:, 0],
            curves=None if curves is None else curves[:, 0],
            spread=None if spread is None else spread[:, 0],
            norm=trace.norm,
            dash=palette.svg_dash(kind),
            moment=ALGORITHMS[kind].moment,
            **looks,
        )

    def over(self, steps: Sequence[int], values: Sequence[float] | Array) -> list[float]:
        """At each of the film's steps: the value after the last step of its own."""
        last = self.steps[-1] if self.reference else steps[-1]
        own = [bisect_right(self.steps, step) - 1 for step in steps if step <= last]
        return [float(values[moment]) for moment in own]


def steps_of(runs: Sequence[FilmedRun], longest: float = float("inf")) -> list[int]:
    """All steps after which any of these was looked at."""
    return sorted({step for run in runs for step in run.steps if step <= longest})


def moment(runs: Sequence[FilmedRun]) -> str:
    """What lies between two pictures of the film: those that adapt at once have no say in it."""
    found = {run.moment for run in runs if len(run.steps) > 1 and not run.reference}
    return found.pop() if len(found) == 1 else "step" if found else "inner step"


def _names(runs: Sequence[FilmedRun]) -> str:
    return ", ".join(run.name for run in runs if not run.reference)


# --- lines over the steps ------------------------------------------------------------------------


def scores(
    runs: Sequence[FilmedRun],
    steps: Sequence[int],
    *,
    ways: int | None,
    title: str = "How wrong they are",
    mark: dict[str, Any] | None = None,
    best: Best | None = None,
) -> LinesPanel:
    """The query accuracy; or, where there are no ways, the error at other points of a curve, and
    the least that anyone could have."""
    accuracy = ways is not None
    what = "query accuracy" if accuracy else "mean squared error"
    lines = _lines(runs, steps, "score")
    behind = ", before 95% of other episodes" if any(run.background for run in runs) else ""
    if ways is not None:
        ink = palette.INK[charts.theme()]
        guess = [1 / ways] * len(steps)
        lines.append(FilmLine("chance", ink, guess, dash="1 5", width=1.2))
    if best is not None:
        ink = palette.INK[charts.theme()]
        lines.append(FilmLine(BEST, ink, [best.score] * len(steps), dash="1 5", width=1.2))
    return LinesPanel(
        title="Query accuracy" if accuracy else title,
        y=what,
        x=moment(runs),
        alt=f"The {what} of {_names(runs)} after every {moment(runs)}{behind}.",
        lines=lines,
        range=(0, WHOLE) if accuracy else _reach(lines),
        percent=accuracy,
        mark=mark,
    )


def losses(runs: Sequence[FilmedRun], steps: Sequence[int]) -> LinesPanel:
    lines = _lines(runs, steps, "support_loss")
    return LinesPanel(
        title="Loss on the support set",
        y="support loss",
        x=moment(runs),
        alt=f"The support loss of {_names(runs)} after every {moment(runs)}.",
        lines=lines,
        range=_reach(lines),
    )


def answers(
    run: FilmedRun, classes: Sequence[tuple[str, str]], query: int, steps: Sequence[int]
) -> LinesPanel:
    """How likely it finds each class for one query; `classes` are names and colours."""
    assert run.probabilities is not None, "a film of answers is about a query"
    shares = run.probabilities[:, query]
    if len(run.steps) == 1:
        note = "adapts in one computation: no step changes it"
    else:
        note = f"goes on to {run.moment} {run.steps[-1]}" if run.steps[-1] > steps[-1] else ""
    return LinesPanel(
        title=run.name,
        y="probability",
        x=moment([run]),
        alt=f"How likely {run.name} finds each class for the query after every {moment([run])}.",
        lines=[
            FilmLine(name, color, run.over(steps, shares[:, number]))
            for number, (name, color) in enumerate(classes)
        ],
        range=(0, WHOLE),
        percent=True,
        note=note,
    )


def _lines(runs: Sequence[FilmedRun], steps: Sequence[int], what: str) -> list[FilmLine]:
    """This episode bold; the mean of others thin in its band, unnamed where there are several."""
    bold = [
        FilmLine(run.name, run.color, run.over(steps, getattr(run, what)), run.dash, run.width)
        for run in runs
    ]
    quiet = sum(not run.reference for run in runs) > 1
    thin = []
    for run in runs:
        if run.background is not None and run.background.episodes >= ENOUGH:
            found = run.background.scores if what == "score" else run.background.losses
            thin.append(_background(run, spread(found), steps, quiet))
    return [*bold, *thin]


def _background(run: FilmedRun, found: Spread, steps: Sequence[int], quiet: bool) -> FilmLine:
    return FilmLine(
        f"mean of {found.episodes} others",
        run.color,
        run.over(steps, found.mean),
        width=1.2,
        band={side: run.over(steps, getattr(found, side)) for side in ("low", "high")},
        quiet=quiet,
    )


def _reach(lines: Sequence[FilmLine]) -> tuple[float, float]:
    """From 0 to what is worth seeing: one that leaps away does not flatten the others."""
    starts = [float(line.values[0]) for line in lines]
    highs = [float(v) for line in lines for v in line.values if np.isfinite(v)]
    bands = [float(v) for line in lines if line.band for v in line.band["high"] if np.isfinite(v)]
    limit = 2 * max((v for v in starts if np.isfinite(v)), default=1.0)
    return 0.0, ROOM * max(1e-6, min(limit, max([*highs, *bands, 0.0])))


# --- drawings and curves -------------------------------------------------------------------------


def boards(
    runs: Sequence[FilmedRun],
    episode: Episode,
    kind: type[Dataset] = ImageDataset,
    names: Sequence[str] = (),
) -> list[DrawingsPanel]:
    """A board for every run: the support drawings, and its answers to the queries; classes without
    names have letters."""
    theme, shots = charts.theme(), len(episode.support_y[0]) // episode.ways
    told = words.called(episode.ways, names)
    classes = [(name, palette.of_class(n, theme)) for n, name in enumerate(told)]
    support = _pictures(episode.support_x[0], episode.support_y[0], kind)
    query = _pictures(episode.query_x[0], episode.query_y[0], kind)
    more = shots - SUPPORT_SHOWN
    left_out = f" · {more} more support {kind.item}s per class" if more > 0 else ""
    return [
        DrawingsPanel(
            title=run.name,
            note=f"normalisation: {words.mode(run.norm)}{left_out}",
            classes=classes,
            inked=kind.inked(episode.support_x),
            support=[drawing for n, drawing in enumerate(support) if n % shots < SUPPORT_SHOWN],
            query=[
                replace(drawing, probabilities=shares)
                for drawing, shares in zip(query, _by_query(run), strict=True)
            ],
        )
        for run in runs
        if not run.reference
    ]


def _by_query(run: FilmedRun) -> Any:
    """[Q, S+1, N]."""
    assert run.probabilities is not None, "drawings have classes"
    return run.probabilities.swapaxes(0, 1)


def _pictures(images: Tensor, labels: Tensor, kind: type[Dataset]) -> list[FilmDrawing]:
    addresses = drawings.addresses(images, kind=kind)
    return [FilmDrawing(image, int(label)) for image, label in zip(addresses, labels, strict=True)]


def _best(best: Best) -> BendingLine:
    return BendingLine(BEST, palette.INK[charts.theme()], [best.curve], "1 5", THIN)


def curve(
    runs: Sequence[FilmedRun],
    task: CurveTask,
    *,
    title: str,
    alt: str,
    note: str = "",
    best: Best | None = None,
) -> CurvePanel:
    """How these bend towards the truth, and the best anyone could make of the points."""
    reach = max(2.0, *map(abs, task.truth)) * 1.35
    bent = [(run, run.curves) for run in runs if run.curves is not None]
    return CurvePanel(
        title=title,
        note=note,
        grid=task.grid,
        lines=[
            BendingLine(
                run.name,
                run.color,
                each,
                run.dash,
                THIN if run.reference else THICK,
                None if run.spread is None else SURE * run.spread,
            )
            for run, each in bent
        ]
        + ([] if best is None else [_best(best)]),
        truth=task.truth,
        points=task.points,
        range=(-reach, reach),
        alt=alt,
    )
