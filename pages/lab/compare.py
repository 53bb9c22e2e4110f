"""Runs meet: on one episode to watch, and on many to decide."""

import streamlit as st

from metacore.answers.questions import Drawn
from pages.ui import say, waiting
from pages.ui.compare.choice import CompareChoice, choose
from pages.ui.compare.curves import curves
from pages.ui.compare.duel import duel
from pages.ui.compare.evaluation import linked
from pages.ui.compare.mistakes import mistakes
from pages.ui.compare.verdict import verdict


def page() -> None:
    st.title("Compare", anchor=False)
    st.markdown(
        "Let runs meet on **the same tasks**: watch one task together, then decide over hundreds."
    )
    asked = linked("comparison")
    choice = choose(asked)
    if choice is None or not possible(choice):
        return
    few = choice.watched()
    st.header("Duel on one episode", anchor=False)
    if len(few.runs) < len(choice.runs):
        st.caption(f"{len(few.runs)} of the {len(choice.runs)} runs, of different methods first.")
    duel(few)
    st.header("Verdict over hundreds", anchor=False)
    answered = verdict(choice, asked)
    st.header("What it depends on", anchor=False)
    curves(few, answered, {kind: linked(f"by_{kind}") for kind in ("shots", "ways")})
    st.header("What is taken for what", anchor=False)
    if choice.regression:
        st.caption("Curves have no classes to be confused: pick runs on pictures to see a matrix.")
    else:
        mistakes(few)


def possible(choice: CompareChoice) -> bool:
    """Whether such a task can be drawn; if not, why."""
    found = waiting.one(Drawn(spec=choice.spec(0)))
    if found.error:
        say.error(found.error, icon=":material/info:")
    return found.error is None


page()
