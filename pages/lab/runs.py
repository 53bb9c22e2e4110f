"""All runs: what became of them, what sets them apart, and all that can be done with one."""

from collections.abc import Sequence

import streamlit as st

from metacore import Run
from pages.ui import engine, pick, say, state
from pages.ui.runs import card, contrast, deletion, imports, table

LOOK_SECONDS = 2.0
IDLE_SECONDS = 10.0  # someone may start a run elsewhere


def heading() -> None:
    title, arriving = st.columns([4, 1], vertical_alignment="bottom")
    title.title("Runs", anchor=False)
    with arriving:
        imports.button()
    imports.refusals()
    st.markdown(
        "Every meta-training is kept here with its settings, its curves and its weights. **Tick"
        " one** to look at it, **tick several** to see what sets them apart."
    )


def readable(runs: Sequence[Run]) -> list[Run]:
    return [run for run in runs if not table.flaw(run)]


def listing(runs: Sequence[Run]) -> None:
    """The table, looking again while the page is open."""
    every = LOOK_SECONDS if any(run.active for run in runs) else IDLE_SECONDS
    st.fragment(look, run_every=every)(table.outline(runs))


def look(before: list[tuple[str, ...]]) -> None:
    runs = readable(engine.store().runs())
    if table.outline(runs) != before or st.session_state.pop("ticked", False):
        st.rerun()
    fits = table.filters()
    shown = [run for run in runs if fits(run)]
    if shown:
        table.table(shown, list(state.get(pick.RUNS)), choose)
        return
    st.info("No run fits this search.", icon=":material/search_off:")
    st.button(
        "Show all",
        icon=":material/filter_alt_off:",
        on_click=table.clear_filters,
        help="Clears the search and its filters.",
    )


def choose(ids: list[str]) -> None:
    state.put(pick.RUNS, *ids)
    st.session_state["ticked"] = True


def strangers(runs: Sequence[Run]) -> None:
    """Runs whose settings this version of Metacore does not understand."""
    for run in runs:
        if sentence := table.flaw(run):
            say.warning(sentence if run.lost else f"{run.name} cannot be shown: {sentence}")
            if not run.read_only:
                deletion.button([run])


def notices(lost: Sequence[Run]) -> None:
    """What is wrong with the list as a whole, or with runs that are in it all the same."""
    said = {run.damage for run in lost}
    for sentence in engine.store().notices():
        if sentence not in said:
            say.warning(sentence)


def chosen(runs: Sequence[Run]) -> list[Run]:
    """The runs the address names; it says so where one of them is not there (any more)."""
    by_id = {run.id: run for run in runs}
    asked = dict.fromkeys(state.get(pick.RUNS))
    for run_id in asked:
        if run_id not in by_id:
            say.info(
                f"There is no run {run_id[:80]} here: it was deleted, or the link"
                " is to another computer's run.",
                icon=":material/link_off:",
            )
    return [by_id[run_id] for run_id in asked if run_id in by_id]


heading()
everything = engine.store().runs()
found = readable(everything)
if found:
    listing(found)
else:
    pick.missing("There are no runs yet.")
lost = engine.store().damaged()
notices(lost)
strangers([*everything, *lost])
ticked = chosen(found)
if len(ticked) == 1:
    card.show(ticked[0])
elif ticked:
    contrast.show(ticked)
