"""The links to all pages, in the sidebar: each page is found again as it was left."""

from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.navigation.page import Page

from pages.ui import jobs, state

MOST = 8  # trainings in one view
LAB = {
    "Train": ("lab/train.py", ":material/model_training:"),
    "Adapt": ("lab/adapt.py", ":material/trending_down:"),
    "Prototypes": ("lab/prototypes.py", ":material/scatter_plot:"),
    "Compare": ("lab/compare.py", ":material/balance:"),
    "Trial": ("lab/trial.py", ":material/draw:"),
    "Runs": ("lab/runs.py", ":material/folder_open:"),
}


def links(pages: Mapping[str, Sequence[Page]], here: Page) -> None:
    """The page that is shown leads to itself as it is at first."""
    with st.sidebar.container(key="pages", gap="xxsmall"):
        for section, members in pages.items():
            st.caption(section)
            for page in members:
                query = {} if page == here else _query(page.title)
                st.page_link(page, query_params=query)


def _query(title: str) -> dict[str, list[str]]:
    """Train leads to what is being trained, where nothing else was left there."""
    left = state.remembered(title)
    if title == "Train" and not left:
        return {"run": live} if (live := jobs.training_now()[:MOST]) else {}
    return left
