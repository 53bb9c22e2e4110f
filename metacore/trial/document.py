"""A trial as a small JSON file: strokes as they were drawn, pictures as the network sees them.

    {"format": "metacore trial", "version": 1, "classes": ["alef", …],
     "support": [[{"strokes": [[[x, y], …], …]}, {"name": …, "pixels": base64}], …],
     "query": [{…, "label": 0}], "settings": {"runs": […], "steps": null, "norm": null}}

Whoever opens such a file may have got it from anybody: nothing in it is believed.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, NoReturn

from metacore.errors import UserError
from metacore.models.normalisation import NORM_MODES
from metacore.trial.drawn import check_strokes
from metacore.trial.picture import LONGEST_NAME, Picture
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
LARGEST = 8_000_000  # bytes
MOST_RUNS = 20
_LONGEST_ID = 80
_SIZES = {"classes": MOST_WAYS, "support": MOST_WAYS, "query": MOST_QUERIES}
_FIELDS = ("format", "version", "classes", "support", "query", "settings")


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
    document = _parsed(data)
    try:
        return _trial(document)
    except UserError as error:
        raise UserError(f"This file's trial cannot be used: {error}") from None


def _written(example: Example) -> dict[str, Any]:
    if isinstance(example, Picture):
        return {"name": example.name, "pixels": base64.b64encode(example.pixels).decode()}
    return {"strokes": example}


def _parsed(data: bytes) -> Mapping[str, Any]:
    if len(data) > LARGEST:
        raise UserError(f"This file is larger than any trial ({LARGEST // 1_000_000} MB).")
    try:
        document = json.loads(data.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise UserError("This file is not a trial: it is not JSON.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise UserError("This file is not a trial.")
    if document.get("version") != VERSION:
        raise UserError("This trial is of a version that this Metacore does not know.")
    return document


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")


def _trial(document: Mapping[str, Any]) -> Trial:
    _only(document, _FIELDS, "the file")
    classes, support, query = (_list(document, name) for name in ("classes", "support", "query"))
    shots = [_some(examples, "a class's examples") for examples in support]
    return Trial(
        classes=tuple(_text(name, "a class's name") for name in classes),
        support=tuple(tuple(_example(e) for e in examples) for examples in shots),
        query=tuple(_example(_record(e, "a query"), "label") for e in query),
        labels=tuple(_whole(e.get("label"), "a query's label") for e in query),
        settings=_settings(_record(document.get("settings"), "settings")),
    )


def _example(value: object, *besides: str) -> Example:
    example = _record(value, "an example")
    if "strokes" in example:
        _only(example, ("strokes", *besides), "a drawing")
        return check_strokes(example["strokes"])
    _only(example, ("name", "pixels", *besides), "a picture")
    name = _text(example.get("name"), "a picture's name")
    return Picture(name, _bytes(_text(example.get("pixels"), "a picture's pixels", longest=2000)))


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise UserError("a picture's pixels must be base64.") from None


def _settings(found: Mapping[str, Any]) -> Settings:
    _only(found, ("runs", "steps", "norm"), "settings")
    runs = _list(found, "runs", MOST_RUNS)
    steps, norm = _whole(found.get("steps"), "steps"), found.get("norm")
    if steps is not None and not 0 <= steps <= MOST_STEPS:
        raise UserError(f"steps must be between 0 and {MOST_STEPS}.")
    if norm not in (None, *NORM_MODES):
        raise UserError(f"norm must be one of {', '.join(NORM_MODES)}.")
    names = tuple(_text(run, "a run's id", longest=_LONGEST_ID) for run in runs)
    return Settings(runs=names, steps=steps, norm=norm)


def _list(record: Mapping[str, Any], name: str, most: int | None = None) -> list[Any]:
    return _some(record.get(name), name, most or _SIZES[name])


def _some(value: object, what: str, most: int = MOST_SHOTS) -> list[Any]:
    if not isinstance(value, list):
        raise UserError(f"{what} must be a list.")
    if len(value) > most:
        raise UserError(f"{what} may have at most {most} entries, not {len(value)}.")
    return value


def _record(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise UserError(f"{what} must be a JSON object.")
    return value


def _only(record: Mapping[str, Any], known: tuple[str, ...], what: str) -> None:
    strange = next((name for name in record if name not in known), None)
    if strange is not None:
        raise UserError(f"{what} has a field {strange[:LONGEST_NAME]!r} that no trial has.")


def _text(value: object, what: str, longest: int = LONGEST_NAME) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= longest or not value.isprintable():
        raise UserError(f"{what} must be 1 to {longest} printable characters.")
    return value


def _whole(value: object, what: str) -> int | None:
    if value is not None and type(value) is not int:
        raise UserError(f"{what} must be a whole number or null.")
    return value
