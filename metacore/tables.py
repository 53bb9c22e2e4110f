"""Tables that people take away: as CSV which a spreadsheet shows, and never executes.

A cell that begins with = + - @ or a tab is a formula to a spreadsheet, whoever wrote it; names and
tags are written by anybody. Such text gets an apostrophe in front, which spreadsheets read as "this
is text". Numbers stay numbers.
"""

import csv
import io
from collections.abc import Iterable
from typing import Any

_FORMULAS = ("=", "+", "-", "@", "\t", "\n")


def to_csv(header: Iterable[Any], rows: Iterable[Iterable[Any]]) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([harmless(cell) for cell in header])
    table.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode(errors="replace")


def harmless(cell: Any) -> Any:
    """The same cell, unless it is text that a spreadsheet would take for a formula."""
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")  # a lone one is a line's end to some
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULAS) else text
