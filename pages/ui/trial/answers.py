"""What the runs answer, as cards; the film of how they came to it, when it is asked for."""

from collections.abc import Sequence

import streamlit as st

from metacore import Run
from metacore.trial.photo import Photo
from metacore.trial.task import Trial
from pages.ui import answers as cards
from pages.ui import charts, palette, widgets, words
from pages.ui.answers import Card
from pages.ui.trial import film, space
from pages.ui.trial.on_trial import RunOnTrial, runs_on_trial


def show(chosen: Sequence[Run], trial: Trial, *, key: str, query: int = 0) -> None:
    """Cards as soon as every class has a picture."""
    wanted = [name for name, shots in zip(trial.classes, trial.support, strict=True) if not shots]
    if wanted:
        st.info(_wanted(wanted), icon=":material/draw:")
        return
    found = runs_on_trial(chosen, trial, key=key)
    theme = charts.theme()
    kinds = [(name, palette.of_class(number, theme)) for number, name in enumerate(trial.classes)]
    made = [_card(on_trial, trial, query) for on_trial in found]
    cards.answers(made, kinds, key=f"{key} cards")
    if trial.query and found and _film_wanted(key):
        film.show(found, kinds, query)
        space.show(found, trial, kinds)


def _wanted(names: Sequence[str]) -> str:
    plain = [words.plain(name) for name in names]
    which = plain[0] if len(plain) == 1 else f"{', '.join(plain[:-1])} and {plain[-1]}"
    return f"Still to come: an example of {which}. Then every network answers at once."


def _card(on_trial: RunOnTrial, trial: Trial, query: int) -> Card:
    answer = on_trial.answer
    distances = None if answer is None else answer.distances
    return Card(
        run=on_trial.run.id,
        name=on_trial.name,
        color=on_trial.color,
        steps=list(on_trial.said.steps),
        support_loss=on_trial.said.support_loss.tolist(),
        probabilities=[] if answer is None else answer.probabilities[:, query].tolist(),
        distances=[] if distances is None else distances[query].tolist(),
        note=_note(on_trial),
        reason=_reason(on_trial, trial, query),
    )


def _reason(on_trial: RunOnTrial, trial: Trial, query: int) -> str:
    """The photograph it finds most like the one that is asked about."""
    if on_trial.answer is None:
        return ""
    example = sum(trial.support, ())[on_trial.answer.nearest[query]]
    return example.address if isinstance(example, Photo) else ""


def _note(on_trial: RunOnTrial) -> str:
    norm = on_trial.said.norm if on_trial.answer is None else on_trial.answer.norm
    parts = [] if norm == "none" else [f"normalisation: {words.mode(norm)}"]
    if on_trial.answer is not None and on_trial.answer.distances is not None:
        parts.insert(0, f"right: {on_trial.answer.measure} to the prototype")
    return " · ".join(parts)


def _film_wanted(key: str) -> bool:
    return widgets.toggle(
        st,
        "Step through the adaptation, and see the prototypes",
        f"{key}_steps",
        help="What every run answers after each inner step, as a film you can stop at any step,"
        " and where your examples lie in its space.",
    )
