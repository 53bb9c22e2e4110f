"""Choosing runs: named, ordered and kept in the URL, so that a page can be linked to."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any

import streamlit as st

from metacore import Run, UserError
from metacore.algorithms import by_turns
from metacore.pictures import INK
from metacore.training.config import refuse_other_inputs
from pages.ui import charts, engine, palette, state, widgets, words

RUNS = "run"  # what every page calls the runs it is about, in its address


def usable(accept: Callable[[Run], bool] = lambda run: True) -> list[Run]:
    """Runs with weights to look at: one's own first, then those that came with Metacore."""
    runs = (run for run in engine.store().runs() if engine.weights_of(run) and _readable(run))
    return [run for run in runs if accept(run)]


def _readable(run: Run) -> bool:
    """Whether its settings are known here: another version of Metacore may have had others."""
    try:
        return bool(run.config)
    except UserError:
        return False


def title(run: Run) -> str:
    return str(run.config.algorithm_class.title)


def label(run: Run) -> str:
    origin = " · pretrained" if run.read_only else ""
    return f"{words.clean(run.name)} · {words.quoted(run)}{origin}"


def one(found: Sequence[Run], *, name: str = "run", usual: str = "", help: str) -> Run:
    """A picker of one run; `found` is not empty."""
    by_id = {run.id: run for run in found}
    missed(name, by_id)
    labels = {run_id: label(run) for run_id, run in by_id.items()}
    chosen = widgets.select(st, "Run", name, labels, usual=usual, varies=True, help=help)
    return by_id[chosen]


def several(
    found: Sequence[Run], default: Sequence[Run], *, name: str = RUNS, most: int, help: str
) -> list[Run]:
    """A picker of some runs, in the order they were picked."""
    by_id = {run.id: run for run in found}
    missed(name, by_id)
    labels = {run_id: label(run) for run_id, run in by_id.items()}
    usual = [run.id for run in default]
    chosen = widgets.several(
        st, "Runs", name, labels, usual=usual, most=most, varies=True, help=help
    )
    return [by_id[run_id] for run_id in chosen]


def missed(name: str, known: Collection[str]) -> None:
    """Says of runs the address asks for, and this page cannot show, why; forgets them."""
    asked = state.get(name)
    there = [run_id for run_id in asked if run_id in known or run_id == state.NONE]
    if len(there) == len(asked):
        return
    for run_id in asked:
        if run_id not in there and state.came_with_link(name):
            state.note(_why_not(run_id))
    state.put(name, *there)


def _why_not(run_id: str) -> str:
    run = engine.find(run_id)
    if run is None:
        return (
            f"There is no run {words.plain(run_id[:40])} here: it was deleted, or the link is from"
            " another computer."
        )
    why = "does not fit this page" if engine.weights_of(run) else "has no weights yet"
    return f"{words.plain(run.name)} {why}: it is left out."


def alike(
    found: Sequence[Run],
    place: Any,
    *,
    linked: Sequence[str] = (),
    changed: Callable[[], None],
    convert: bool = False,
    offer: str = "",
) -> list[Run]:
    """Runs whose inputs fit: a network that sees drawings cannot be asked about curves.

    They are those that fit the run the address names first, else the first of `linked`. With
    `convert` all that see pictures fit; `offer` is what could be done for those that do not.
    """
    there = groups(found, convert=convert)
    if len(there) == 1:
        return list(found)
    by_id = {run.id: run for run in found}
    named = [by_id[run_id] for run_id in (*state.heard(RUNS), *linked) if run_id in by_id]
    if named:
        own = max(there, key=lambda kind: _belong(named, there[kind]))
        state.settle("kind", own, usual=next(iter(there)))
        _leave_out_others(named, there[own], offer)
    kind = widgets.switch(
        place,
        "Tasks",
        "kind",
        [*there],
        on_change=changed,
        help="What runs learned from: those with other inputs cannot share an episode.",
    )
    return there[kind]


def groups(found: Sequence[Run], *, convert: bool = False) -> dict[str, list[Run]]:
    """Runs whose inputs fit, by what these are: pictures before curves, and what came with
    Metacore before other sizes. One may be in several groups, last in those it was not made for."""
    together: list[list[Run]] = []
    for run in found:
        own = (runs for runs in together if _fit(runs[0], run, convert=convert))
        if (runs := next(own, None)) is not None:
            runs.append(run)
        else:
            together.append([run])
    for runs in together:  # a network that takes any picture can meet all who see some
        if not regression(runs[0]):
            runs += [run for run in found if run.config.model.any_picture and run not in runs]
    together.sort(key=lambda runs: (regression(runs[0]), not any(run.read_only for run in runs)))
    kinds = [_inputs(runs) for runs in together]
    named: dict[str, list[Run]] = {}
    for kind, runs in zip(kinds, together, strict=True):
        config = runs[0].config
        size = config.dataset_class.described(config.dataset)
        label = f"{kind} ({size})" if kinds.count(kind) > 1 else kind
        shape = " x ".join(map(str, config.input_shape))
        named[f"{kind} of {shape}" if label in named else label] = runs
    return named


def _belong(named: Sequence[Run], group: Sequence[Run]) -> tuple[int, int]:
    """How much these runs belong to a group; the first of them decides between equals."""
    place = group.index(named[0]) if named[0] in group else len(group)
    return sum(run in group for run in named), -place


def _fit(one: Run, other: Run, *, convert: bool) -> bool:
    """Whether what one learned from is what the other learned from, as a network sees it."""
    kinds = regression(one), regression(other)
    same = kinds[0] == kinds[1] and one.config.input_shape == other.config.input_shape
    return same or (convert and one.config.converts(other.config.dataset))


def _inputs(runs: Sequence[Run]) -> str:
    """What they see, in the plural."""
    if regression(runs[0]):
        return "Curves"
    own = [run.config for run in runs if not run.config.model.any_picture] or [runs[0].config]
    items = {config.dataset_class.item for config in own}
    shapes = {config.input_shape for config in own}
    if len(items) == len(shapes) == 1:
        return f"{items.pop()}s".capitalize()
    return "Drawings" if {shape[0] for shape in shapes} == {INK} else "Pictures"


def _leave_out_others(named: Sequence[Run], fitting: Sequence[Run], offer: str) -> None:
    """Says of runs the address names beside others why they cannot share an episode with them."""
    for run in named:
        if run not in fitting and run.id in state.get(RUNS):
            try:
                refuse_other_inputs(run.config, named[0].config.dataset, run.name, convert=None)
            except UserError as why:
                pictures = run.config.converts(named[0].config.dataset)
                state.note(words.plain(f"{why} {offer if pictures else ''}".strip()))
            state.put(RUNS, *(run_id for run_id in state.get(RUNS) if run_id != run.id))


def varied(found: Sequence[Run], *, most: int, least: int = 0) -> list[Run]:
    """One run of each algorithm, as they came with Metacore where they did, of the dataset most of
    them learned from where there is one, neighbours as different as can be; then others, until
    there are `least`."""
    shelf = [run for run in found if run.read_only] or found
    firsts = {kind(run): run for run in reversed(_at_home_first(shelf))}
    chosen = [firsts[name] for name in by_turns(firsts)]
    more = [run for run in found if run not in chosen]
    return [*chosen, *more][: max(least, min(most, len(chosen)))]


def _at_home_first(found: Sequence[Run]) -> list[Run]:
    """Those of the most frequent dataset before others; without guests, whose network takes any
    picture, if it is not theirs."""
    datasets = Counter(run.config.dataset_class for run in found)
    if not datasets:
        return []
    ((home, _),) = datasets.most_common(1)
    guests = [run for run in found if run.config.model.any_picture]
    hosts = [run for run in found if run.config.dataset_class is home or run not in guests]
    return sorted(hosts, key=lambda run: run.config.dataset_class is not home)


def preferred(found: Sequence[Run], accept: Callable[[Run], bool]) -> Run:
    """One that is as wanted, of those that came with Metacore if there is one; else the first."""
    ordered = varied(found, most=len(found), least=len(found))
    return next(filter(accept, ordered), found[0])


def narrowest(runs: Sequence[Run]) -> Run:
    """The first that cannot be shown just any picture: what all can be shown is what it can."""
    return next((run for run in runs if not run.config.model.any_picture), runs[0])


def regression(run: Run) -> bool:
    """Whether it learned curves."""
    return bool(run.config.dataset_class.regression)


def names(runs: Sequence[Run]) -> list[str]:
    """By algorithm; several of one algorithm by their own names."""
    kinds = [kind(run) for run in runs]
    return [run.name if kinds.count(kind(run)) > 1 else title(run) for run in runs]


def colors(runs: Sequence[Run]) -> list[str]:
    return palette.run_colors([kind(run) for run in runs], charts.theme())


LINKS = {
    "train": ("Its training", ":material/model_training:"),
    "adapt": ("Adapt", ":material/trending_down:"),
    "prototypes": ("Prototypes", ":material/scatter_plot:"),
    "compare": ("Compare", ":material/balance:"),
}


def links(run: Run, *pages: str) -> None:
    """Links to these pages, where they are about this run; curves have no prototypes."""
    for page in pages:
        if page != "prototypes" or not regression(run):
            label, icon = LINKS[page]
            query = {RUNS: run.id}
            st.page_link(f"lab/{page}.py", label=label, icon=icon, query_params=query)


def kind(run: Run) -> str:
    """The algorithm's name, as palettes and registries know it."""
    return str(run.values["algorithm"]["name"])


def missing(what: str) -> None:
    """What a page says where there is nothing to look at yet."""
    st.info(f"{what} Train one first: it takes less than a minute.", icon=":material/school:")
    st.page_link("lab/train.py", label="Train a run", icon=":material/model_training:")
