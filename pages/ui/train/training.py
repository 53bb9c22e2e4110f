"""A training in progress: its card, its curves, and its adaptation strip."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import plotly.graph_objects as go
import streamlit as st

from metacore import Run, RunConfig, UserError
from metacore.runs import Metric, cancel, dispatch, read_snapshots, resume
from metacore.runs.job import FAILED, FINISHED, QUEUED, RUNNING
from metacore.statistics import score
from pages.ui import (
    charts,
    engine,
    jobs,
    palette,
    pick,
    say,
    state,
    status,
    visitor,
    waiting,
    words,
)
from pages.ui.figures import learning, strip
from pages.ui.figures.learning import History
from pages.ui.train import sampled

LOOK_SECONDS = 2.0
MOST = 8  # runs in one view
UNITS = {"seconds": "seconds", "iterations": "meta-steps"}


def asked_for() -> list[str]:
    """The runs in the URL, each once."""
    return list(dict.fromkeys(name for name in state.get(pick.RUNS) if name))[:MOST]


def live(names: list[str]) -> None:
    """Everything about these runs, looked at again and again until the last one has ended."""
    watching = any(run.active for run in present(names))
    st.fragment(_look, run_every=LOOK_SECONDS if watching else None)(names, watching)


def present(names: list[str]) -> list[Run]:
    """Those of the runs that there are."""
    return [run for name in names if (run := engine.find(name)) is not None]


def _look(names: list[str], watching: bool) -> None:
    runs = present(names)
    gone(names)
    colors = palette.run_colors([pick.kind(run) for run in runs], charts.theme())
    shown = [(run, color) for run, color in zip(runs, colors, strict=True) if card(run, color)]
    if shown:
        curves(shown)
    if watching and not any(run.active for run in runs):
        st.rerun()


def gone(names: list[str]) -> None:
    """What is said of runs that are not there (any more)."""
    missing = [name for name in names if engine.find(name) is None]
    if not missing:
        return
    listed = ", ".join(f"“{name[:40]}”" for name in missing)
    verb = "is" if len(missing) == 1 else "are"
    say.info(
        f"{listed} {verb} not among the runs: deleted meanwhile, or a link from another computer.",
        icon=":material/search_off:",
    )
    st.page_link("lab/runs.py", label="See all runs", icon=":material/folder_open:")


# --- a run's card ------------------------------------------------------------------------------


def card(run: Run, color: str) -> bool:
    """Name, status, progress and what can be done; False for a run that cannot be read."""
    st.html(f"<style>.st-key-run-{run.id} {{ --algorithm: {color}; }}</style>")
    with st.container(border=True, key=f"run-{run.id}", gap="xsmall"):
        try:
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                _header(run)
                st.space("stretch")
                actions(run)
            _progress(run)
            _message(run)
        except UserError as error:
            say.error(f"{run.name}: {error}")
            return False
    return True


def _header(run: Run) -> None:
    st.markdown(f"**{words.plain(run.name)}**", width="content")
    status.badge(run.status, "stopping" if run.cancel and run.active else None)
    if run.read_only:
        st.badge("pretrained", icon=":material/inventory_2:", color="gray")
    else:
        visitor.badge(run)


def _described(run: Run) -> str:
    config = run.config
    return (
        f"{pick.title(run)} on {config.dataset_class.title} · {words.task(run)}"
        f" · {config.model_name} · seed {config.seed} · {run.device}"
    )


def _progress(run: Run) -> None:
    st.caption(_described(run))
    share, left = jobs.progress(run)
    if run.status == QUEUED:
        st.progress(0.0, f"Waiting for the device: {_ahead(run)}")
        return
    done = f"{words.count(run.iteration)} meta-steps in {words.duration(run.seconds)}"
    best = f"best validation {words.best(run)}{_tested(run)}"
    if run.status == RUNNING:
        pace = f" at {words.rate(run.pace)}" if run.pace else ""
        st.progress(share, f"**{share:.0%}** · {left}{pace} · {done} · {best}")
    else:
        pace = f" ({words.rate(run.pace)})" if run.pace else ""
        st.progress(1.0 if run.status == FINISHED else share, f"{done}{pace} · {best}")


def _tested(run: Run) -> str:
    found = run.tested
    return f" · test {score(found.metric, found.mean, found.ci95)}" if found else ""


def _ahead(run: Run) -> str:
    before = [
        other
        for other in engine.store().runs()
        if other.active
        and other.device == run.device
        and (other.status == RUNNING or (other.queued or 0) < (run.queued or 0))
    ]
    if not before:
        return "it starts in a moment."
    return f"{words.several(len(before), 'run')} before it."


def _message(run: Run) -> None:
    if not run.message:
        return
    if run.status == FAILED:
        say.error(run.message, icon=":material/error:")
    elif not run.active:
        say.warning(run.message, icon=":material/info:")
    else:
        st.caption(words.plain(run.message))


def actions(run: Run) -> None:
    """What can be done with the run as it is now."""
    if visitor.may_change(run):
        steering(run)
    if engine.weights_of(run) is not None:
        links(run)


def steering(run: Run) -> None:
    """Stops it, or lets it go on."""
    if run.active:
        cancel_button(run)
    elif run.resumable and run.config.algorithm_class.trains:
        if run.status != FINISHED:
            resume_button(run)
        if run.iteration:
            continue_for_longer(run)


def cancel_button(run: Run) -> None:
    if st.button(
        "Cancel",
        key=f"cancel {run.id}",
        icon=":material/stop:",
        help="Stops it within a meta-step; what it has learned is kept and it can be resumed.",
        disabled=run.cancel,
    ):
        cancel(engine.store(), run)
        st.rerun()


def resume_button(run: Run) -> None:
    if st.button(
        "Resume",
        key=f"resume {run.id}",
        icon=":material/play_arrow:",
        type="primary",
        help="Goes on from where it stopped, as if nothing had happened.",
    ):
        go_on(run)


def continue_for_longer(run: Run) -> None:
    """Asks for how much longer, in the unit of the run's own budget first."""
    by_steps = not run.config.training.seconds
    with st.popover(
        "Continue", icon=":material/more_time:", help="Trains it for longer than was planned."
    ):
        unit = st.segmented_control(
            "Unit",
            [*UNITS],
            default="iterations" if by_steps else "seconds",
            required=True,
            format_func=UNITS.__getitem__,
            key=f"unit {run.id}",
            help="Whether the addition is counted in time or in meta-steps.",
        )
        more = st.number_input(
            f"How many more {UNITS[unit]}",
            min_value=1,
            max_value=10**6,
            value=1000 if unit == "iterations" else 60,
            step=100 if unit == "iterations" else 10,
            key=f"more {unit} {run.id}",
            help="How much is added to what it has already done.",
        )
        if st.button(
            "Continue",
            key=f"continue {run.id}",
            type="primary",
            help="Queues the run again with the larger budget.",
        ):
            done = run.iteration if unit == "iterations" else run.seconds
            go_on(run, **{unit: done + more})


def go_on(run: Run, **budget: Any) -> None:
    """Queues the run again and looks at it from the beginning."""
    try:
        resume(engine.store(), run, **budget)
        dispatch(engine.store())
    except UserError as error:
        say.error(error)
        return
    st.rerun()


def links(run: Run) -> None:
    pages = {
        "adapt": ("Adapt", ":material/trending_down:"),
        "prototypes": ("Prototypes", ":material/scatter_plot:"),
        "compare": ("Compare", ":material/balance:"),
    }
    for page, (label, icon) in pages.items():
        if page == "prototypes" and run.config.dataset_class.regression:
            continue
        query = {pick.RUNS: run.id}
        st.page_link(f"lab/{page}.py", label=label, icon=icon, query_params=query, width="content")


# --- what it has learned -----------------------------------------------------------------------


def curves(shown: Sequence[tuple[Run, str]]) -> None:
    """How each run adapts, and how all of them have learned."""
    histories = [history(run, color) for run, color in shown]
    strips = [read_snapshots(run) for run, _ in shown]
    if not any(strips) and not any(seen.columns for seen in histories):
        st.caption("Curves appear here with the first meta-steps.")
        return
    alike = [
        partial(validation, [seen for seen in histories if seen.metric == metric])
        for metric in dict.fromkeys(seen.metric for seen in histories)  # never on one axis
    ]
    cells: list[Callable[[], None]] = []
    losses: list[Callable[[], None]] = []
    for (run, color), found, seen in zip(shown, strips, histories, strict=True):
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
        charts.kept(
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
        charts.kept(f"loss {run.id}", token, lambda: learning.loss(seen, charts.theme())),
        f"{name}Training loss",
        alt="Mean training loss against meta-steps.",
        key=f"loss {run.id}",
        help="The mean over the tasks of the latest meta-steps.",
    )


def adaptation(run: Run, color: str, found: dict[str, Any], name: str = "") -> None:
    charts.chart(
        charts.kept(
            f"strip {run.id}",
            (color, found["moments"][-1]["iteration"], run.started),
            lambda: strip.scores(found, color, charts.theme()),
        ),
        f"{name}How it adapts to one fixed task",
        alt="Query score of one validation episode against the inner step, at the start and now.",
        key=f"strip {run.id}",
        help="The same validation episode, looked at every few seconds: the dotted line is how"
        " the first weights adapted to it, the bold one how they adapt now.",
    )


def answers(run: Run, found: dict[str, Any], name: str = "") -> None:
    charts.title(
        f"{name}Its answers on this task",
        "Queries after the last inner step, in columns by their true class: coloured where the"
        " answer is right, crossed out where it is wrong.",
    )
    question = sampled.named_by(run.config, found["episode"])
    episode = waiting.one(question)
    waiting.bar([question], "Drawing the episode", key=f"episode {run.id}")
    if episode.error:
        say.info(episode.error, icon=":material/info:")
    elif episode.complete:
        st.html(sampled.answers(episode.get(), found, charts.theme()))


def bending(run: Run, color: str, found: dict[str, Any], name: str = "") -> None:
    steps = words.several(found["steps"][-1], "inner step")
    charts.chart(
        charts.kept(
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
    grid, seed = found["grid"], config.seed
    _, truth = sampled.true_curve(config, split="val", seed=seed, grid=grid)
    points = sampled.support_points(config, found["episode"])
    return strip.bending(found, color, charts.theme(), truth=truth, points=points)


def history(run: Run, color: str) -> History:
    """The run's metrics; only rows after the last one seen are read anew."""
    rows = _rows(run)
    empty = History(
        name=run.name,
        algorithm=pick.kind(run),
        metric=run.metric,
        color=color,
        tasks=run.config.training.tasks,
        ways=run.config.ways,
    )
    return replace(empty, columns=learning.columns(rows))


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
