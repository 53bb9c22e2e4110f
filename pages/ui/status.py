"""How a run's status looks, wherever it stands: an icon and a colour beside the word."""

from typing import Literal

import streamlit as st

Shade = Literal["gray", "blue", "green", "orange", "red", "violet"]

ICON = {
    "queued": ":material/hourglass_empty:",
    "running": ":material/model_training:",
    "finished": ":material/check_circle:",
    "cancelled": ":material/cancel:",
    "failed": ":material/error:",
    "interrupted": ":material/power_off:",
}
SHADE: dict[str, Shade] = {
    "queued": "gray",
    "running": "blue",
    "finished": "green",
    "cancelled": "orange",
    "failed": "red",
    "interrupted": "violet",
}


def badge(status: str, words: str | None = None) -> None:
    """`words` where they say more than the status."""
    st.badge(words or status, icon=ICON[status], color=SHADE[status])
