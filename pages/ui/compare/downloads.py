"""What is seen can be taken away: the same rows as CSV and as JSON."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from metacore.statistics import finite
from metacore.tables import to_csv

Rows = Sequence[Mapping[str, Any]]


def take(name: str, rows: Rows, *, key: str) -> None:
    """Two quiet buttons under a chart."""
    files = {
        f"{name}.csv": ("CSV", as_csv(rows), "These numbers as a table."),
        f"{name}.json": ("JSON", as_json(rows), "These numbers for a program."),
    }
    give(files, key=key)


def give(files: Mapping[str, tuple[str, bytes, str]], *, key: str) -> None:
    """Download buttons in a row: file name -> label, content and help sentence."""
    with st.container(horizontal=True):
        for name, (label, content, help) in files.items():
            st.download_button(
                label,
                content,
                file_name=name,
                icon=":material/download:",
                key=f"{key} {name.rpartition('.')[2]} {label}",
                on_click="ignore",
                type="tertiary",
                help=help,
            )


def as_csv(rows: Rows) -> bytes:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return to_csv(columns, ([row.get(column, "") for column in columns] for row in rows))


def as_json(rows: Rows) -> bytes:
    """JSON knows no infinity: it is null."""
    plain = [{name: finite(value) for name, value in row.items()} for row in rows]
    return json.dumps(plain, indent=2, allow_nan=False).encode()
