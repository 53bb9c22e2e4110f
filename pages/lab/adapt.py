"""The inner loop: what a support set does to a network, step by step."""

from typing import Any

import streamlit as st

from pages.ui.adapt import effect, told
from pages.ui.adapt.choice import choose
from pages.ui.adapt.film import film
from pages.ui.adapt.scene import Scene, stage
from pages.ui.player import play


def show(scene: Scene) -> None:
    st.markdown(told.sentence(scene))
    play(film(scene), key="film")
    bar = st.empty()
    st.caption(told.notes(scene))
    lower_bar = effect.cards(scene)
    if not scene.choice.choosing:
        look_further(scene, bar, lower_bar)


def look_further(scene: Scene, bar: Any, lower_bar: Any) -> None:
    """A hundred other episodes take seconds: the film is there before them."""
    behind = [actor.others for actor in scene.actors]
    if effect.gather(behind, bar, "Adapting to other episodes, to put this one into a band:"):
        st.rerun()
    if effect.gather(effect.wanted(scene), lower_bar, "Measuring the other modes, episode"):
        st.rerun()


st.title("Adapt", anchor=False)
choice = choose()
scene = stage(choice) if choice else None
if scene:
    show(scene)
