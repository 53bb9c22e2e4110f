"""The contest in the address: a link names the puzzles, and a reload loses no answer."""

from urllib.parse import urlencode

import streamlit as st

from metacore import UserError
from metacore.insight import contest
from metacore.insight.contest import Contest, Reply

NUMBER, LEVEL, DATASET, SHOTS = "contest", "level", "characters", "drawings"
ANSWERS, RUNS = "answers", "rivals"
NONE_YET = "-"


def asked() -> Contest | None:
    """The contest that the address names, begun or not; None where it names none that there is."""
    number, shots = (st.query_params.get(key, usual) for key, usual in ((NUMBER, ""), (SHOTS, "1")))
    if not all(word.isascii() and word.isdigit() and len(word) < 12 for word in (number, shots)):
        return None
    dataset, level = (st.query_params.get(key, "") for key in (DATASET, LEVEL))
    try:
        return Contest(dataset=dataset, level=level, shots=int(shots), seed=int(number))
    except UserError:
        return None


def begun() -> bool:
    return ANSWERS in st.query_params


def replies(of: Contest) -> list[Reply]:
    """What the person has answered so far."""
    return contest.read(st.query_params.get(ANSWERS, ""), of.difficulty.ways)


def begin(wanted: Contest) -> None:
    """Writes the contest into the address, with no answer yet."""
    st.query_params.update({**_names(wanted), ANSWERS: NONE_YET})


def keep(given: list[Reply]) -> None:
    st.query_params[ANSWERS] = contest.write(given)


def leave() -> None:
    """Back to the settings, which stay as they are."""
    st.query_params.pop(ANSWERS, None)


def address(of: Contest) -> str:
    """A link to the same puzzles against the same runs, for somebody else to play."""
    others = [(RUNS, run_id) for run_id in st.query_params.get_all(RUNS)]
    mine = {NUMBER, LEVEL, DATASET, SHOTS, ANSWERS, RUNS}
    page = [
        (key, value)
        for key in st.query_params
        if key not in mine
        for value in st.query_params.get_all(key)
    ]
    return f"{st.context.url or ''}?{urlencode([*page, *_names(of).items(), *others])}"


def _names(of: Contest) -> dict[str, str]:
    return {DATASET: of.dataset, LEVEL: of.level, SHOTS: str(of.shots), NUMBER: str(of.seed)}
