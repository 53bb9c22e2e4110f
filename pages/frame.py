"""What every page shares: the window's title, the sidebar with its links and “Copy link”."""

from pathlib import Path

import streamlit as st

from pages.ui import jobs, link, navigation, slides, state

ICON = Path(__file__).parents[1] / "assets" / "icon.svg"  # named icons would come from the network
PAGES = {
    "Learn": [st.Page("learn/start.py", title="Start", icon=":material/home:", default=True)],
    "Lab": [st.Page(at, title=title, icon=icon) for title, (at, icon) in navigation.LAB.items()],
}

st.set_page_config(page_title="Metacore", page_icon=str(ICON), layout="wide")
st.logo(str(ICON), size="large")
st.html(Path(__file__).with_name("frame.css"))
page = st.navigation(PAGES, position="hidden")
with state.of(page.title):
    navigation.links(PAGES, page)
    corner = st.sidebar.container()
    jobs.sidebar()
    page.run()
    with corner:
        link.button()
    slides.from_charts()
