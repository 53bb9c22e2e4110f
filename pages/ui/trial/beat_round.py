"""One round: the puzzle while it is asked, and everybody's answer once it is revealed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from metacore.datasets.base import Dataset
from metacore.insight.contest import ROUNDS, Contest, Puzzle
from metacore.insight.contest_replies import LearnerAnswer, Reply
from pages.ui import charts, drawings, palette, words
from pages.ui.trial import beat_link, beat_rivals
from pages.ui.trial.beat_lines import ContestLine, lines
from pages.ui.trial.beat_rivals import Rival
from pages.ui.trial.puzzle import Tile, clicked, puzzle

KEY = "beat puzzle"
SHOWN = "beat shown"  # since when a round is shown
REVEALED = "beat revealed"  # the round whose answers are shown


def begin(wanted: Contest) -> None:
    """From the first round on, with a new clock even for a contest that was left."""
    for key in (SHOWN, REVEALED):
        st.session_state.pop(key, None)
    beat_link.begin(wanted)


def ask(of: Contest, number: int) -> None:
    """The puzzle, open; the clock began when it was first shown."""
    about, since = st.session_state.get(SHOWN, (None, 0.0))
    if about != (of, number):
        since = time.monotonic()
        st.session_state[SHOWN] = ((of, number), since)
    seen = beat_rivals.shown(of, number)
    puzzle(
        _query(seen, of.kind),
        [_tile(each, images) for each, images in enumerate(_support(seen, of.kind))],
        number=number,
        seconds=time.monotonic() - since,
        on_answer=_take,
        key=KEY,
        open=True,
        inked=of.kind.inked(seen.episode.query_x),
    )


def _take() -> None:
    """A click has arrived: the clock stops here."""
    now, of, given = time.monotonic(), beat_link.asked(), clicked(KEY)
    if of is not None and given is not None:
        take(of, *given, now)


def take(of: Contest, number: int, choice: int, now: float) -> None:
    """Keeps the answer to the round that is open; a second click on it is none."""
    about, since = st.session_state.get(SHOWN, (None, 0.0))
    replies = beat_link.replies(of)
    if number != len(replies) or about != (of, number) or choice >= of.difficulty.ways:
        return
    beat_link.write_replies([*replies, Reply(choice, now - since)])
    st.session_state[REVEALED] = (of, number)


def revealed(of: Contest) -> int | None:
    """The round whose answers are on the table, if there is one."""
    about, number = st.session_state.get(REVEALED, (None, 0))
    return number if about == of and number == len(beat_link.replies(of)) - 1 else None


def go_on() -> None:
    st.session_state.pop(REVEALED, None)


@dataclass(frozen=True)
class RivalAnswer:
    """A rival's answer."""

    rival: Rival
    answer: LearnerAnswer


def reveal(of: Contest, number: int, reply: Reply, rivals: Sequence[Rival]) -> None:
    """Everybody's answer, and the way to the next round."""
    seen = beat_rivals.shown(of, number)
    with st.spinner("The runs answer…", show_time=False):
        beat_rivals.ask(rivals, of, [number])
        answers = [(rival, beat_rivals.answer(rival, of, number)) for rival in rivals]
    said = [RivalAnswer(rival, answer) for rival, answer in answers if answer]
    verdict, button = st.columns([4, 1], vertical_alignment="center")
    with verdict:
        _verdict(reply, seen.truth)
    last = number == ROUNDS - 1
    button.button(
        "See the score" if last else "Next round",
        type="primary",
        icon=":material/trophy:" if last else ":material/arrow_forward:",
        key="beat next",
        shortcut="n",
        width="stretch",
        on_click=go_on,
        help="The scoreboard of all rounds." if last else "The clock begins to run again.",
    )
    lines(_lines(reply, said, seen.truth))
    puzzle(
        _query(seen, of.kind),
        _revealed(of, seen, reply, said),
        number=number,
        seconds=reply.seconds,
        on_answer=_take,
        key=KEY,
        open=False,
        inked=of.kind.inked(seen.episode.query_x),
    )
    st.caption(
        f"A run is asked all {len(seen.episode.query_y[0])} queries of the episode at once, as in"
        " an evaluation; this picture is one of them. Its time is for adapting to the support set"
        " and answering them all. *Normalisation* says whose statistics the queries are normalised"
        " by: in *transductive* mode, those of all these queries together."
    )


def _verdict(reply: Reply, truth: int) -> None:
    right, took = words.letter(truth), f"You took {reply.seconds:.1f} s."
    if reply.choice == truth:
        st.success(f"Right: it is **{right}**. {took}", icon=":material/check:")
    else:
        said = words.letter(reply.choice)
        st.warning(f"Wrong: it is **{right}**, not {said}. {took}", icon=":material/close:")


def _lines(reply: Reply, said: Sequence[RivalAnswer], truth: int) -> list[ContestLine]:
    mine = ContestLine(
        who="You",
        color=None,
        said=mark(reply.choice, truth),
        notes=("", f"{reply.seconds:.1f} s to look", ""),
    )
    return [mine, *(_line(each, truth) for each in said)]


def _line(each: RivalAnswer, truth: int) -> ContestLine:
    answer = each.answer
    return ContestLine(
        who=each.rival.name,
        color=each.rival.color,
        said=mark(answer.choice, truth),
        at=answer.confidence,
        notes=(
            f"{100 * answer.confidence:.0f} % sure",
            f"{words.brief(answer.seconds)} to adapt",
            f"normalisation: {words.mode(answer.norm)}",
        ),
    )


def mark(choice: int | None, truth: int) -> str:
    """`C, ✓ right`."""
    if choice is None:
        return "no answer, ✗ it diverged"
    return f"{words.letter(choice)}, {'✓ right' if choice == truth else '✗ wrong'}"


def _revealed(of: Contest, seen: Puzzle, reply: Reply, said: Sequence[RivalAnswer]) -> list[Tile]:
    voters = [("you", reply.choice), *((each.rival.name, each.answer.choice) for each in said)]
    return [
        _tile(
            number,
            images,
            votes=[name for name, choice in voters if choice == number],
            note=_note(seen, number),
            right=number == seen.truth,
        )
        for number, images in enumerate(_support(seen, of.kind))
    ]


def _note(seen: Puzzle, number: int) -> str:
    name = words.clean(seen.names[number]) if seen.names else ""
    return f"✓ {name or 'the right one'}" if number == seen.truth else name


def _tile(number: int, images: Sequence[str], **more: Any) -> Tile:
    color = palette.of_class(number, charts.theme())
    return Tile(name=words.letter(number), color=color, images=images, **more)


def _support(seen: Puzzle, kind: type[Dataset]) -> list[list[str]]:
    """The examples of each class."""
    addresses = drawings.addresses(seen.episode.support_x[0], kind=kind)
    shots = len(addresses) // seen.episode.ways
    return [addresses[start : start + shots] for start in range(0, len(addresses), shots)]


def _query(seen: Puzzle, kind: type[Dataset]) -> str:
    return drawings.addresses(seen.episode.query_x[0, seen.query][None], kind=kind)[0]
