"""Beat the machine: a person and runs are asked the same few-shot puzzles, round by round.

All there is to remember stands in the address, so a reload goes on where it was, and a link asks
somebody else the same.
"""

import streamlit as st

from metacore import DATASETS, UserError
from metacore.insight.contest import ROUNDS, Contest
from pages.ui import say
from pages.ui.trial import beat_form, beat_link, beat_rivals, beat_round, beat_score


@st.fragment
def part() -> None:
    contest = beat_link.asked()
    if contest is None or not beat_link.begun():
        beat_form.form()
        return
    try:
        _play(contest)
    except UserError as error:
        say.error(f"This contest cannot be played: {error}", icon=":material/rule:")
        st.button(
            "Other settings",
            key="beat leave",
            on_click=beat_link.leave,
            help="Back to the choice of runs, characters and difficulty.",
        )


def _play(contest: Contest) -> None:
    replies = beat_link.replies(contest)
    revealed = beat_round.revealed(contest)
    asking = len(replies) if revealed is None else revealed
    if asking < ROUNDS:
        _head(contest, asking)
    beat_rivals.shown(contest, min(asking, ROUNDS - 1))  # what cannot be drawn is said at once
    rivals = beat_rivals.rivals(contest)
    if revealed is not None:
        beat_round.reveal(contest, revealed, replies[revealed], rivals)
    elif asking < ROUNDS:
        beat_round.ask(contest, asking)
    else:
        beat_score.scoreboard(contest, replies, rivals)


def _head(contest: Contest, number: int) -> None:
    level = contest.difficulty
    words, leave = st.columns([5, 1], vertical_alignment="center")
    words.progress(
        number / ROUNDS,
        f"**Round {number + 1} of {ROUNDS}** · {level.ways}-way {contest.shots}-shot ·"
        f" {DATASETS[contest.dataset].title}: {level.title.lower()} · contest {contest.seed}",
    )
    leave.button(
        "Give up",
        icon=":material/close:",
        key="beat give up",
        type="tertiary",
        on_click=beat_link.leave,
        help="Ends this contest without a score and goes back to the settings.",
    )
