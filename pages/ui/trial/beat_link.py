"""The contest in the address: a link names the puzzles, and a reload loses no answer."""

from urllib.parse import urlencode

import streamlit as st

from metacore import UserError
from metacore.insight import contest_replies
from metacore.insight.contest import Contest
from metacore.insight.contest_replies import Reply
from pages.ui import state
from pages.ui.trial.opened import BEAT, WAY

NUMBER, LEVEL, DATASET, SHOTS = "contest", "level", "characters", "drawings"
ANSWERS, RUNS = "answers", "rivals"
NONE_YET = "-"


def asked() -> Contest | None:
    """The contest that the address names, begun or not; None where it names none that there is."""
    number, shots = state.first(NUMBER), state.first(SHOTS) or "1"
    if not all(word.isascii() and word.isdigit() and len(word) < 12 for word in (number, shots)):
        return None
    try:
        return Contest(
            dataset=state.first(DATASET),
            level=state.first(LEVEL),
            shots=int(shots),
            seed=int(number),
        )
    except UserError:
        return None


def begun() -> bool:
    return bool(state.get(ANSWERS))


def replies(of: Contest) -> list[Reply]:
    """What the person has answered so far."""
    return contest_replies.read(state.first(ANSWERS), of.difficulty.ways)


def begin(wanted: Contest) -> None:
    """Writes the contest into the address, with no answer yet."""
    for name, word in {**_names(wanted), ANSWERS: NONE_YET}.items():
        state.put(name, word)


def write_replies(given: list[Reply]) -> None:
    state.put(ANSWERS, contest_replies.write(given))


def leave() -> None:
    """Back to the settings, which stay as they are."""
    state.drop(ANSWERS)


def address(of: Contest) -> str:
    """A link to the same puzzles against the same runs, for somebody else to play."""
    others = [(RUNS, run_id) for run_id in state.get(RUNS)]
    query = urlencode([(WAY, BEAT), *_names(of).items(), *others])
    return f"{(st.context.url or '').partition('?')[0]}?{query}"


def _names(of: Contest) -> dict[str, str]:
    return {DATASET: of.dataset, LEVEL: of.level, SHOTS: str(of.shots), NUMBER: str(of.seed)}
