"""The inner loop: what a support set does to a network, step by step."""

import streamlit as st

from pages.ui import waiting
from pages.ui.adapt import effect, showings, summary
from pages.ui.adapt.choice import choose
from pages.ui.adapt.film import film_of
from pages.ui.adapt.scene import AdaptScene, stage
from pages.ui.player import play


def show(scene: AdaptScene) -> None:
    if not scene.waits:
        scene.choice.words_place.markdown(summary.sentence(scene))
    play(film_of(scene), key="film")
    if not scene.quiet:
        behind(scene)
    st.caption(summary.notes(scene))
    showings.cards(scene)
    effect.cards(scene)


def behind(scene: AdaptScene) -> None:
    """A hundred other episodes take seconds: the film is there before them."""
    background = [adapted.background_question for adapted in scene.runs]
    waiting.bar(background, "Adapting to other episodes", key="others", partial=True)


st.title("Adapt", anchor=False)
choice = choose()
scene = stage(choice) if choice else None
if scene:
    show(scene)
