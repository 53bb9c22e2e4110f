"""“Copy link”: the address of exactly this view, film step and all, made in the browser."""

from pathlib import Path

import streamlit as st

from pages.ui import state

HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "metacore_link",
    html='<div class="link"></div>',
    css=(HERE / "link.css").read_text(),
    js=(HERE / "link.js").read_text(),
)


def button() -> None:
    """Knows the whole view: it is filled in after the page has been drawn."""
    _mount(data={"exact": state.exact()}, key="copy link")
