"""The address of a page, which anybody may write."""

import math
from typing import Literal

import streamlit as st


def bound(key: str) -> Literal["query-params"] | None:
    """Ties a number to the address, unless an endless one is there: Streamlit cannot read it."""
    return "query-params" if all(map(_bounded, st.query_params.get_all(key))) else None


def _bounded(value: str) -> bool:
    try:
        return math.isfinite(float(value))
    except ValueError:
        return True  # a word
