"""Components of our own: a folder with a script and a style, and data that is ready for JSON."""

import hashlib
import json
import math
from pathlib import Path
from typing import Any

import streamlit as st


def component(init: str, html: str = "") -> Any:
    """That of the package whose `__file__` this is: its script and style are named like it."""
    folder = Path(init).parent
    script, style = (folder / f"{folder.name}.{kind}" for kind in ("js", "css"))
    return st.components.v2.component(
        f"metacore_{folder.name}",
        html=html or f'<div class="{folder.name}"></div>',
        css=style.read_text() if style.exists() else None,
        js=script.read_text(),
    )


def with_id(data: dict[str, Any]) -> dict[str, Any]:
    """The same data always has the same `id`: then nothing changes on the screen."""
    return {**data, "id": hashlib.blake2b(json.dumps(data).encode(), digest_size=8).hexdigest()}


def rounded(value: Any) -> Any:
    """JSON-ready, with numbers no longer than a screen can show."""
    if isinstance(value, dict):
        return {name: rounded(inner) for name, inner in value.items()}
    if isinstance(value, str | int | bool) or value is None:
        return value
    if hasattr(value, "tolist"):
        return rounded(value.tolist())
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return [rounded(inner) for inner in value]
