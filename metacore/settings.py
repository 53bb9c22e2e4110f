"""Configs are frozen dataclasses whose fields explain themselves.

`setting(...)` gives a field its default, help sentence and bounds. Validation, the command line's
flags, the dashboard's forms and the record of a run are all generated from that one line.
"""

import dataclasses
import math
import types
import typing
from dataclasses import dataclass, field
from typing import Any, Self

from metacore.errors import UserError

LARGEST = 2**63 - 1  # what databases hold


def setting(
    default: Any,
    help: str,
    *,
    label: str | None = None,
    low: float | None = None,
    high: float | None = None,
    step: float | None = None,
    choices: tuple[str, ...] | None = None,
    path: bool = False,
    run: bool = False,
) -> Any:
    """A config field: `low` and `high` are inclusive, `step` is what a form's arrows add, a
    `path` is a word that names a file or a folder on the computer where it is used, and a `run`
    one that names a run there."""
    metadata = {"help": help, "label": label, "low": low, "high": high, "step": step}
    return field(
        default=default, metadata={**metadata, "choices": choices, "path": path, "run": run}
    )


@dataclass(frozen=True)
class Setting:
    """What a form or a command line needs to know about one field."""

    name: str
    label: str
    help: str
    type: type
    default: Any
    low: float | None
    high: float | None
    step: float | None
    choices: tuple[str, ...] | None
    path: bool
    run: bool

    def check(self, value: Any) -> None:
        if isinstance(value, int) and abs(value) > LARGEST:
            raise UserError(f"{self.name} is a number with too many digits.")
        if self.type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not self.type:
            wanted = {int: "a whole number", float: "a number", bool: "yes or no", str: "a word"}
            raise UserError(f"{self.name} must be {wanted[self.type]}, not {value!r}.")
        if self.choices and value not in self.choices:
            raise UserError(f"{self.name} must be one of {', '.join(self.choices)}, not {value!r}.")
        if isinstance(value, float) and not math.isfinite(value):
            raise UserError(f"{self.name} must be a finite number, not {value}.")
        if isinstance(value, int | float) and not self._within(value):
            raise UserError(f"{self.name} must be {self._bounds()}, not {value:g}.")

    def _within(self, value: float) -> bool:
        low = -math.inf if self.low is None else self.low
        return low <= value <= (math.inf if self.high is None else self.high)

    def _bounds(self) -> str:
        if self.low is not None and self.high is not None:
            return f"between {self.low:g} and {self.high:g}"
        return f"at least {self.low:g}" if self.low is not None else f"at most {self.high:g}"


def settings_of(config: "type[Config] | Config") -> list[Setting]:
    """The settings of a config class in the order they are declared."""
    hints = typing.get_type_hints(config if isinstance(config, type) else type(config))
    return [
        Setting(
            name=f.name,
            label=f.metadata["label"] or f.name.replace("_", " ").capitalize(),
            help=f.metadata["help"],
            type=_plain(hints[f.name]),
            default=f.default,
            **{key: f.metadata[key] for key in ("low", "high", "step", "choices", "path", "run")},
        )
        for f in dataclasses.fields(config)
        if "help" in f.metadata
    ]


def _plain(hint: Any) -> type:
    """`int | None` is an int to a form."""
    if isinstance(hint, types.UnionType):
        return next(part for part in hint.__args__ if part is not type(None))
    return typing.cast(type, hint)


@dataclass(frozen=True, kw_only=True)
class Config:
    """The base of every config: checked when made, and readable back from its own JSON."""

    def __post_init__(self) -> None:
        for setting_ in settings_of(type(self)):
            value = getattr(self, setting_.name)
            setting_.check(value)
            if setting_.type is float:
                object.__setattr__(self, setting_.name, float(value))

    def to_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        known = {f.name for f in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise UserError(f"{', '.join(unknown)}: no such setting of {cls.__name__}.")
        return cls(**values)
