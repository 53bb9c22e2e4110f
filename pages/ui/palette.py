"""Colours: one per algorithm wherever it appears, another set for the classes of an episode.

Algorithms after Okabe and Ito, classes after Tol: told apart by colour-blind eyes, and every chart
says the same by dashes, names or marks as well.
"""

from typing import Literal

from metacore import ALGORITHMS
from metacore.algorithms.base import Algorithm

Theme = Literal["light", "dark"]

SVG_DASH = {"solid": "", "dash": "7 4", "dashdot": "8 3 2 3", "longdash": "12 4", "dot": "2 4"}

CLASSES: dict[Theme, tuple[str, ...]] = {
    "light": (
        *("#4477AA", "#CC5566", "#228833", "#B09A20", "#2E9CB8", "#AA3377", "#7A5230"),
        *("#555599", "#5E8C31", "#8C6BB1"),
    ),
    "dark": (
        *("#77AADD", "#EE8899", "#66CC77", "#DDCC55", "#66CCEE", "#DD88BB", "#CFA27A"),
        *("#AAAAEE", "#AACC66", "#C3A5E0"),
    ),
}
# A class looks alike in 2-D and in 3-D. Only these four are drawn in space by any font; classes
# that share one have colours far apart.
CLASS_SYMBOLS = (
    *("circle", "square", "diamond", "cross", "square", "diamond", "circle", "cross"),
    *("square", "diamond"),
)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "pentagon", "hexagon")

INK = {"light": "#1D2127", "dark": "#E9E6E0"}
PAPER = {"light": "#FCFBF8", "dark": "#14171C"}
GRID = {"light": "#DDD8CC", "dark": "#363D47"}


def algorithm(name: str, theme: Theme) -> str:
    return ALGORITHMS.get(name, Algorithm).color[theme == "dark"]


def dash(name: str) -> str:
    return ALGORITHMS.get(name, Algorithm).dash


def svg_dash(name: str) -> str:
    return SVG_DASH[dash(name)]


def of_class(number: int, theme: Theme) -> str:
    return CLASSES[theme][number % len(CLASSES[theme])]


def symbol(number: int) -> str:
    return SYMBOLS[number % len(SYMBOLS)]


def class_symbol(number: int) -> str:
    return CLASS_SYMBOLS[number % len(CLASS_SYMBOLS)]


def faded(color: str, share: float) -> str:
    """The colour with this much of itself left: rgba(…)."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {share:g})"


def run_colors(algorithms: list[str], theme: Theme) -> list[str]:
    """A colour per run; a second run of one algorithm is told apart by its brightness."""
    seen: dict[str, int] = {}
    colors = []
    for name in algorithms:
        darker = 0.35 * min(seen.get(name, 0), 2)
        colors.append(_mixed(algorithm(name, theme), INK[theme], darker))
        seen[name] = seen.get(name, 0) + 1
    return colors


def run_dashes(algorithms: list[str]) -> list[str]:
    """A dash per run; a second run of one algorithm takes the first one that is still free."""
    taken: list[str] = []
    for name in algorithms:
        own = dash(name)
        free = (one for one in (own, *SVG_DASH) if one not in taken)
        taken.append(next(free, own))
    return taken


def _mixed(color: str, other: str, share: float) -> str:
    parts = [
        round((1 - share) * int(color[i : i + 2], 16) + share * int(other[i : i + 2], 16))
        for i in (1, 3, 5)
    ]
    return "#" + "".join(f"{part:02X}" for part in parts)
