"""A question that takes longer than a rerun: asked once, watched, and found again from the URL."""

import streamlit as st

from metacore import UserError
from metacore.runs import ComparisonJob, Question, cancel, comparisons
from metacore.runs.job import FINISHED, QUEUED
from pages.ui import engine, say, state, visitor, words

LOOK_SECONDS = 0.7


def linked(key: str) -> ComparisonJob | None:
    """The comparison the URL names; one that is not kept any more says so."""
    comparison_id = state.first(key)
    if not comparison_id:
        return None
    try:
        return comparisons.find(engine.store(), comparison_id)
    except UserError as error:
        say.info(error, icon=":material/link_off:")
        state.drop(key)
        return None


def answer(
    key: str, question: Question, found: ComparisonJob | None, *, label: str, help: str
) -> ComparisonJob | None:
    """A button that asks; while it is answered a progress bar; then the answer."""
    same = found is not None and found.question.to_dict() == question.to_dict()
    busy = same and found is not None and found.active
    asked = st.button(
        label,
        key=f"ask {key}",
        type="secondary" if same else "primary",
        icon=":material/play_arrow:",
        disabled=busy,
        help=help,
    )
    if asked:
        try:
            state.put(key, comparisons.ask(engine.store(), question).id)
        except UserError as error:
            say.error(error)
            return None
        st.rerun()
    if found is None:
        return None
    if found.active:
        watch(found.id, key)
        return None
    if found.status != FINISHED:
        _explain(found, key)
        return None
    if not same:
        st.info(
            f"These numbers answer an earlier question: {words_of(found.question)}. Press"
            f" “{label}” for the one above.",
            icon=":material/history:",
        )
    return found


@st.fragment(run_every=LOOK_SECONDS)
def watch(comparison_id: str, key: str) -> None:
    """Looks until the answer is there, then has the whole page drawn anew."""
    try:
        found = comparisons.find(engine.store(), comparison_id)
    except UserError:
        st.rerun()
    if not found.active:
        st.rerun()
    total = words.count(found.question.total)
    waiting = "Waiting for another evaluation to end…"
    doing = f"{words.count(found.done)} of {total} episodes evaluated…"
    bar, stop = st.columns([5, 1], vertical_alignment="center")
    bar.progress(
        found.progress, waiting if found.status == QUEUED and found.process is None else doing
    )
    if visitor.may_change(found) and stop.button(
        "Cancel", key=f"stop {key}", help="Stops this evaluation; nothing is kept of it."
    ):
        cancel(engine.store(), found)
        st.rerun()


def _explain(found: ComparisonJob, key: str) -> None:
    text, again = st.columns([5, 1], vertical_alignment="center")
    with text:
        say.warning(f"No numbers: {_ended(found)}")
    if again.button("Retry", key=f"again {key}", help="Asks the same question once more."):
        try:
            comparisons.retry(engine.store(), found.id)
        except UserError as error:
            say.error(error)
            return
        st.rerun()


def _ended(found: ComparisonJob) -> str:
    """What became of it, said once: messages of those that were cancelled say so, too."""
    said = found.message or f"{found.status.capitalize()}."
    if found.status == "cancelled":
        return f"the evaluation was {said[0].lower()}{said[1:]}"
    return f"the evaluation failed. {said}" if found.status == "failed" else said


def words_of(question: Question) -> str:
    """The protocol in a line."""
    steps = "" if question.steps is None else f", {words.several(question.steps, 'inner step')}"
    norm = f", normalised {words.mode(question.norm)}" if question.norm else ""
    runs = words.several(len(question.runs), "run")
    swept = f" at {', '.join(map(str, question.values))} {question.sweep}" if question.sweep else ""
    about = words.clean(question.dataset_class.called(question.source))
    tasks = f"{_task(question)} tasks of {about}{swept}"
    tasks += ", pictures converted" if question.convert else ""
    each = " each" if swept else ""
    return f"{runs} on {tasks}{steps}{norm}, {words.count(question.episodes)} episodes{each}"


def _task(question: Question) -> str:
    """`5-way 1-shot`, without what is varied or has no meaning."""
    ways = question.sweep != "ways" and not question.dataset_class.regression
    shots = question.sweep != "shots"
    parts = [f"{question.ways}-way" if ways else "", f"{question.shots}-shot" if shots else ""]
    return " ".join(part for part in parts if part)
