"""Which classes one run takes for which: a matrix that opens into the pictures."""

from collections.abc import Hashable
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from torch import Tensor

from metacore import Run, UserError
from metacore.answers import EpisodeSpec
from metacore.answers.questions import Learned, Mistakes, Room
from metacore.datasets.base import Dataset
from metacore.datasets.rendering import Bytes
from metacore.insight.confusion import Confusion
from pages.ui import (
    charts,
    drawings,
    episode,
    palette,
    pick,
    say,
    state,
    waiting,
    widgets,
    words,
)
from pages.ui.compare.choice import CompareChoice
from pages.ui.compare.downloads import take
from pages.ui.figures.confusion import matrix

FEWEST, MOST, USUAL = 5, 20, 10
QUERIES = 150  # of each class, about
SHOWN = 24  # pictures of one cell
TOLD = 3  # mistakes in words
CHART = "confusion matrix"


@st.fragment
def mistakes(choice: CompareChoice) -> None:
    room = Room(spec=choice.spec(0))
    size = waiting.one(room).value
    if size is None:
        waiting.bar([room], "Counting the classes", key="mistakes room")
        return
    run, ways, seed = _controls(choice, size.classes)
    try:
        question = asked_of(run, choice, ways, seed)
        found = waiting.one(question, moment=0.0)
        said = f"{words.plain(run.name)} meets {ways} classes again and again"
        waiting.bar([question], said, key="mistakes", partial=True)
        if found.error:
            raise found.error
    except UserError as error:
        say.error(error)
        return
    if found.value is not None:
        _show(found.value, run, question)


def asked_of(run: Run, choice: CompareChoice, ways: int, seed: int) -> Mistakes:
    """All that the matrix depends on."""
    queries = choice.queries
    task: dict[str, Any] = {"ways": ways, "shots": choice.shots, "queries": queries, "seed": seed}
    return Mistakes(
        learned=Learned.by(run),
        spec=EpisodeSpec(dataset=choice.dataset, name=choice.name, **task),
        total=max(1, QUERIES // (queries * ways // FEWEST)),
        steps=choice.steps,
        norm=choice.norm,
    )


def _show(found: Confusion, run: Run, question: Mistakes) -> None:
    _keep_cell(question)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        _matrix(found, run, question)
    with right:
        _cell(found, question.spec.kind)
    take(f"confusion-{run.id}", _rows(found), key="confusion")


def _controls(choice: CompareChoice, classes: int) -> tuple[Run, int, int]:
    run_place, ways_place, button = st.columns([2, 2, 1], vertical_alignment="bottom")
    with run_place:
        run = pick.one(choice.runs, name="of", help="Whose mistakes are shown.")
    ways = widgets.slider(
        ways_place,
        "Classes",
        "classes",
        usual=USUAL,
        low=min(FEWEST, classes),
        high=min(MOST, classes),
        help="How many classes are told apart in every task, always the same ones.",
    )
    seed = widgets.whole("drawn", usual=0, low=0, high=episode.LAST_SEED)
    help = "Draws other classes of the test split."
    episode.another(button, "Other classes", "drawn", (seed + 1) % episode.LAST_SEED, help=help)
    return run, ways, seed


def _keep_cell(about: Hashable) -> None:
    """A new matrix opens at its most frequent mistake, unless a link names a cell of it."""
    before = st.session_state.get("matrix")
    st.session_state["matrix"] = about
    if before not in (None, about) and not state.came_with_link("truth"):
        state.drop("truth", "guess")


def _matrix(found: Confusion, run: Run, question: Mistakes) -> None:
    about = question, found.episodes
    charts.chart(
        charts.cached("matrix", about, lambda: _figure(found, run, question.spec.kind)),
        f"{run.name}: {found.accuracy:.1%} right among {len(found.classes)} classes",
        alt="A matrix of classes by the classes they were taken for; mistakes are in colour.",
        key=CHART,
        on_select=_clicked,
        selection_mode="points",
        help=(
            f"{words.count(len(found.truth))} queries of {found.episodes} tasks of the same"
            f" classes, each with other {question.spec.kind.item}s as support."
        ),
    )
    item = question.spec.kind.item
    st.caption(f"Click a cell to see the {item}s that fell into it.{_told(found, question)}")


def _figure(found: Confusion, run: Run, kind: type[Dataset]) -> go.Figure:
    theme = charts.theme()
    images = drawings.addresses(found.labels, palette.INK[theme], kind)
    names = [words.in_figure(_called(found, n, kind)) for n in range(len(found.classes))]
    return matrix(found.counts, images, names, palette.algorithm(pick.kind(run), theme), theme)


def _clicked() -> None:
    """A click on a cell chooses it below, where it can also be chosen by the keyboard."""
    points = st.session_state[CHART]["selection"]["points"]
    if points:
        state.put("truth", int(points[0]["y"]))
        state.put("guess", int(points[0]["x"]))


def _cell(found: Confusion, kind: type[Dataset]) -> None:
    names = {str(number): _class(found, number) for number in range(len(found.classes))}
    columns = st.columns(2)
    labels = {"truth": ("It was", "The class it really was."),
              "guess": ("Taken for", "The class the run took them for.")}  # fmt: skip
    truth, guess = (
        int(widgets.select(column, label, name, names, usual=str(worst), help=help))
        for column, (name, (label, help)), worst in zip(
            columns, labels.items(), found.worst(), strict=True
        )
    )
    for column, number in zip(columns, (truth, guess), strict=True):
        column.image(_picture(found.labels[number : number + 1], 3, kind), width=72)
    there = found.cell(truth, guess)
    total = sum(times for _, times in there)
    of = words.count(int(found.counts[truth].sum()))
    st.markdown(f"**{words.count(total)} of {of}** queries, {_which(len(there), kind.item)}")
    if there:
        st.image(
            [_picture(found.pictures[number : number + 1], 2, kind) for number, _ in there[:SHOWN]],
            caption=[f"{times}×" for _, times in there[:SHOWN]],
            width=64,
        )


def _told(found: Confusion, question: Mistakes) -> str:
    """The most frequent mistakes in words, where classes have names."""
    if not question.spec.kind.named:
        return ""
    names = [words.plain(name) for name in found.short_names]
    said = [
        f"**{names[truth]}** for {names[guess]} ({found.counts[truth, guess]}×)"
        for truth, guess in found.mistakes(TOLD)
    ]
    return f" Most often it takes {', '.join(said)}." if said else ""


def _class(found: Confusion, number: int) -> str:
    """Its place in the matrix, and its name."""
    return f"{number + 1}: {found.short_names[number]}"


def _called(found: Confusion, number: int, kind: type[Dataset]) -> str:
    return found.short_names[number] if kind.named else f"class {number + 1}"


def _which(count: int, item: str) -> str:
    if not count:
        return "so there is nothing to show."
    more = f" (the {SHOWN} most frequent are shown)" if count > SHOWN else ""
    return f"of {words.several(count, f'different {item}')}{more}:"


def _picture(image: Tensor, scale: int, kind: type[Dataset]) -> Bytes:
    return drawings.row(image, charts.theme(), scale=scale, kind=kind)


def _rows(found: Confusion) -> list[dict[str, object]]:
    return [
        {"drawn": name, **{other: int(n) for other, n in zip(found.names, row, strict=True)}}
        for name, row in zip(found.names, found.counts, strict=True)
    ]
