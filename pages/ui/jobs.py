"""The sidebar of every page: the device, what it is doing, and what it has just done."""

import time

import streamlit as st

from metacore import Run, UserError
from metacore.runs import cancel
from metacore.runs.record import FINISHED, QUEUED, RUNNING
from pages.ui import engine, words

LOOK_SECONDS = 2.0
RECENT_SECONDS = 24 * 3600.0
RECENT = 3
ICONS = {
    "finished": ":material/check_circle:",
    "cancelled": ":material/cancel:",
    "failed": ":material/error:",
    "interrupted": ":material/power_off:",
}


def sidebar() -> None:
    with st.sidebar:
        badge()
        jobs()


def badge() -> None:
    found = engine.device()
    kind = {"cpu": "CPU", "cuda": "GPU", "mps": "Apple GPU"}.get(str(found["device"]), "device")
    with st.container(border=True):
        st.markdown(f"**{found['name']}**")
        threads = f" · {words.several(int(found['threads']), 'thread')}" if kind == "CPU" else ""
        st.caption(f"{kind} · {words.size(float(found['memory']))} memory{threads}")


@st.fragment(run_every=LOOK_SECONDS)
def jobs() -> None:
    runs = [run for run in engine.store().runs() if not run.read_only]
    active = [run for run in runs if run.active]
    st.markdown("**At work**")
    if not active:
        st.caption("Nothing is training. Runs you start appear here, on every page.")
    for run in sorted(active, key=lambda run: (run.status != RUNNING, run.queued or 0)):
        job(run)
    since = time.time() - RECENT_SECONDS
    ended = sorted(
        (run for run in runs if not run.active and (run.ended or 0) > since),
        key=lambda run: -(run.ended or 0),
    )
    if ended:
        st.markdown("**Just ended**")
    for run in ended[:RECENT]:
        st.page_link(
            "lab/train.py",
            label=f"{run.name}: {words.best(run) if run.status == FINISHED else run.status}",
            icon=ICONS[run.status],
            query_params={"run": run.id},
        )


def job(run: Run) -> None:
    """One run on its way: how far, how fast, how long still, and a way to stop it."""
    with st.container(border=True):
        name, stop = st.columns([5, 1], vertical_alignment="center")
        name.page_link("lab/train.py", label=run.name, query_params={"run": run.id})
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


def progress(run: Run) -> tuple[float, str]:
    """The share of the budget used, 0 to 1, and the time left in words."""
    budget = run.config.training
    by_steps = run.iteration / budget.iterations if budget.iterations else 0.0
    by_clock = run.seconds / budget.seconds if budget.seconds else 0.0
    share = min(1.0, max(by_steps, by_clock))
    if share <= 0 or run.seconds <= 0:
        return share, "some time"
    return share, words.duration(run.seconds * (1 - share) / share)
