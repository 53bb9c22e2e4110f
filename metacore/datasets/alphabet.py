"""An alphabet without end: invented characters, and how different people would draw them.

A stroke is a walk. The pen sets off in some direction, its heading turns at one steady rate and
then at another (which makes lines, arcs, loops, hooks and S-curves) and may turn up to three
corners. Later strokes mostly begin on earlier ones, and some end on one as well.

A drawing is its character with everything slightly off: headings, lengths, bends, corners and
joints, then the slant and size of the whole. Eyes guide the hand, so a stroke that went astray is
bent back towards where it should end. The amounts were tuned so that a network trained on these
characters recognises real handwriting; the pictures' statistics follow Omniglot's training set.

Axes: n characters or drawings, S strokes, P pen positions along a stroke, 2 for x and y.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TypeVar

import torch
from torch import Generator, Tensor

from metacore.datasets.strokes import CANVAS

STROKES = 6  # at most
CORNERS = 3  # of a stroke, at most
POSITIONS = 80  # along a stroke
_DEGREE = math.pi / 180
_TURN = 2 * math.pi


@dataclass(frozen=True)
class Walks:
    """Every stroke by itself, about one unit long."""

    heading: Tensor  # [n, S] radians
    length: Tensor  # [n, S]
    bend: Tensor  # [n, S, 2] radians turned before and after the change of rate
    change: Tensor  # [n, S] where along the stroke the rate changes, 0 to 1
    corner: Tensor  # [n, S, 3] radians, 0 for none
    place: Tensor  # [n, S, 3] where along the stroke the corner is
    roundness: Tensor  # [n, S] how much of the stroke a corner takes


@dataclass(frozen=True)
class Joints:
    """Where strokes stand; the first stroke's entries mean nothing."""

    attached: Tensor  # [n, S] bool: begins on an earlier stroke
    to: Tensor  # [n, S] which one
    at: Tensor  # [n, S] where along it, 0 to 1
    by: Tensor  # [n, S] with which of its own points
    offset: Tensor  # [n, S, 2] where an unattached stroke stands, from the first one's middle
    closed: Tensor  # [n, S] bool: ends on an earlier stroke, too
    end_to: Tensor  # [n, S]
    end_at: Tensor  # [n, S]


@dataclass(frozen=True)
class Characters:
    count: Tensor  # [n] how many of the strokes are used
    walks: Walks
    joints: Joints
    size: Tensor  # [n] the longer side in canvas pixels
    aspect: Tensor  # [n] log of width over height, added to what the strokes have


Jitter = Callable[..., Tensor]  # (amount, *shape) -> normal numbers [n, S, *shape]
Record = TypeVar("Record", Walks, Joints)


# Inventing characters


def invent(n: int, generator: Generator) -> Characters:
    """New characters."""
    count = 1 + _pick((0.24, 0.30, 0.22, 0.13, 0.07, 0.04), (n,), generator)
    walks = _invent_walks((n, STROKES), generator)
    used = torch.arange(STROKES) < count[:, None]
    ink = (walks.length * used).sum(1)
    return Characters(
        count=count,
        walks=walks,
        joints=_invent_joints((n, STROKES), generator),
        size=62 * (ink / 2.5) ** 0.3 * (0.17 * _normal((n,), generator)).exp(),
        aspect=0.18 * _normal((n,), generator),
    )


def _invent_walks(shape: tuple[int, int], generator: Generator) -> Walks:
    kind = _pick((0.38, 0.27, 0.10, 0.12, 0.13), shape, generator)
    corners = _pick((0.62, 0.20, 0.12, 0.06), shape, generator)
    corners = torch.where(kind < 2, corners, corners.clamp(max=1))
    change = 0.3 + 0.4 * _uniform(shape, generator)
    stretch = torch.tensor([1.0, 1.0, 1.8, 1.5, 1.0])[kind] * (1 + 0.45 * corners)
    number = torch.arange(CORNERS)
    evenly = (number + 1) / (corners[..., None] + 1)
    return Walks(
        heading=_invent_headings(shape, generator),
        length=stretch * (0.45 * _normal(shape, generator)).exp(),
        bend=_invent_bends(kind, change, generator),
        change=change,
        corner=_invent_corners(shape, generator) * (number < corners[..., None]),
        place=(evenly + 0.07 * _normal((*shape, CORNERS), generator)).clamp(0.1, 0.92),
        roundness=0.02 + 0.1 * _uniform(shape, generator),
    )


def _invent_headings(shape: tuple[int, int], generator: Generator) -> Tensor:
    """Most strokes set off along one of the eight winds, more or less."""
    winds = _uniform(shape, generator).mul(8).floor() * _TURN / 8
    nearly = winds + 5 * _DEGREE * _normal(shape, generator)
    return torch.where(_chance(0.6, shape, generator), nearly, _TURN * _uniform(shape, generator))


def _invent_bends(kind: Tensor, change: Tensor, generator: Generator) -> Tensor:
    """Bends [n, S, 2] of lines, arcs, loops, S-curves and hooks (kinds 0 to 4)."""
    arc, loop, first, second = (
        _DEGREE * (low + (high - low) * _uniform(kind.shape, generator))
        for low, high in ((30, 220), (300, 400), (60, 240), (60, 240))
    )
    none = torch.zeros_like(arc)
    before = torch.stack([none, arc * change, loop * change, first, none])
    after = torch.stack([none, arc * (1 - change), loop * (1 - change), -second, 1.2 * second])
    bends = torch.stack([before, after], -1)  # [kind, n, S, 2]
    chosen = bends.gather(0, kind[None, ..., None].expand(1, *kind.shape, 2))[0]
    return chosen * _sign((*kind.shape, 1), generator)


def _invent_corners(shape: tuple[int, int], generator: Generator) -> Tensor:
    """Angles [n, S, 3]: half of them right; turning the same way each time, or to and fro."""
    each = (*shape, CORNERS)
    right = 90 + 6 * _normal(each, generator)
    any_angle = 40 + 120 * _uniform(each, generator)
    angle = torch.where(_chance(0.5, each, generator), right, any_angle) * _DEGREE
    zigzag = torch.tensor([1.0, -1.0, 1.0])
    way = torch.where(_chance(0.5, (*shape, 1), generator), zigzag, torch.ones(CORNERS))
    return angle * way * _sign((*shape, 1), generator)


def _invent_joints(shape: tuple[int, int], generator: Generator) -> Joints:
    attached = _chance(0.6, shape, generator)
    own = _uniform(shape, generator)
    ends_or_middle = torch.tensor([0.0, 0.5])[_pick((0.82, 0.18), shape, generator)]
    return Joints(
        attached=attached,
        to=_earlier(shape, generator),
        at=_spot(shape, generator),
        by=torch.where(_chance(0.85, shape, generator), ends_or_middle, own),
        offset=0.8 * _normal((*shape, 2), generator),
        closed=attached & _chance(0.2, shape, generator),
        end_to=_earlier(shape, generator),
        end_at=_spot(shape, generator),
    )


def _earlier(shape: tuple[int, int], generator: Generator) -> Tensor:
    """For every stroke, one that is drawn before it."""
    return (_uniform(shape, generator) * torch.arange(STROKES).clamp(min=1)).long()


def _spot(shape: tuple[int, int], generator: Generator) -> Tensor:
    """Points along a stroke, 0 to 1: often its start, end or middle."""
    favourite = torch.tensor([0.0, 1.0, 0.5])[_pick((0.47, 0.33, 0.2), shape, generator)]
    return torch.where(_chance(0.75, shape, generator), favourite, _uniform(shape, generator))


# Drawing them


def draw(characters: Characters, drawings: int, generator: Generator) -> Tensor:
    """Pen positions on the canvas of so many drawings of each character: [n * drawings, S * P, 2].

    Strokes a character does not use are nan.
    """
    characters = _repeated(characters, drawings)
    n = len(characters.count)
    sloppiness = 0.8 * (0.35 * _normal((n,), generator)).exp()

    def jitter(amount: float, *shape: int) -> Tensor:
        unit = _normal((n, STROKES, *shape), generator)
        return amount * unit * sloppiness.view(n, *[1] * (unit.dim() - 1))

    paths = _hand(characters.walks, jitter)
    paths = _join(paths, characters, jitter)
    used = torch.arange(STROKES) < characters.count[:, None]
    points = torch.where(used[..., None, None], paths, torch.nan).flatten(1, 2)
    return _place(_slant(points, characters, generator), characters, generator)


def _repeated(characters: Characters, times: int) -> Characters:
    def each(record: Record) -> Record:
        values = {f.name: getattr(record, f.name) for f in fields(record)}
        return type(record)(**{k: v.repeat_interleave(times, 0) for k, v in values.items()})

    return Characters(
        count=characters.count.repeat_interleave(times),
        walks=each(characters.walks),
        joints=each(characters.joints),
        size=characters.size.repeat_interleave(times),
        aspect=characters.aspect.repeat_interleave(times),
    )


def _hand(walks: Walks, jitter: Jitter) -> Tensor:
    """Strokes as an unsteady hand draws them, each from the origin: [n, S, P, 2]."""
    meant, drawn = _walk(walks), _walk(_unsteady(walks, jitter))
    size = walks.length[..., None]
    goal = meant[:, :, -1] + jitter(0.05, 2) * size
    along = torch.linspace(0, 1, POSITIONS)[:, None]
    guided = drawn + 0.7 * along * (goal - drawn[:, :, -1])[:, :, None]
    return guided + _tremor(jitter) * size.clamp(max=1.5)[..., None]


def _unsteady(walks: Walks, jitter: Jitter) -> Walks:
    return Walks(
        heading=walks.heading + jitter(7 * _DEGREE),
        length=walks.length * jitter(0.14).exp(),
        bend=walks.bend * jitter(0.15, 2).exp() + jitter(12 * _DEGREE, 2),
        change=(walks.change + jitter(0.05)).clamp(0.1, 0.9),
        corner=walks.corner + jitter(12 * _DEGREE, CORNERS) * (walks.corner != 0),
        place=walks.place + jitter(0.05, CORNERS),
        roundness=(walks.roundness * jitter(0.6).exp()).clamp(min=0.005),
    )


def _walk(walks: Walks) -> Tensor:
    """Where the pen goes, from the origin: [n, S, P, 2]."""
    along = (torch.arange(POSITIONS) + 0.5) / POSITIONS
    change = walks.change[..., None]
    before = (along / change).clamp(max=1)
    after = ((along - change) / (1 - change)).clamp(min=0)
    heading = walks.heading[..., None] + walks.bend[..., :1] * before + walks.bend[..., 1:] * after
    for corner, place in zip(walks.corner.unbind(-1), walks.place.unbind(-1), strict=True):
        turned = ((along - place[..., None]) / walks.roundness[..., None] + 0.5).clamp(0, 1)
        heading = heading + corner[..., None] * turned
    steps = torch.stack([heading.cos(), heading.sin()], -1)
    return steps.cumsum(-2) * (walks.length / POSITIONS)[..., None, None]


def _tremor(jitter: Jitter, waves: int = 4) -> Tensor:
    """Smooth wobble along each stroke: [n, S, P, 2]."""
    number = torch.arange(1, waves + 1)
    angle = math.pi * torch.linspace(0, 1, POSITIONS)[:, None] * number  # [P, waves]
    amounts = jitter(0.012, 2, waves, 2) / number[:, None]
    return angle.sin() @ amounts[:, :, 0] + angle.cos() @ amounts[:, :, 1]


def _join(strokes: Tensor, characters: Characters, jitter: Jitter) -> Tensor:
    """Moves every stroke after the first to where it stands: [n, S, P, 2]."""
    joints, middle = characters.joints, strokes[:, 0].mean(1)
    at, by, end_at = (
        _index(where + jitter(0.05)) for where in (joints.at, joints.by, joints.end_at)
    )
    gap, drift = jitter(0.035, 2), jitter(0.06, 2)
    along = torch.linspace(0, 1, POSITIONS)[:, None]
    every = torch.arange(len(strokes))
    placed = strokes.clone()
    for s in range(1, STROKES):
        stroke = strokes[:, s]
        start = placed[every, joints.to[:, s], at[:, s]] + gap[:, s]
        attached = stroke - stroke[every, by[:, s]][:, None] + start[:, None]
        goal = placed[every, joints.end_to[:, s], end_at[:, s]] - gap[:, s]
        closed = attached + along * (goal - attached[:, -1])[:, None]
        home = middle + joints.offset[:, s] + drift[:, s]
        loose = stroke - stroke.mean(1, keepdim=True) + home[:, None]
        on = torch.where(joints.closed[:, s, None, None], closed, attached)
        placed[:, s] = torch.where(joints.attached[:, s, None, None], on, loose)
    return placed


def _index(where: Tensor) -> Tensor:
    """The pen positions nearest to these shares of a stroke."""
    return (where.clamp(0, 1) * (POSITIONS - 1)).round().long()


def _slant(points: Tensor, characters: Characters, generator: Generator) -> Tensor:
    """Shears, stretches and turns whole drawings: [n, P, 2]."""
    n = len(points)
    shear = 0.09 * _normal((n,), generator)
    stretch = ((characters.aspect + 0.12 * _normal((n,), generator)) / 2).exp()
    angle = 4 * _DEGREE * _normal((n,), generator)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(n)
    turn = _matrix(cos, -sin, sin, cos)
    skew = _matrix(stretch, shear / stretch, zero, 1 / stretch)
    return points @ (turn @ skew).mT


def _matrix(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    return torch.stack([torch.stack([a, b], -1), torch.stack([c, d], -1)], -2)


def _place(points: Tensor, characters: Characters, generator: Generator) -> Tensor:
    """Warps whole drawings a little and puts them on the canvas, near its middle: [n, P, 2]."""
    n = len(points)
    low, high = _box(points)
    unit = (points - (low + high) / 2) / (high - low).amax(-1, keepdim=True).clamp(min=0.05)
    size = (characters.size * (0.13 * _normal((n,), generator)).exp()).clamp(8, CANVAS - 7) - 5
    drawing = _warped(unit, generator) * size[:, None, None]
    low, high = _box(drawing)
    middle = (CANVAS - 1) / 2 + 5 * _normal((n, 1, 2), generator)
    return drawing + middle.clamp(min=2 - low).clamp(max=CANVAS - 3 - high)


def _warped(points: Tensor, generator: Generator) -> Tensor:
    """Bends the paper by one slow wave along each axis."""
    n = len(points)
    waves = 2 + 3 * _uniform((n, 2, 2), generator)
    phase = _TURN * _uniform((n, 1, 2), generator)
    amount = 0.035 * _normal((n, 1, 2), generator)
    return points + amount * (points @ waves + phase).sin()


def _box(points: Tensor) -> tuple[Tensor, Tensor]:
    """The corners of drawings, each [n, 1, 2]."""
    blank = points.isnan()
    low = points.masked_fill(blank, math.inf).amin(1, keepdim=True)
    return low, points.masked_fill(blank, -math.inf).amax(1, keepdim=True)


# Chance


def _uniform(shape: Sequence[int], generator: Generator) -> Tensor:
    return torch.rand(*shape, generator=generator)


def _normal(shape: Sequence[int], generator: Generator) -> Tensor:
    return torch.randn(*shape, generator=generator)


def _chance(share: float, shape: Sequence[int], generator: Generator) -> Tensor:
    return _uniform(shape, generator) < share


def _sign(shape: Sequence[int], generator: Generator) -> Tensor:
    return _chance(0.5, shape, generator).float() * 2 - 1


def _pick(weights: Sequence[float], shape: Sequence[int], generator: Generator) -> Tensor:
    """Whole numbers from 0, each as likely as its weight."""
    picked = torch.multinomial(torch.tensor(weights), math.prod(shape), True, generator=generator)
    return picked.view(*shape)
