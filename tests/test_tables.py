import csv
import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metacore.runs.results import episodes_csv
from metacore.tables import to_csv
from pages.ui.compare.downloads import as_csv


def cells(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =cmd|' /C calc'!A0", '=a,"b"']
)
def test_no_text_is_a_formula(name: str) -> None:
    assert cells(to_csv([name], [[name]])) == [[f"'{name}"], [f"'{name}"]]


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_line_in_a_cell_begins_no_row(end: str) -> None:
    assert cells(to_csv(["a"], [[f"x{end}=1"], [f"{end}=1"]])) == [["a"], ["x\n=1"], ["'\n=1"]]


def test_what_pages_and_comparisons_give_away_is_harmless() -> None:
    rows = [{"value": -1.0, "name": "=1"} for _ in range(2)]
    assert as_csv(rows) == b"value,name\n-1.0,'=1\n-1.0,'=1\n"
    found = {"rows": [{"name": "@SUM(A1)", "values": [0.5]}]}
    assert episodes_csv(found) == b"episode,'@SUM(A1)\n0,0.5\n"


def test_numbers_stay_numbers() -> None:
    assert to_csv(["a", "b", "c"], [[-1.5, 2, None]]) == b"a,b,c\n-1.5,2,\n"


@settings(deadline=None)
@given(st.lists(st.text(min_size=1) | st.floats() | st.integers(), min_size=1))
def test_every_cell_is_harmless_and_comes_back(row: list[Any]) -> None:
    (found,) = cells(to_csv(row, []))
    for cell, written in zip(row, found, strict=True):
        if isinstance(cell, str):
            assert written.lstrip(" ")[:1] not in ("=", "+", "-", "@", "\t", "\r", "\n")
            same = cell.replace("\r\n", "\n").replace("\r", "\n")
            assert written in (same, f"'{same}")
