"""A trial as a small JSON file: strokes as they were drawn, pictures as the network sees them, and
photographs as they are kept.

    {"format": "metacore trial", "version": 1, "classes": ["alef", …],
     "support": [[{"strokes": [[[x, y], …], …]}, {"name": …, "pixels": base64},
                  {"name": …, "photograph": base64}], …],
     "query": [{…, "label": 0}], "settings": {"runs": […], "steps": null, "norm": null}}

Whoever opens such a file may have got it from anybody: nothing in it is believed.
"""

import base64
import json
from typing import Annotated, Any

from msgspec import Meta, Struct

from metacore import strict
from metacore.datasets.strokes import SIDE
from metacore.errors import UserError
from metacore.filenames import LONGEST_NAME
from metacore.models.normalisation import NORM_MODES
from metacore.strict import ONE_LINE, Line, Name
from metacore.trial import photo
from metacore.trial.drawn import check_strokes
from metacore.trial.photo import Photo
from metacore.trial.picture import Picture
from metacore.trial.task import (
    MOST_QUERIES,
    MOST_SHOTS,
    MOST_STEPS,
    MOST_WAYS,
    Example,
    Settings,
    Trial,
)

FORMAT, VERSION = "metacore trial", 1
LARGEST = 16_000_000  # bytes
MOST_RUNS = 20
_Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME, pattern=ONE_LINE)]


class _Example(Struct, forbid_unknown_fields=True):
    """Strokes, or a name and pixels or a photograph; `check_strokes` says what points may be."""

    strokes: list[list[tuple[float, float]]] | None = None
    name: _Name | None = None
    pixels: Annotated[bytes, Meta(max_length=SIDE * SIDE)] | None = None  # base64
    photograph: Annotated[bytes, Meta(max_length=photo.LARGEST)] | None = None  # base64


class _Query(_Example, forbid_unknown_fields=True):
    label: int | None = None


class _Settings(Struct, forbid_unknown_fields=True):
    runs: Annotated[list[Name], Meta(max_length=MOST_RUNS)]
    steps: Annotated[int, Meta(ge=0, le=MOST_STEPS)] | None
    norm: Line | None


class _Outline(Struct):
    """As much of a file as tells whether it is a trial."""

    format: Any = None
    version: Any = None


class _Document(Struct, forbid_unknown_fields=True):
    format: str
    version: int
    classes: Annotated[list[_Name], Meta(max_length=MOST_WAYS)]
    support: Annotated[
        list[Annotated[list[_Example], Meta(max_length=MOST_SHOTS)]], Meta(max_length=MOST_WAYS)
    ]
    query: Annotated[list[_Query], Meta(max_length=MOST_QUERIES)]
    settings: _Settings


def to_json(trial: Trial) -> bytes:
    settings = trial.settings
    queries = zip(trial.query, trial.labels, strict=True)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "classes": trial.classes,
        "support": [[_written(example) for example in shots] for shots in trial.support],
        "query": [{**_written(example), "label": label} for example, label in queries],
        "settings": {"runs": settings.runs, "steps": settings.steps, "norm": settings.norm},
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    data = text.encode()
    if len(data) > LARGEST:
        raise UserError(f"This trial is too large to keep: {LARGEST // 1_000_000} MB is the limit.")
    return data


def from_json(data: bytes) -> Trial:
    """The trial in a file; a UserError says what is wrong with it."""
    document = _read(data)
    try:
        return _trial(document)
    except UserError as error:
        raise UserError(f"This file's trial cannot be used: {error}") from None


def _written(example: Example) -> dict[str, Any]:
    if isinstance(example, Picture):
        return {"name": example.name, "pixels": base64.b64encode(example.pixels).decode()}
    if isinstance(example, Photo):
        return {"name": example.name, "photograph": base64.b64encode(example.file).decode()}
    return {"strokes": example}


def _read(data: bytes) -> _Document:
    """The file against its schema, once it has said that it is a trial and of which version."""
    outline = strict.read(data, _Outline, "This file", largest=LARGEST)
    if outline.format != FORMAT:
        raise UserError("This file is not a trial.")
    if outline.version != VERSION:
        raise UserError("This trial is of a version that this Metacore does not know.")
    return strict.read(data, _Document, "This file's trial", largest=LARGEST)


def _trial(found: _Document) -> Trial:
    settings = found.settings
    if settings.norm not in (None, *NORM_MODES):
        raise UserError(f"norm must be one of {', '.join(NORM_MODES)}.")
    return Trial(
        classes=tuple(found.classes),
        support=tuple(tuple(_example(one) for one in shots) for shots in found.support),
        query=tuple(_example(one) for one in found.query),
        labels=tuple(one.label for one in found.query),
        settings=Settings(runs=tuple(settings.runs), steps=settings.steps, norm=settings.norm),
    )


def _example(found: _Example) -> Example:
    match found:
        case _Example(strokes=list(strokes), name=None, pixels=None, photograph=None):
            return check_strokes(strokes)
        case _Example(strokes=None, name=str(name), pixels=bytes(pixels), photograph=None):
            return Picture(name, pixels)
        case _Example(strokes=None, name=str(name), pixels=None, photograph=bytes(file)):
            return Photo.kept(name, file)
    raise UserError("an example is strokes, or a name with pixels or with a photograph.")
