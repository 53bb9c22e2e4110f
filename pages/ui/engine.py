"""The engine as pages see it: one store, and the questions they ask about runs.

A question names what its answer depends on: a run's weights by when they were written, so a run
that has gone on training is asked about anew.
"""

from dataclasses import replace
from pathlib import Path

import streamlit as st

from metacore import Run, Store, UserError
from metacore.answers.episode_spec import EpisodeSpec
from metacore.answers.questions import (
    Adaptation,
    BackgroundEpisodes,
    Learned,
    Showings,
    StreamOf,
)
from metacore.device import describe, resolve
from metacore.home import runs_folder
from metacore.insight import reference
from metacore.runs import files
from pages.ui import visitor


def store() -> Store:
    """As whoever looks at the page may use it."""
    return _store(str(runs_folder())).used_by(visitor.current())


@st.cache_resource(show_spinner=False)
def _store(folder: str) -> Store:
    """Opening a store checks its whole database: once is enough."""
    return Store(Path(folder))


def find(run_id: str | None) -> Run | None:
    """The run with this id, or None if there is none (any more)."""
    try:
        return store().get(run_id) if run_id else None
    except UserError:
        return None


@st.cache_resource(show_spinner=False)
def device() -> dict[str, str | int]:
    """What runs are trained on here: name, memory, kind."""
    return describe(resolve("auto"))


def weights_of(run: Run) -> float | None:
    """When the weights a page would load were written; None if there are none yet."""
    times = [file.stat().st_mtime for file in run.folder.glob("*.safetensors")]
    return max(times, default=None)


def weights_flaw(run: Run) -> str:
    """What is wrong with its checkpoints; a run that is being trained writes new ones anyway."""
    return "" if run.active else _weights_flaw(str(run.folder), weights_of(run))


@st.cache_data(show_spinner=False, max_entries=256)
def _weights_flaw(folder: str, written: float | None) -> str:
    return files.flaw(Path(folder))


def adaptation(
    run: Run,
    spec: EpisodeSpec,
    *,
    steps: int | None = None,
    norm: str | None = None,
    features: bool = False,
) -> Adaptation:
    """The run's adaptation to one episode."""
    return Adaptation(learned=Learned.by(run), spec=spec, steps=steps, norm=norm, features=features)


def background(
    run: Run, spec: EpisodeSpec, *, steps: int | None = None, norm: str | None = None
) -> BackgroundEpisodes:
    """A hundred other test episodes of the same kind."""
    return BackgroundEpisodes(
        learned=Learned.by(run), spec=spec.background(), steps=steps, norm=norm
    )


def from_scratch(
    run: Run, spec: EpisodeSpec, *, steps: int | None = None, norm: str | None = None
) -> Adaptation:
    """The same network, adapted to the same episode from a random start."""
    untrained = Learned(reference.from_scratch(run.config))
    return Adaptation(learned=untrained, spec=spec, steps=steps, norm=norm, features=False)


def showings(run: Run, spec: EpisodeSpec, *, norm: str | None = None) -> Showings:
    """What the run knows of a class at its first, second, … showing."""
    kind = replace(spec.background(), shots=1, queries=1)  # a stream has as many as there are
    return Showings(learned=Learned.by(run), spec=kind, norm=norm)


def stream(run: Run, spec: EpisodeSpec, *, norm: str | None = None) -> StreamOf:
    """One episode as a stream of drawings."""
    return StreamOf(learned=Learned.by(run), spec=spec, norm=norm)
