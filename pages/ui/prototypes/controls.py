"""The controls of the page of prototypes: which run, which episode, and how it is shown."""

import streamlit as st

from metacore import Run
from metacore.answers import EpisodeSpec
from metacore.answers.questions import Room
from pages.ui import episode, pick, waiting, widgets
from pages.ui.prototypes import selection, support_editor
from pages.ui.prototypes.choice import (
    EPISODE,
    SHOTS,
    PictureSettings,
    PrototypesChoice,
    drawn,
    first,
    laddered,
    measured,
)

SHARED, OWN = "shared", "own"
DISTANCES = {"Euclidean": "euclidean", "cosine": "cosine"}


def choose(run: Run, seed: int) -> PrototypesChoice | None:
    """What the controls say; None while the data are being loaded."""
    spec = drawn_episode(run, seed)
    if spec is None:
        return None
    view = how(run, spec)
    changed = support_editor.asked_for(spec)
    return PrototypesChoice(run, spec, view, support_editor.usable(changed, spec, view.shots))


def offered() -> list[Run]:
    """Runs on pictures; the one to begin with stands first."""
    found = pick.usable(lambda run: not pick.regression(run))
    begin = first(found) if found else None
    return sorted(found, key=lambda run: run != begin)


def which(found: list[Run]) -> tuple[Run, int]:
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row.container():
        run = pick.one(found, help="Whose space is shown; runs on curves have none.")
    about = (
        "Its classes are those of this number on Adapt; the queries are others, kept apart from"
        " all the shots there are to go through."
    )
    return run, episode.number(row, usual=EPISODE, about=about, changed=forget)


def forget() -> None:
    """Another episode has other drawings: neither edits nor choices make sense in it."""
    support_editor.forget()
    selection.forget()


def drawn_episode(run: Run, seed: int) -> EpisodeSpec | None:
    """The episode with the most shots to go through, once it is known how many drawings there are;
    raises UserError if its data are missing."""
    room = Room(spec=drawn(run, seed))
    found = waiting.one(room)
    if not found.complete:
        waiting.bar([room], "Loading the pictures", key="room")
        return None
    return laddered(run, seed, found.get().drawings)


def how(run: Run, spec: EpisodeSpec) -> PictureSettings:
    """In a row that wraps where the window is narrow."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    with row.container():
        shots = slider(spec.most)
    with row:
        picture = switch(
            "View",
            ["2-D", "3-D"],
            key="view",
            help="A plane is read best; a third direction shows some of what the plane hides.",
        )
        shown = switch(
            "Shown as",
            {"marks": "marks", "drawings": "pictures"},
            key="show",
            disabled=picture == "3-D",
            help="Marks, or the pictures themselves where the network puts them (in 2-D).",
        )
        distance, shared = measure(run), plane(run)
    return PictureSettings(shots, int(picture[0]), shown == "drawings", distance, shared)


def slider(most: int) -> int:
    if most == 1:
        st.caption("The classes have pictures enough for one shot only.")
        return 1
    return widgets.slider(
        st,
        "Shots",
        "shots",
        usual=SHOTS,
        low=1,
        high=most,
        help="How many pictures of each class are given; the queries stay the same.",
    )


def measure(run: Run) -> str | None:
    """Of a method that can go by several."""
    trained = measured(run)
    if trained is None:
        return None
    usual = next(name for name, value in DISTANCES.items() if value == trained)
    chosen = switch(
        "Distance",
        [usual, *(name for name in DISTANCES if name != usual)],
        key="distance",
        help=f"The run was trained with {usual} distance; the other measures the same places.",
    )
    return DISTANCES[chosen]


def plane(run: Run) -> bool:
    """Whether before and after share a plane; methods without steps have no before."""
    if not run.config.algorithm_class.in_steps:
        return False
    chosen = switch(
        "Plane",
        [SHARED, OWN],
        key="plane",
        help="One plane for before and after shows what moved; one for each shows each at its"
        " clearest.",
    )
    return chosen == SHARED


def switch(
    label: str, options: widgets.Options, *, key: str, help: str, disabled: bool = False
) -> str:
    return widgets.switch(st, label, key, options, disabled=disabled, help=help)
