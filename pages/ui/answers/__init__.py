"""What every run answers to one query: a card per run, its bars moving as the pen does.

A component of our own, so that a new answer changes the cards in place. Nothing comes back.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import streamlit as st

HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "metacore_answers",
    html='<div class="answers"></div>',
    css=(HERE / "answers.css").read_text(),
    js=(HERE / "answers.js").read_text(),
)


@dataclass(frozen=True, kw_only=True)
class Card:
    """One run: [S+1] is after every inner step, N are the classes."""

    run: str  # its id
    name: str
    color: str
    steps: Sequence[int] = ()  # after which inner steps [S+1]
    support_loss: Sequence[float] = ()  # [S+1]
    probabilities: Sequence[Sequence[float]] = ()  # [S+1][N]; none while there is no query
    distances: Sequence[float] = ()  # [N], of methods that measure them
    note: str = ""


def answers(cards: Sequence[Card], classes: Sequence[tuple[str, str]], *, key: str) -> None:
    """`classes` are names and colours."""
    data: dict[str, Any] = {
        "cards": [_rounded(asdict(card)) for card in cards],
        "classes": [{"name": name, "color": color} for name, color in classes],
    }
    data["id"] = hashlib.blake2b(json.dumps(data).encode(), digest_size=8).hexdigest()
    _mount(data=data, key=key)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(inner) for name, inner in value.items()}
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return value if isinstance(value, str | int) else [_rounded(inner) for inner in value]
