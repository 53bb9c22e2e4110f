"""The reader of strangers' JSON: whatever is in the bytes, a value of the schema or a sentence."""

import json
import math
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metacore import strict
from metacore.errors import UserError
from metacore.runs.schema import Adaptation, ConfigValues, Facts, Info, Score, Tensor

SCHEMAS: list[Any] = [Adaptation, ConfigValues, Facts, Info, Score, Tensor]
FACTS = {"format": 1, "name": "a", "status": "finished", "metric": "mse", "device": "cpu"}
FACTS |= {"created": 1.0}

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=100)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


def numbers(value: object) -> list[float]:
    """All numbers anywhere in it."""
    if isinstance(value, dict):
        return [n for inner in value.values() for n in numbers(inner)]
    if isinstance(value, list | tuple):
        return [n for inner in value for n in numbers(inner)]
    return [value] if isinstance(value, int | float) else []


@settings(deadline=None)
@given(st.sampled_from(SCHEMAS), st.binary() | anything.map(lambda v: json.dumps(v).encode()))
def test_bytes_of_any_kind_are_read_or_refused_in_a_sentence(kind: Any, data: bytes) -> None:
    said = ""
    try:
        strict.read(data, kind, "the file")
    except UserError as error:
        said = str(error)
    assert not said or said.startswith("the file ")
    assert len(said) < 500


@settings(deadline=None)
@given(st.sampled_from(sorted(Facts.__struct_fields__)), scalars | st.lists(scalars))
def test_what_is_read_can_be_kept_and_shown(field: str, value: object) -> None:
    data = json.dumps({**FACTS, field: value}).encode()
    try:
        found = msgspec.to_builtins(strict.read(data, Facts, "run.json"))
    except UserError:
        return
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode()
    assert all(math.isfinite(n) and abs(n) <= strict.LARGEST_NUMBER for n in numbers(found))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"iteration": 2**53}, "has no valid iteration (expected a whole number <= "),
        ({"iteration": "many"}, "has no valid iteration (expected a whole number or nothing, got"),
        ({"tags": ["x", 3]}, "has no valid tags[1] (expected text, got a whole number)."),
        ({"name": "a\nb"}, "has no valid name (expected one line of text)."),
        ({"status": "<b>" * 500}, "has no valid status (unknown word)."),
        ({"x" * 500: 1}, "has a field 'xxxx"),
        ({"environment": {"x": []}}, "has no valid environment[...] ("),
    ],
)
def test_a_refusal_names_the_place(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UserError) as refused:
        strict.read(json.dumps({**FACTS, **fields}).encode(), Facts, "run.json")
    assert sentence in str(refused.value)
    assert len(str(refused.value)) < 200


def test_what_is_missing_is_named() -> None:
    with pytest.raises(UserError, match=r"run\.json is incomplete: name is missing\."):
        strict.read(b'{"format": 1}', Facts, "run.json")


def test_a_text_that_turns_the_line_round_is_no_name() -> None:
    with pytest.raises(UserError, match="no valid name"):
        strict.read(json.dumps({**FACTS, "name": "gnp.\u202efdp"}).encode(), Facts, "run.json")


def test_larger_files_are_not_parsed() -> None:
    with pytest.raises(UserError, match=r"larger than it may be \(1 MB\)"):
        strict.read(b" " * 1_000_001, Facts, "run.json")


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0])
def test_plain_values_are_checked_alike(value: float) -> None:
    info = {"iteration": 1, "seconds": value, "best": None, "stale_validations": 0}
    with pytest.raises(UserError, match="no valid seconds"):
        strict.checked({**info, "validated_at": None}, Info, "the record")
