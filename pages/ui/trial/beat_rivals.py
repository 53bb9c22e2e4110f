"""The runs a person plays against, and what they answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from metacore import Run, UserError
from metacore.device import resolve
from metacore.insight import contest
from metacore.insight.contest import Answer, Contest, Puzzle
from pages.ui import charts, engine, palette, pick, say, state
from pages.ui.trial import beat_link

USUAL = ("maml-glyphs", "protonet-glyphs", "scratch-glyphs")


@dataclass(frozen=True)
class Rival:
    run: Run
    name: str
    color: str


def possible() -> list[Run]:
    """Runs that see drawings."""
    return pick.usable(lambda run: not run.config.dataset_class.regression)


def usual(found: Sequence[Run]) -> list[Run]:
    known = [run for run in found if run.id in USUAL]
    return sorted(known, key=lambda run: USUAL.index(run.id)) or list(found[:3])


def rivals(of: Contest) -> list[Rival]:
    """Those the address names, as far as they can play; why others cannot is said."""
    found = possible()
    by_id = {run.id: run for run in found}
    named = [by_id[key] for key in state.get(beat_link.RUNS) if key in by_id]
    return _named([run for run in named or usual(found) if _plays(run, of)])


def _plays(run: Run, of: Contest) -> bool:
    try:
        engine.learner(run)
        unfair = contest.unfair(run.config, of)
    except UserError as error:
        unfair = str(error)
    if unfair:
        say.warning(f"{run.name} is left out: {unfair}", icon=":material/broken_image:")
    return not unfair


def _named(runs: Sequence[Run]) -> list[Rival]:
    """By algorithm; two of one algorithm by their own names."""
    kinds = [pick.kind(run) for run in runs]
    colors = palette.run_colors(kinds, charts.theme())
    names = [
        run.name if kinds.count(kind) > 1 else pick.title(run)
        for run, kind in zip(runs, kinds, strict=True)
    ]
    return [Rival(*each) for each in zip(runs, names, colors, strict=True)]


def shown(of: Contest, number: int) -> Puzzle:
    """The puzzle of this round, to look at."""
    return _puzzle(of, number, "cpu")


def answer(rival: Rival, of: Contest, number: int) -> Answer | None:
    """What the run says to this round; None if it cannot, which is said."""
    run = rival.run
    written = engine.weights_of(run)
    try:
        _warmed(str(run.folder), written, of.difficulty.ways, of.shots, of, run)
        return _answer(str(run.folder), written, of, number, run)
    except UserError as error:
        say.warning(f"{run.name} is left out: {error}", icon=":material/broken_image:")
        return None


@st.cache_resource(show_spinner=False, max_entries=64)
def _puzzle(of: Contest, number: int, device: str) -> Puzzle:
    return of.puzzle(number, resolve(device))


@st.cache_resource(show_spinner=False, max_entries=64)
def _warmed(
    folder: str, written: float | None, ways: int, shots: int, _of: Contest, _run: Run
) -> None:
    """A run's very first answer takes twice as long as any other: it goes uncounted."""
    learner = engine.learner(_run)
    contest.answer(learner, _puzzle(_of, 0, str(learner.device)))


@st.cache_resource(show_spinner=False, max_entries=512)
def _answer(folder: str, written: float | None, of: Contest, number: int, _run: Run) -> Answer:
    learner = engine.learner(_run)
    return contest.answer(learner, _puzzle(of, number, str(learner.device)))
