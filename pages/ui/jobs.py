"""The sidebar of every page: the device, what it is doing, and what it has just done."""

import os
import time

import streamlit as st

from metacore import Run, UserError
from metacore.runs import cancel, comparisons
from metacore.runs.comparison import Comparison
from metacore.runs.record import FINISHED, QUEUED, RUNNING
from pages.ui import engine, status, words

LOOK_SECONDS = 3.0
RECENT_SECONDS = 24 * 3600.0
RECENT = 3


def sidebar() -> None:
    with st.sidebar:
        badge()
        jobs()


def badge() -> None:
    found = engine.device()
    kind = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}.get(str(found["device"]), "device")
    with st.container(border=True):
        st.markdown(f"**{found['name']}**")
        cores = f" · {words.several(os.cpu_count() or 1, 'core')}" if kind == "CPU" else ""
        st.caption(f"{kind} · {words.size(float(found['memory']))} memory{cores}")


def training_now() -> list[str]:
    """The runs that train or wait for it, those that train first."""
    active = [run for run in engine.store().runs() if run.active]
    return [run.id for run in sorted(active, key=_turn)]


def _turn(run: Run) -> tuple[bool, float]:
    return run.status != RUNNING, run.queued or 0.0


@st.fragment(run_every=LOOK_SECONDS)
def jobs() -> None:
    runs = [run for run in engine.store().runs() if not run.read_only]
    active = [run for run in runs if run.active]
    comparing = comparisons.active(engine.store())
    st.markdown("**At work**")
    if not active and not comparing:
        st.caption("Nothing is training. Runs you start appear here, on every page.")
    for run in sorted(active, key=_turn):
        job(run)
    for comparison in comparing:
        evaluation(comparison)
    since = time.time() - RECENT_SECONDS
    ended = sorted(
        (run for run in runs if not run.active and (run.ended or 0) > since),
        key=lambda run: -(run.ended or 0),
    )
    if ended:
        st.markdown("**Just ended**")
    for run in ended[:RECENT]:
        became = words.best(run) if run.status == FINISHED else run.status
        st.page_link(
            "lab/train.py",
            label=f"{words.plain(run.name)}: {became}",
            icon=status.ICON[run.status],
            query_params={"run": run.id},
        )


def job(run: Run) -> None:
    """One run on its way: how far, how fast, how long still, and a way to stop it."""
    with st.container(border=True):
        name, stop = st.columns([5, 1], vertical_alignment="center")
        name.page_link("lab/train.py", label=words.plain(run.name), query_params={"run": run.id})
        if stop.button(
            "",
            key=f"stop {run.id}",
            icon=":material/close:",
            help=f"Cancel {run.name}; what it has learned is kept.",
            type="tertiary",
            disabled=run.cancel,
        ):
            try:
                cancel(engine.store(), run)
            except UserError as error:
                st.error(str(error))
        if run.status == QUEUED:
            st.caption("Waiting for the device.")
            return
        share, left = progress(run)
        st.progress(share)
        st.caption("Stopping…" if run.cancel else f"{words.rate(run.rate)} · {left} left")


def evaluation(found: Comparison) -> None:
    """A comparison on its way."""
    with st.container(border=True):
        name, stop = st.columns([5, 1], vertical_alignment="center")
        label = f"Comparing {words.several(len(found.question.runs), 'run')}"
        name.page_link("lab/compare.py", label=label, query_params={"comparison": found.id})
        if stop.button(
            "",
            key=f"stop {found.id}",
            icon=":material/close:",
            help="Cancel this comparison; it can be asked for again.",
            type="tertiary",
        ):
            comparisons.cancel(engine.store(), found.id)
        st.progress(found.progress)
        waits = found.status == QUEUED
        st.caption("Waiting for its turn." if waits else f"{found.done} episodes done")


def progress(run: Run) -> tuple[float, str]:
    """The share of the budget used, 0 to 1, and the time left in words."""
    budget = run.config.training
    by_steps = run.iteration / budget.iterations if budget.iterations else 0.0
    by_clock = run.seconds / budget.seconds if budget.seconds else 0.0
    share = min(1.0, max(by_steps, by_clock))
    if share <= 0 or run.seconds <= 0:
        return share, "some time"
    return share, words.duration(run.seconds * (1 - share) / share)
