"""Choosing runs: named, ordered and kept in the URL, so that a page can be linked to."""

from collections.abc import Callable, Collection, Mapping, Sequence

import streamlit as st

from metacore import Run
from metacore.algorithms import ALGORITHMS
from pages.ui import engine, words


def usable(accept: Callable[[Run], bool] = lambda run: True) -> list[Run]:
    """Runs with weights to look at: one's own first, then those that came with Metacore."""
    return [run for run in engine.store().runs() if engine.weights_of(run) and accept(run)]


def title(run: Run) -> str:
    return str(run.config.algorithm_class.title)


def label(run: Run) -> str:
    origin = " · pretrained" if run.read_only else ""
    return f"{words.clean(run.name)} · {words.quoted(run)}{origin}"


def one(found: Sequence[Run], *, key: str = "run", help: str) -> Run:
    """A picker of one run; `found` is not empty."""
    by_id = {run.id: run for run in found}
    ids = _linked(key, by_id)
    if ids is not None or st.session_state.get(key) not in by_id:
        st.session_state[key] = ids[0] if ids else found[0].id
    chosen = st.selectbox("Run", [*by_id], format_func=_labels(by_id), key=key, help=help)
    _link(key, [chosen], usual=[found[0].id])
    return by_id[chosen]


def several(
    found: Sequence[Run], default: Sequence[Run], *, key: str = "runs", most: int = 6, help: str
) -> list[Run]:
    """A picker of some runs, in the order they were picked."""
    by_id = {run.id: run for run in found}
    usual = [run.id for run in default]
    ids = _linked(key, by_id)
    chosen = st.session_state.get(key, []) if ids is None else (ids or usual)
    st.session_state[key] = [run_id for run_id in chosen if run_id in by_id][:most]
    chosen = st.multiselect(
        "Runs", [*by_id], format_func=_labels(by_id), key=key, max_selections=most, help=help
    )
    _link(key, chosen, usual=usual)
    return [by_id[run_id] for run_id in chosen if run_id in by_id]


def leading(found: Sequence[Run], key: str = "runs") -> Run | None:
    """The run the picker of this key will show first, if it is known before it is drawn."""
    by_id = {run.id: run for run in found}
    ids = _linked(key, by_id)
    ids = st.session_state.get(key, []) if ids is None else ids
    return next((by_id[run_id] for run_id in ids if run_id in by_id), None)


def _labels(by_id: Mapping[str, Run]) -> Callable[[str], str]:
    return lambda run_id: label(by_id[run_id]) if run_id in by_id else run_id


def _linked(key: str, known: Collection[str]) -> list[str] | None:
    """The runs the URL asks for, if it is new; None while it says what this picker last wrote.

    A bound widget would write labels into the URL, and links carry ids.
    """
    asked = st.query_params.get_all(key)
    if key in st.session_state and asked == st.session_state.get(f"{key} in the link"):
        return None
    return list(dict.fromkeys(run_id for run_id in asked if run_id in known))


def _link(key: str, ids: list[str], *, usual: list[str]) -> None:
    """Writes what is chosen into the URL; what is chosen anyway is not added to it."""
    there = st.query_params.get_all(key)
    if ids == usual and not there:
        ids = []
    if ids != there:
        if ids:
            st.query_params[key] = ids
        else:
            st.query_params.pop(key, None)
    st.session_state[f"{key} in the link"] = ids


def kind(run: Run) -> str:
    """The algorithm's name, as palettes and registries know it."""
    return str(run.values["algorithm"]["name"])


def missing(what: str) -> None:
    """What a page says where there is nothing to look at yet."""
    st.info(f"{what} Train one first: it takes less than a minute.", icon=":material/school:")
    st.page_link("lab/train.py", label="Train a run", icon=":material/model_training:")


def family(run: Run) -> str:
    return ALGORITHMS[kind(run)].family
