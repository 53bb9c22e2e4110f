"""Reads JSON that anybody may have written, against a schema of typed msgspec Structs.

What is wrong is refused in a sentence that names the place. JSON knows no NaN, no Infinity and no
half characters; the types here also keep numbers and texts within what databases, pages and
calendars can hold. A schema has no place for what is nested deeper than itself.
"""

import re
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from metacore.errors import UserError

LARGEST_JSON = 1_000_000  # bytes
LARGEST_COUNT = 2**53 - 1  # what all JSON readers and databases agree on
LARGEST_NUMBER = 3.5e38  # what a 32-bit float holds
LONGEST_NAME = 80
LONGEST_TEXT = 10_000

Count = Annotated[int, Meta(ge=0, le=LARGEST_COUNT)]
Number = Annotated[float, Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
Amount = Annotated[float, Meta(ge=0, le=LARGEST_NUMBER)]
Share = Annotated[float, Meta(ge=0, le=1)]
Moment = Annotated[float, Meta(ge=0, lt=253_402_300_800)]  # seconds since 1970, before year 10000
Duration = Annotated[float, Meta(ge=0, le=1e10)]  # seconds: three centuries
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
# One line, without what is not seen, moves a cursor or turns the direction of writing round.
ONE_LINE = r"\A[^\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]*\Z"
Line = Annotated[str, Meta(max_length=LONGEST_NAME, pattern=ONE_LINE)]
Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME, pattern=ONE_LINE)]
Scalar = (
    Annotated[str, Meta(max_length=500)]
    | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
    | Number
    | bool
    | None
)
Scalars = Annotated[dict[Line, Scalar], Meta(max_length=100)]

_WORDS = {
    "`array`": "a list",
    "`object`": "a JSON object",
    "`str`": "text",
    "`int`": "a whole number",
    "`float`": "a number",
    "`bool`": "yes or no",
    "`null`": "nothing",
}
T = TypeVar("T")


def read(data: bytes, kind: type[T], what: str, *, largest: int = LARGEST_JSON) -> T:
    """The document in these bytes; `what` is what a refusal calls it."""
    if len(data) > largest:
        raise UserError(f"{what} is larger than it may be ({largest / 1e6:g} MB).")
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise UserError(f"{what} {_complaint(str(error))}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise UserError(
            f"{what} is not JSON (in which there is no NaN, no Infinity and no half character)."
        ) from None


def checked(found: object, kind: type[T], what: str) -> T:
    """The same of what is plain values already; `read` is safer, for it refuses before it makes."""
    try:
        return msgspec.convert(found, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise UserError(f"{what} {_complaint(str(error))}") from None


def _complaint(message: str) -> str:
    """msgspec's `Expected this, got that - at $.place`, as the rest of a sentence about a file."""
    said, _, place = message.partition(" - at ")
    if field := re.match(r"Object contains unknown field `(.*)`", said, re.DOTALL):
        return f"has a field {field[1][:LONGEST_NAME]!r} that does not belong there."
    if field := re.match(r"Object missing required field `(.*)`", said):
        return f"is incomplete: {field[1]} is missing{_within(place)}."
    if not place and "`object`" in said:
        return "is not a JSON object."
    return f"has no valid {_field(place)} ({_plain(said)})."


def _within(place: str) -> str:
    return f" in {_field(place)}" if place else ""


def _field(place: str) -> str:
    """`$.settings.runs[0]` without its signs; of a key, the object it stands in."""
    return place.rpartition("in ")[2].strip("`").removeprefix("$").removeprefix(".") or "content"


def _plain(said: str) -> str:
    """Without the names of types, and without what a stranger wrote at length."""
    if "matching regex" in said:
        said = "Expected one line of text"
    if said.startswith("Invalid enum value"):
        said = "Unknown word"
    for word, plain in _WORDS.items():
        said = said.replace(word, plain)
    said = re.sub(r"`([^`]*)`", lambda found: _either(found[1]), said)
    return said[:1].lower() + said[1:200]


def _either(kinds: str) -> str:
    return " or ".join(_WORDS.get(f"`{kind}`", kind) for kind in kinds.split(" | "))
