"""The sidebar of every page: the device, what it is doing, and what it has just done."""

import os
import time

import streamlit as st

from metacore import Run, UserError
from metacore.runs import cancel
from metacore.runs.comparison import ComparisonJob
from metacore.runs.comparisons import Comparisons
from metacore.runs.job import FINISHED, QUEUED, RUNNING
from pages.ui import engine, say, status, visitor, words
from pages.ui.runs.table import flaw

LOOK_SECONDS = 3.0
RECENT_SECONDS = 24 * 3600.0
RECENT = 3
MOST = 6  # jobs of a long queue that are shown one by one


def sidebar() -> None:
    with st.sidebar:
        badge()
        jobs()
        visitor.card()


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


def _turn(run: Run) -> tuple[bool, bool, float]:
    return run.status != RUNNING, _theirs(run), run.queued or 0.0


@st.fragment(run_every=LOOK_SECONDS)
def jobs() -> None:
    own = (run for run in engine.store().runs() if not run.read_only)
    runs = [run for run in own if not flaw(run)]  # the Runs page names the others
    active = [run for run in runs if run.active]
    comparing = Comparisons(engine.store()).active()
    st.markdown("**At work**")
    if not active and not comparing:
        st.caption("Nothing is training. Runs you start appear here, on every page.")
    first = sorted(active, key=_turn)
    for run in first[:MOST]:
        job(run)
    for comparison in sorted(comparing, key=_theirs)[:MOST]:
        evaluation(comparison)
    more = max(0, len(active) - MOST) + max(0, len(comparing) - MOST)
    if more:
        st.caption(f"{more} more wait.")
    since = time.time() - RECENT_SECONDS
    ended = sorted(
        (run for run in runs if not run.active and (run.ended or 0) > since),
        key=lambda run: -(run.ended or 0),
    )
    if ended:
        st.markdown("**Just ended**")
    for run in ended[:RECENT]:
        became = words.scored(run) if run.status == FINISHED else run.status
        st.page_link(
            "lab/train.py",
            label=f"{words.plain(run.name)}: {became}",
            icon=status.ICON[run.status],
            query_params={"run": run.id},
        )


def _theirs(thing: Run | ComparisonJob) -> bool:
    """What is one's own comes first."""
    return not visitor.may_change(thing)


def job(run: Run) -> None:
    """One run on its way: how far, how fast, how long still, and a way to stop it."""
    with st.container(border=True):
        name, stop = st.columns([5, 1], vertical_alignment="center")
        name.page_link("lab/train.py", label=words.plain(run.name), query_params={"run": run.id})
        if visitor.may_change(run) and stop.button(
            "",
            key=f"stop {run.id}",
            icon=":material/close:",
            help=f"Cancel {words.plain(run.name)}; what it has learned is kept.",
            type="tertiary",
            disabled=run.cancel,
        ):
            try:
                cancel(engine.store(), run)
            except UserError as error:
                say.error(error)
        if run.status == QUEUED:
            st.caption("Waiting for the device.")
            return
        share, left = progress(run)
        st.progress(share)
        st.caption("Stopping…" if run.cancel else f"{share:.0%} · {left}")


def evaluation(found: ComparisonJob) -> None:
    """A comparison on its way."""
    with st.container(border=True):
        name, stop = st.columns([5, 1], vertical_alignment="center")
        label = f"Comparing {words.several(len(found.question.runs), 'run')}"
        name.page_link("lab/compare.py", label=label, query_params={"comparison": found.id})
        if visitor.may_change(found) and stop.button(
            "",
            key=f"stop {found.id}",
            icon=":material/close:",
            help="Cancel this comparison; it can be asked for again.",
            type="tertiary",
        ):
            cancel(engine.store(), found)
        st.progress(found.progress)
        waits = found.status == QUEUED
        st.caption("Waiting for its turn." if waits else f"{found.done} episodes done")


def progress(run: Run) -> tuple[float, str]:
    """The share of the budget used, 0 to 1, and the time left in words."""
    left = run.seconds_left
    return run.progress, "measuring its speed" if left is None else f"{words.duration(left)} left"
