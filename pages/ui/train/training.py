"""Trainings in progress: their cards, looked at again and again, and what can be done with them."""

from typing import Any

import streamlit as st

from metacore import Run, UserError
from metacore.runs import cancel, dispatch, resume
from metacore.runs.job import FAILED, FINISHED, QUEUED, RUNNING
from metacore.statistics import score
from pages.ui import engine, jobs, pick, say, state, status, visitor, words
from pages.ui.train import training_charts

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
    colors = pick.colors(runs)
    shown = [(run, color) for run, color in zip(runs, colors, strict=True) if card(run, color)]
    if shown:
        training_charts.show(shown)
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


def _progress(run: Run) -> None:
    config = run.config
    st.caption(
        f"{pick.title(run)} on {config.dataset_class.title} · {words.task(run)}"
        f" · {config.model_name} · seed {config.seed} · {run.device}"
    )
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
        pick.links(run, "adapt", "prototypes", "compare")


def steering(run: Run) -> None:
    """Stops it, or lets it go on."""
    if run.active:
        cancel_button(run)
    elif run.resumable and run.config.learns:
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
