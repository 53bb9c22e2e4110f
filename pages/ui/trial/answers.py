"""What the runs answer, as cards; the film of how they came to it, when it is asked for."""

from collections.abc import Sequence

import streamlit as st

from metacore import Run
from metacore.trial.task import Trial
from pages.ui import answers as cards
from pages.ui import charts, palette, state, words
from pages.ui.answers import Card
from pages.ui.trial import film, space
from pages.ui.trial.machine import Actor, actors


def show(chosen: Sequence[Run], trial: Trial, *, key: str, query: int = 0) -> None:
    """Cards as soon as every class has a picture."""
    wanted = [name for name, shots in zip(trial.classes, trial.support, strict=True) if not shots]
    if wanted:
        st.info(_wanted(wanted), icon=":material/draw:")
        return
    found = actors(chosen, trial, key=key)
    theme = charts.theme()
    kinds = [(name, palette.of_class(number, theme)) for number, name in enumerate(trial.classes)]
    cards.answers([_card(actor, query) for actor in found], kinds, key=f"{key} cards")
    if trial.query and found and _film_wanted(key):
        film.show(found, kinds, query)
        space.show(found, trial, kinds)


def _wanted(names: Sequence[str]) -> str:
    plain = [words.plain(name) for name in names]
    which = plain[0] if len(plain) == 1 else f"{', '.join(plain[:-1])} and {plain[-1]}"
    return f"Still to come: an example of {which}. Then every network answers at once."


def _card(actor: Actor, query: int) -> Card:
    answer = actor.answer
    distances = None if answer is None else answer.distances
    return Card(
        run=actor.run.id,
        name=actor.name,
        color=actor.color,
        steps=list(actor.said.steps),
        support_loss=actor.said.support_loss.tolist(),
        probabilities=[] if answer is None else answer.probabilities[:, query].tolist(),
        distances=[] if distances is None else distances[query].tolist(),
        note=_note(actor),
    )


def _note(actor: Actor) -> str:
    norm = actor.said.norm if actor.answer is None else actor.answer.norm
    told = [] if norm == "none" else [f"normalisation: {words.mode(norm)}"]
    if actor.answer is not None and actor.answer.distances is not None:
        told.insert(0, f"right: {actor.answer.measure} to the prototype")
    return " · ".join(told)


def _film_wanted(key: str) -> bool:
    return state.toggle(
        st,
        "Step through the adaptation, and see the prototypes",
        f"{key}_steps",
        help="What every run answers after each inner step, as a film you can stop at any step,"
        " and where your drawings lie in its space.",
    )
