"""Adaptation as a film: a slider and a play button move through its steps in the browser.

A component of our own, because drawings, lines and curves must move together, without a rerun per
frame, and follow the theme. Nothing comes back from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from pages.ui.component import component, rounded, with_id

Values = Sequence[float] | np.ndarray[Any, Any]

_mount = component(__file__)


@dataclass(frozen=True)
class FilmLine:
    """A value per step; `band` has a low and a high value per step; a quiet one is not named."""

    name: str
    color: str
    values: Values
    dash: str = ""  # SVG's stroke-dasharray
    width: float = 2.4
    band: Mapping[str, Values] | None = None
    quiet: bool = False


@dataclass(frozen=True)
class LinesPanel:
    """Lines over the steps."""

    title: str
    lines: Sequence[FilmLine]
    y: str
    alt: str
    x: str = "inner step"
    range: tuple[float, float] | None = None
    percent: bool = False
    note: str = ""
    mark: dict[str, Any] | None = None  # a step (`at`) worth a word (`text`)
    kind: Literal["lines"] = "lines"


@dataclass(frozen=True)
class BendingLine:
    """A predicted curve, its values on the grid for every step."""

    name: str
    color: str
    values: Sequence[Values] | np.ndarray[Any, Any]
    dash: str
    width: float
    reach: Sequence[Values] | np.ndarray[Any, Any] | None = None  # of a band to either side of it


@dataclass(frozen=True)
class CurvePanel:
    """Curves that bend towards the truth, with the support points marked."""

    title: str
    grid: Values
    lines: Sequence[BendingLine]
    range: tuple[float, float]
    alt: str
    truth: Values | None = None
    points: Sequence[tuple[float, float]] = ()
    x: str = "x"
    y: str = "y"
    note: str = ""
    kind: Literal["curve"] = "curve"


@dataclass(frozen=True)
class FilmDrawing:
    """A picture (a data address whose alpha is the ink) of a class, numbered from 0."""

    image: str
    number: int
    probabilities: Sequence[Values] | np.ndarray[Any, Any] = ()  # [S+1][N], for queries

    def to_dict(self) -> dict[str, Any]:
        return {"image": self.image, "class": self.number, "probabilities": self.probabilities}


@dataclass(frozen=True)
class DrawingsPanel:
    """An episode: a column per class, support above, queries with their answers below."""

    title: str
    classes: Sequence[tuple[str, str]]  # name and colour
    support: Sequence[FilmDrawing]
    query: Sequence[FilmDrawing]
    note: str = ""
    inked: bool = True  # pictures may take any colour
    kind: Literal["drawings"] = "drawings"

    def to_dict(self) -> dict[str, Any]:
        return {
            **vars(self),
            "classes": [{"name": name, "color": color} for name, color in self.classes],
            "support": [drawing.to_dict() for drawing in self.support],
            "query": [drawing.to_dict() for drawing in self.query],
        }


Panel = LinesPanel | CurvePanel | DrawingsPanel


@dataclass(frozen=True)
class Film:
    """Panels that move together through the steps."""

    steps: Sequence[int]
    panels: Sequence[Panel]
    label: str = "Inner step"
    autoplay: bool = False
    loop: bool = False
    interval: int = 650  # milliseconds per step
    stack: bool = False  # lines in a column beside the other panels, above them where they are many


def play(film: Film, *, key: str) -> None:
    """Shows the film; a rerun with the same film changes nothing on screen."""
    data: dict[str, Any] = {
        **vars(film),
        "steps": list(film.steps),
        "start": 0,  # index of the step first shown
        "panels": [_plain(panel) for panel in film.panels],
    }
    data["pictures"] = _shared(data["panels"])
    _mount(data=with_id(data), key=key)


def _shared(panels: Sequence[dict[str, Any]]) -> list[str]:
    """Every picture once, however many boards show it; the drawings keep its number."""
    numbers: dict[str, int] = {}
    for panel in panels:
        for drawing in (*panel.get("support", ()), *panel.get("query", ())):
            drawing["image"] = numbers.setdefault(drawing["image"], len(numbers))
    return list(numbers)


def _plain(panel: Panel) -> dict[str, Any]:
    """JSON-ready, with numbers no longer than a screen can show."""
    made = panel.to_dict() if isinstance(panel, DrawingsPanel) else asdict(panel)
    return {name: rounded(value) for name, value in made.items()}
