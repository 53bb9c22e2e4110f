"""Few-shot tasks of one's own: drawn, uploaded, or solved against the machine."""

import streamlit as st

from pages.ui.trial import beat, draw, opened, upload

BEAT = "Beat the machine"
PARTS = {opened.DRAW: draw.part, opened.UPLOAD: upload.part, BEAT: beat.part}

st.title("Trial", anchor=False)
opened.from_link()
way = st.segmented_control(
    "Way",
    [*PARTS],
    default=opened.DRAW,
    required=True,
    key=opened.WAY,
    bind="query-params",
    label_visibility="collapsed",
    help="Draw a task of your own, upload pictures, or solve the machine's puzzles yourself.",
)
PARTS[way]()
