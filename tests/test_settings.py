"""Settings: one line per field gives validation, record and flags."""

from dataclasses import dataclass

import pytest

from metacore.errors import UserError
from metacore.settings import Config, setting, settings_of


@dataclass(frozen=True, kw_only=True)
class Oven(Config):
    shelves: int = setting(2, "How many trays fit.", low=1, high=5, step=1)
    heat: float = setting(180.0, "Degrees.", low=0, label="Temperature")
    fan: bool = setting(True, "Whether air moves.")
    mode: str = setting("bake", "What it does.", choices=("bake", "grill"))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"shelves": 0}, "shelves must be between 1 and 5, not 0."),
        ({"shelves": 6}, "shelves must be between 1 and 5, not 6."),
        ({"shelves": 2.0}, "shelves must be a whole number, not 2.0."),
        ({"shelves": True}, "shelves must be a whole number, not True."),
        ({"heat": -1}, "heat must be at least 0, not -1."),
        ({"heat": float("nan")}, "heat must be a finite number, not nan."),
        ({"heat": float("inf")}, "heat must be a finite number, not inf."),
        ({"heat": "hot"}, "heat must be a number, not 'hot'."),
        ({"fan": 1}, "fan must be yes or no, not 1."),
        ({"mode": "fry"}, "mode must be one of bake, grill, not 'fry'."),
        ({"mode": None}, "mode must be a word, not None."),
    ],
)
def test_a_bad_value_is_refused_in_a_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(UserError) as refusal:
        Oven(**values)
    assert str(refusal.value) == sentence


def test_bounds_are_inclusive() -> None:
    assert (Oven(shelves=1).shelves, Oven(shelves=5).shelves, Oven(heat=0).heat) == (1, 5, 0.0)


def test_a_whole_number_is_a_number() -> None:
    assert type(Oven(heat=200).heat) is float


def test_what_a_form_needs_is_there() -> None:
    shelves, heat, fan, mode = settings_of(Oven)
    assert (shelves.label, shelves.type, shelves.default, shelves.step) == ("Shelves", int, 2, 1)
    assert (heat.label, heat.type, heat.low, heat.high) == ("Temperature", float, 0, None)
    assert (fan.type, fan.help) == (bool, "Whether air moves.")
    assert mode.choices == ("bake", "grill")


def test_a_config_survives_its_own_dict() -> None:
    oven = Oven(shelves=3, mode="grill")
    assert Oven.from_dict(oven.to_dict()) == oven


def test_an_unknown_setting_is_named() -> None:
    with pytest.raises(UserError, match="light: no such setting of Oven"):
        Oven.from_dict({"shelves": 2, "light": True})
