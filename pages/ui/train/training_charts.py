"""What trainings have learned: how each adapts to one fixed task, and the curves of all of them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import plotly.graph_objects as go
import streamlit as st
import torch

from metacore import Run, RunConfig
from metacore.answers.questions import Drawn
from metacore.runs import Metric, read_snapshots
from pages.ui import charts, engine, say, waiting, words
from pages.ui.curve_task import CurveTask
from pages.ui.figures import learning, snapshots
from pages.ui.figures.learning import History
from pages.ui.train import validation_episode


def show(shown: Sequence[tuple[Run, str]]) -> None:
    """How each run adapts, and how all of them have learned."""
    histories = [history(run, color) for run, color in shown]
    recorded = [read_snapshots(run) for run, _ in shown]
    if not any(recorded) and not any(seen.columns for seen in histories):
        st.caption("Curves appear here with the first meta-steps.")
        return
    alike = [
        partial(validation, [seen for seen in histories if seen.metric == metric])
        for metric in dict.fromkeys(seen.metric for seen in histories)  # never on one axis
    ]
    cells: list[Callable[[], None]] = []
    losses: list[Callable[[], None]] = []
    for (run, color), found, seen in zip(shown, recorded, histories, strict=True):
        name = f"{run.name} · " if len(shown) > 1 else ""
        cells += adaptations(run, color, found, name) if found else []
        if seen.column("train_loss")[0]:
            losses.append(partial(loss, run, seen, name))
    if len(shown) == 1:
        cells[1:1] = alike
    else:
        for chart in alike:
            chart()
    grid([*cells, *losses])
    for watched in dict.fromkeys(run.config.algorithm_class for run, _ in shown):
        if watched.watch:
            st.caption(f"**{watched.title}.** {watched.watch}")


def grid(cells: Sequence[Callable[[], None]]) -> None:
    """Two abreast."""
    for start in range(0, len(cells), 2):
        for column, cell in zip(
            st.columns(2, gap="medium"), cells[start : start + 2], strict=False
        ):
            with column:
                cell()


def adaptations(run: Run, color: str, found: dict[str, Any], name: str) -> list[Callable[[], None]]:
    """How one fixed validation episode is adapted to: at the start, on the way and now."""
    scores = partial(adaptation, run, color, found, name)
    if found["grid"]:
        return [partial(bending, run, color, found, name), scores]
    return [scores, partial(answers, run, found, name)]


def validation(histories: Sequence[History]) -> None:
    metric = histories[0].metric
    what = words.METRIC[metric]
    title = f"Validation {what}"
    seen = [found for found in histories if found.column(f"val_{metric}")[0]]
    if not seen:
        charts.title(title)
        st.caption("Appears with the first validation.")
        return
    token = tuple((found.name, found.color, found.last(f"val_{metric}")) for found in seen)
    charts.chart(
        charts.cached(
            f"validation {metric}", token, lambda: learning.validation(seen, charts.theme())
        ),
        title,
        alt=f"Validation {what} against meta-steps, in the band of its 95% confidence interval.",
        key=f"validation {' '.join(found.name for found in seen)}",
        help="Over fixed validation tasks; the band is the 95% confidence interval of the mean.",
    )


def loss(run: Run, seen: History, name: str = "") -> None:
    token = (seen.color, seen.last("train_loss"), run.started)
    charts.chart(
        charts.cached(f"loss {run.id}", token, lambda: learning.loss(seen, charts.theme())),
        f"{name}Training loss",
        alt="Mean training loss against meta-steps.",
        key=f"loss {run.id}",
        help="The mean over the tasks of the latest meta-steps.",
    )


def adaptation(run: Run, color: str, found: dict[str, Any], name: str = "") -> None:
    moment = run.config.algorithm_class.moment
    charts.chart(
        charts.cached(
            f"strip {run.id}",
            (color, found["moments"][-1]["iteration"], run.started),
            lambda: snapshots.scores(found, color, charts.theme(), moment=moment),
        ),
        f"{name}How it adapts to one fixed task",
        alt=f"Query score of one validation episode by {moment}, at the start and now.",
        key=f"strip {run.id}",
        help="The same validation episode, looked at every few seconds: the dotted line is how"
        " the first weights adapted to it, the bold one how they adapt now.",
    )


def answers(run: Run, found: dict[str, Any], name: str = "") -> None:
    charts.title(
        f"{name}Its answers on this task",
        "Queries as answered in the end, in columns by their true class: coloured where the"
        " answer is right, crossed out where it is wrong.",
    )
    question = Drawn(spec=validation_episode.named(run.config, found["episode"]))
    episode = waiting.one(question)
    waiting.bar([question], "Drawing the episode", key=f"episode {run.id}")
    if episode.error:
        say.info(episode.error, icon=":material/info:")
    elif episode.complete:
        st.html(validation_episode.marked(episode.get(), question.spec.kind, found, charts.theme()))


def bending(run: Run, color: str, found: dict[str, Any], name: str = "") -> None:
    steps = words.several(found["steps"][-1], run.config.algorithm_class.moment)
    charts.chart(
        charts.cached(
            f"bending {run.id}",
            (color, found["moments"][-1]["iteration"], run.started),
            lambda: bent(run.config, color, found),
        ),
        f"{name}Its curve after {steps}",
        alt="The true curve, the support points, and the predicted curve at the start and now.",
        key=f"bending {run.id}",
        help="What the network answers everywhere after adapting to the points.",
    )


def bent(config: RunConfig, color: str, found: dict[str, Any]) -> go.Figure:
    spec = validation_episode.named(config, found["episode"])
    task = CurveTask.of(spec, spec.episode(torch.device("cpu")), found["grid"])
    return snapshots.bending(found, color, charts.theme(), truth=task.truth, points=task.points)


def history(run: Run, color: str) -> History:
    """The run's metrics; only rows after the last one seen are read anew."""
    return History.of(run, _rows(run), color)


def _rows(run: Run) -> list[Metric]:
    """All rows of a run; a resumed one has taken some back, so it is read from the beginning."""
    kept = cast(dict[str, Any], st.session_state.setdefault("metrics", {}))
    started, rows = kept.get(run.id, (None, []))
    if started != run.started:
        rows = []
    after = rows[-1].row if rows else 0
    rows = [*rows, *engine.store().metrics(run, after=after)]
    kept[run.id] = (run.started, rows)
    return rows
