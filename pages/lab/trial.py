"""Few-shot tasks of one's own: drawn, uploaded, or solved against the machine."""

import streamlit as st

from pages.ui import widgets
from pages.ui.trial import beat, draw, opened, photos, upload

PARTS = {
    opened.DRAW: draw.part,
    opened.PHOTOGRAPHS: photos.part,
    opened.UPLOAD: upload.part,
    opened.BEAT: beat.part,
}

st.title("Trial", anchor=False)
opened.from_link()
way = widgets.switch(
    st,
    "Way",
    opened.WAY,
    [*PARTS],
    label_visibility="collapsed",
    help="Draw a task of your own, show it photographs, upload pictures of drawings, or solve the"
    " machine's puzzles yourself.",
)
PARTS[way]()
