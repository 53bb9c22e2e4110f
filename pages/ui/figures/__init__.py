"""Figures: pure functions from results to plotly figures. Nothing here knows of Streamlit."""
