"""What came with an upload: photographs kept as they are, or the drawings that are on them.

A drawing becomes a picture like those the networks were trained on. The ink is found (`ink`),
brought to one size and thinned to the pen's path, and the path is drawn again with the datasets'
own pen: a ballpoint on a whole page and a marker on a card become the same picture. What is broad
enough to be a filled shape stays filled.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from metacore.archives import Entry, Source, listed
from metacore.datasets.strokes import CANVAS, paint, place, shrink
from metacore.decoding import grey, pixels_of
from metacore.errors import UserError
from metacore.filenames import shown
from metacore.pictures import converted
from metacore.trial.ink import LEVEL, find_ink
from metacore.trial.photo import Photo
from metacore.trial.picture import Picture
from metacore.trial.thinning import thin

MOST_PICTURES = 200  # of one upload
MOST_PIXELS_TOGETHER = 3_000_000_000  # all of them from a telephone
_FINE = 124  # the drawing's longer side while it is thinned: twice its side on the canvas
_FILLED = 50  # ink this many times broader than its path is a shape, not a line
_SHAPE = 67  # the longer side of a filled shape on the canvas


Found = tuple[str, Picture | Photo] | str  # with its class; or why it is left out


@dataclass(frozen=True)
class Uploaded:
    """What came out of an upload, and a sentence for each file that was left out."""

    classes: dict[str, list[Picture | Photo]] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(len(pictures) for pictures in self.classes.values())


def seen(data: bytes, name: str, shape: tuple[int, ...]) -> Tensor:
    """What a network with such inputs sees of a picture: its ink, or itself in colour."""
    channels, height, width = shape
    if channels == 3:
        return converted(Photo.of(data, name).tensor, shape)
    if channels != 1:
        raise UserError(f"A picture has 1 or 3 channels, and this run sees {channels}.")
    drawn = convert(data, name)
    if drawn.shape == shape:
        return drawn
    size = (height, width)
    return F.interpolate(drawn[None].float(), size, mode="area").round().byte()[0]


def convert(data: bytes, name: str) -> Tensor:
    """What a network sees of a PNG, JPEG or WebP picture: uint8 [1, 28, 28]."""
    strength = find_ink(grey(data, name))
    drawn = None if strength is None else redraw(strength)
    if drawn is None:
        raise UserError(f"{shown(name)} shows no drawing: nothing on it stands out from the paper.")
    return drawn


def redraw(strength: Tensor) -> Tensor | None:
    """A drawing's ink [h, w], cropped, as a picture of the datasets' kind: uint8 [1, 28, 28].

    None where only specks too fine for such a picture are left of it.
    """
    ink = _resized(strength, _FINE) > LEVEL
    if not ink.any():
        return None
    path = thin(F.pad(ink, (1, 1, 1, 1)))
    points = path.nonzero().flip(1).double()
    if int(ink.sum()) > _FILLED * len(points):
        return _shape(strength)
    return paint(place(points)[None])[0]


def _resized(strength: Tensor, longest: int) -> Tensor:
    scale = longest / max(strength.shape)
    size = [max(1, round(side * scale)) for side in strength.shape]
    return F.interpolate(strength[None, None], size, mode="bilinear", antialias=True)[0, 0]


def _shape(strength: Tensor) -> Tensor:
    """In the middle of the canvas, as it is."""
    ink = _resized(strength, _SHAPE) > LEVEL
    canvas = torch.zeros(CANVAS, CANVAS, dtype=torch.uint8)
    top, left = ((CANVAS - side) // 2 for side in ink.shape)
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return shrink(canvas[None])[0]


def gathered(found: Iterable[Found]) -> Uploaded:
    """Pictures by class, in their order, and the sentences."""
    result = Uploaded()
    for each in found:
        if isinstance(each, str):
            result.refused.append(each)
        else:
            group, picture = each
            result.classes.setdefault(group, []).append(picture)
    return result


class Reader:
    """Reads what came with an upload, entry by entry, beginning with any of them: as drawings, or
    as photographs.

    Nothing is remembered of an entry but what counts against the limits of all: another reader,
    in another process, goes on where this one stopped and says the same.
    """

    def __init__(self, files: Iterable[Source], *, photographs: bool = False) -> None:
        self.photographs = photographs
        self.entries = [entry for file in files for entry in listed(file)]
        self._before = [(0, 0)]  # how many pictures and pixels there are before each entry

    def read(self, number: int) -> Found:
        """A picture and the class it belongs to, or a sentence."""
        entry = self.entries[number]
        if isinstance(entry, str):
            return entry
        try:
            self._count_up_to(number)
            data = entry.read()
            self._check(number, entry, data)
            return entry.group, self._picture(entry, data)
        except UserError as error:
            return str(error)
        except MemoryError:
            return f"{shown(entry.where)} needs more memory than there is."

    def _picture(self, entry: Entry, data: bytes) -> Picture | Photo:
        if self.photographs:
            return replace(Photo.of(data, entry.where), name=shown(entry.name))
        return Picture.of(entry.name, convert(data, entry.where))

    def _check(self, number: int, entry: Entry, data: bytes) -> None:
        where, (pictures, pixels) = shown(entry.where), self._before[number]
        if pictures >= MOST_PICTURES:
            raise UserError(f"{where} is left out: an upload has at most {MOST_PICTURES} pictures.")
        pixels += pixels_of(data, entry.where)
        if len(self._before) == number + 1:
            self._before.append((pictures + 1, pixels))
        if pixels > MOST_PIXELS_TOGETHER:
            most = MOST_PIXELS_TOGETHER // 10**6
            raise UserError(
                f"{where} is left out: pictures have at most {most} million pixels together."
            )

    def _count_up_to(self, number: int) -> None:
        """Looks at the headers of what another reader has read, and of nothing twice."""
        while len(self._before) <= number:
            pictures, pixels = self._before[-1]
            entry = self.entries[len(self._before) - 1]
            found = 0 if pictures >= MOST_PICTURES or isinstance(entry, str) else _pixels(entry)
            self._before.append((pictures + bool(found), pixels + found))


def _pixels(entry: Entry) -> int:
    """By its header; 0 of what is no picture."""
    try:
        return pixels_of(entry.read(), entry.where)
    except UserError:
        return 0
