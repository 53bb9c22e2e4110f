"""One run: what it is, how it learned, what is special about it, and all one can do with it."""

import re
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from metacore import Run, Store, UserError
from metacore.cli.reproduce import command_line
from metacore.runs import cancel, export, resume
from metacore.runs.job import FINISHED
from metacore.runs.record import metrics_csv
from metacore.statistics import score
from metacore.training.differences import between, described, nearest_preset
from pages.ui import charts, engine, jobs, palette, pick, say, status, visitor, words
from pages.ui.figures import learning
from pages.ui.figures.learning import History
from pages.ui.runs import deletion, lesson, table

LOOK_SECONDS = 2.0
PARTS = {
    "algorithm": "Algorithm",
    "dataset": "Dataset",
    "model": "Model",
    "task": "Task",
    "training": "Training",
    "run": "Run",
}


def show(run: Run) -> None:
    with st.container(border=True):
        head(run)
        with st.container(horizontal=True):
            pick.links(run, *pick.LINKS)
        picture, special = st.columns([3, 2], gap="large")
        with picture:
            every = LOOK_SECONDS if run.active else None
            st.fragment(learned, run_every=every)(run.id)
        with special:
            settings(run)
        lesson.show(run)
        share(run)
        if not run.read_only and visitor.may_change(run):
            edit(run)
            actions(run)


def head(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(words.plain(run.name), anchor=False, width="content")
        status.badge(run.status)
        if run.read_only:
            st.badge("comes with Metacore", icon=":material/inventory_2:", color="gray")
        else:
            visitor.badge(run)
    st.caption(facts(run))
    if run.read_only and run.note:
        st.text(run.note)
    if run.message:
        trouble = run.status in ("failed", "interrupted")
        (st.warning if trouble else st.caption)(words.plain(run.message))
    for sentence in filter(None, (run.damage, engine.weights_flaw(run))):
        say.warning(sentence)
    if not run.active and engine.weights_of(run) is None:
        say.warning(f"There are no weights in {run.folder}.")


def facts(run: Run) -> str:
    parts = [pick.title(run), table.dataset(run), words.task(run)]
    if run.iteration and not run.active:
        parts.append(f"{words.count(run.iteration)} meta-steps in {words.duration(run.seconds)}")
    if run.device_name:
        parts.append(words.plain(run.device_name))
    return " · ".join([*parts, moment(run.created)])


def moment(seconds: float) -> str:
    """A time as the clock of the person who reads it would show it."""
    try:
        zone: Any = ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = UTC
    return f"{datetime.fromtimestamp(seconds, zone):%-d %B %Y, %H:%M}"


def learned(run_id: str) -> None:
    """The learning curve, growing while the run is trained."""
    run = engine.find(run_id)
    if run is None:
        st.info("This run has just been deleted.")
        return
    with st.container(horizontal=True):
        if run.tested is not None:
            test = run.tested
            st.metric(
                f"Test {words.METRIC[run.metric]}",
                score(test.metric, test.mean, test.ci95),
                help=f"On {words.protocol(test)}, which it was neither trained nor chosen by.",
            )
        st.metric(
            f"Best validation {words.METRIC[run.metric]}",
            words.best(run),
            help="The best of its validations, with its 95% confidence interval: it chose the"
            " weights, so it flatters them a little.",
        )
    if run.active:
        share, left = jobs.progress(run)
        st.progress(share, f"Meta-step {words.count(run.iteration)}, {left}")
    theme = charts.theme()
    found = history(run, palette.algorithm(pick.kind(run), theme))
    if found is None or not found.column(f"val_{run.metric}")[2]:
        st.caption("There is no validation to draw yet.")
        return
    charts.chart(
        learning.validation([found], theme, height=300),
        "How it learned",
        alt=f"Validation {words.METRIC[run.metric]} of the run against meta-steps.",
        key="learned",
    )


def history(run: Run, color: str, dash: str = "") -> History | None:
    """What a figure needs of the run; a sentence and None where it cannot be read."""
    try:
        metrics = engine.store().metrics(run)
    except UserError as error:
        say.error(error)
        return None
    return History.of(run, metrics, color, dash)


def settings(run: Run) -> None:
    level, usual = nearest_preset(run.config)
    charts.title(
        "What is special about it",
        help="Where its settings differ from those of the preset it is closest to.",
    )
    special = {(row.part, row.name): row.values for row in between([usual, run.config])}
    preset = f"the preset **{level}** of {pick.title(run)} on {table.dataset(run)}"
    if not special:
        st.markdown(f"Nothing: it is {preset}, for {words.task(run)}.")
    else:
        st.markdown(f"It is {preset}, for {words.task(run)}, but for this:")
        rows = [row for row in described(run.config) if (row.part, row.name) in special]
        lines = ["| Setting | Here | Preset |", "| --- | --- | --- |"]
        for row in rows:
            before, value = special[row.part, row.name]
            lines.append(f"| {row.label} | {in_colour(value, before)} | {words.value(before)} |")
        st.markdown("\n".join(lines))
    with st.expander("All settings", icon=":material/tune:"):
        for part, title in PARTS.items():
            shown = [
                f"{'' if row.name == 'name' else row.label} "
                + in_colour(row.values[0], special.get((part, row.name), row.values)[0])
                for row in described(run.config)
                if row.part == part
            ]
            st.markdown(f"**{title}** &ensp; " + " · ".join(shown))


def in_colour(value: object, usual: object) -> str:
    """A setting's value, in bold colour where it is not the usual one."""
    text = words.plain(words.value(value))
    return text if value == usual else f":primary[**{text}**]"


def edit(run: Run) -> None:
    charts.title("Name, tags and note")
    with st.form(f"edit {run.id}", border=False):
        left, right = st.columns(2)
        name = left.text_input(
            "Name", run.name, key=f"name {run.id} {run.name}", max_chars=80, help="One line."
        )
        tags = left.multiselect(
            "Tags",
            sorted({tag for other in engine.store().runs() for tag in other.tags}),
            default=list(run.tags),
            key=f"tags {run.id} {run.tags}",
            accept_new_options=True,
            placeholder="none",
            help="Words to find it by; type a new one and press Enter.",
        )
        note = right.text_area(
            "Note",
            run.note,
            key=f"note {run.id} {run.note}",
            height=122,
            max_chars=5000,
            help="What you want to remember about it.",
        )
        if st.form_submit_button("Save", icon=":material/save:", help="Writes what has changed."):
            attempt(partial(save, run, name or "", tags, note or ""), "Saved.")


def save(run: Run, name: str, tags: list[str], note: str) -> None:
    """Only what was changed here: someone else may have changed the rest."""
    store = engine.store()
    if note != run.note:
        store.annotate(run, note)
    if set(tags) != set(run.tags):
        store.tag(run, tags)
    if name != run.name:
        store.rename(run, name)


def attempt(act: Callable[[], Any], done: str) -> None:
    """Does it and draws the page anew, or says why not."""
    try:
        act()
    except UserError as error:
        say.error(error)
        return
    st.toast(done, icon=":material/check_circle:")
    st.rerun()


def share(run: Run) -> None:
    charts.title("Again, and elsewhere", help="The command and the address can be copied.")
    name = None if run.read_only else words.clean(run.name)
    st.code(command_line(run.config, name), language=None, wrap_lines=True)
    st.caption(repeats(run))
    link, files = st.columns([3, 2], vertical_alignment="center")
    link.code(address(run), language=None, wrap_lines=True)
    with files, st.container(horizontal=True):
        downloads(run)


def repeats(run: Run) -> str:
    """What the command promises."""
    text = "Trains it again, with the same tasks in the same order"
    if run.config.training.seconds:
        return f"{text}, for as many meta-steps as the time allows on the computer it runs on."
    return f"{text}: bit for bit on the same device."


def address(run: Run) -> str:
    here = st.context.url or ""
    return f"{here.rsplit('/', 1)[0]}/train?run={run.id}"


def downloads(run: Run) -> None:
    store, name = engine.store(), re.sub(r"[^\w.+-]+", "-", run.name).strip("-.") or run.id
    has_weights = engine.weights_of(run) is not None
    st.download_button(
        "Export",
        partial(packed, store, run),
        file_name=f"{name}.metacore",
        mime="application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
        disabled=not has_weights,
        help="One file with settings, curves and weights, which Import reads."
        if has_weights
        else "There are no weights to export yet.",
    )
    st.download_button(
        "Curves as CSV",
        lambda: metrics_csv(store.metrics(run)),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/table_view:",
        on_click="ignore",
        help="Everything it reported, by meta-step.",
    )


def packed(store: Store, run: Run) -> bytes:
    """The exported file, made when it is asked for."""
    with tempfile.TemporaryDirectory() as folder:
        return export(store, store.get(run.id), Path(folder) / "run.metacore").read_bytes()


def actions(run: Run) -> None:
    """What changes the run itself."""
    with st.container(horizontal=True):
        if run.active:
            if st.button(
                "Cancel",
                icon=":material/cancel:",
                disabled=run.cancel,
                help="Stops it within a meta-step; it can be resumed.",
            ):
                attempt(partial(cancel, engine.store(), run), "It will stop.")
        elif run.status == FINISHED:
            if run.config.learns:
                longer(run)
        else:
            again(run)
        deletion.button([run])


def again(run: Run) -> None:
    if st.button(
        "Resume",
        type="primary",
        icon=":material/resume:",
        help="Goes on from its last checkpoint, as if nothing had happened.",
    ):
        attempt(partial(resume, engine.store(), run), "Back in the queue.")


def longer(run: Run) -> None:
    """A finished run needs a new total, in the unit of its budget."""
    unit = "iterations" if run.config.training.iterations else "seconds"
    done = run.iteration if unit == "iterations" else int(run.seconds)
    label = "meta-steps" if unit == "iterations" else "seconds"
    with (
        st.popover(
            "Continue for longer", icon=":material/more_time:", help="Trains it beyond its budget."
        ),
        st.form(f"longer {run.id}", border=False),
    ):
        total = st.number_input(
            f"New total of {label}",
            value=max(2 * done, 1),
            min_value=1,
            step=max(1, done // 4),
            help=f"What it has done so far counts: {words.count(done)} {label}.",
        )
        if st.form_submit_button("Continue", type="primary", help="Puts it back in the queue."):
            budget: dict[str, Any] = {unit: total}
            attempt(partial(resume, engine.store(), run, **budget), "Back in the queue.")
