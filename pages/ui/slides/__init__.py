"""A chart that is taken away as a picture is a slide: with a title, on the page's ground.

Plotly's own button leaves both out, and they must not stand in the figure: there, the title is the
page's own heading. So they are put in for the moment in which Plotly copies the figure.
"""

import streamlit as st

from pages.ui.component import component

_mount = component(__file__, html="<i></i>")


def from_charts() -> None:
    """Once on every page; nothing is seen of it."""
    with st.container(key="slides"):
        _mount(key="slides from charts")
