"""What every page shares: the window's title and the navigation."""

from pathlib import Path

import streamlit as st

ICON = Path(__file__).parents[1] / "assets" / "icon.svg"  # named icons would come from the network
PAGES = {
    "Learn": [st.Page("learn/start.py", title="Start", icon=":material/home:", default=True)],
}

st.set_page_config(page_title="Metacore", page_icon=str(ICON), layout="wide")
st.logo(str(ICON), size="large")
st.navigation(PAGES, position="top").run()
