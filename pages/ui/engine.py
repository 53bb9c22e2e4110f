"""The engine as pages see it: one store, and learners and adaptations that stay in memory.

What is cached is keyed by what it depends on: a run's weights by when they were written, so a run
that has gone on training is read anew.
"""

from pathlib import Path

import streamlit as st

from metacore import Learner, Run, RunConfig, Store, UserError, build, load
from metacore.answers.asked import Asked
from metacore.device import describe, resolve, suited_threads
from metacore.home import runs_folder
from metacore.insight import reference
from metacore.insight.trace import Trace, trace
from metacore.runs import Metric, files
from pages.ui import visitor
from pages.ui.adapt.others import Others

MANY = 100  # episodes behind the one that is looked at


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


def learner(run: Run) -> Learner:
    """What the run has learned, at its best validation so far."""
    written = weights_of(run)
    if written is None:
        raise UserError(f"{run.name} has no weights yet: wait for its first validation.")
    return _learner(str(run.folder), written, run)


@st.cache_resource(show_spinner=False, max_entries=16)
def _learner(folder: str, written: float, _run: Run) -> Learner:
    return load(_run)


def adapted(run: Run, asked: Asked, *, steps: int | None = None, norm: str | None = None) -> Trace:
    """The run's adaptation to one episode, with features."""
    return _trace(str(run.folder), weights_of(run), asked, steps, norm, run)


@st.cache_resource(show_spinner=False, max_entries=128)
def _trace(
    folder: str,
    written: float | None,
    asked: Asked,
    steps: int | None,
    norm: str | None,
    _run: Run,
) -> Trace:
    found = learner(_run)
    episode = asked.episode(found.device)
    with suited_threads(small=True):  # one task alone: a second thread would only wait
        return trace(found, episode, steps=steps, norm=norm)


def others(run: Run, asked: Asked, *, steps: int | None = None, norm: str | None = None) -> Others:
    """A hundred other test episodes of the same kind, to be gone through a few at a time."""
    return _others(str(run.folder), weights_of(run), asked.others(), steps, norm, run)


@st.cache_resource(show_spinner=False, max_entries=64)
def _others(
    folder: str,
    written: float | None,
    asked: Asked,
    steps: int | None,
    norm: str | None,
    _run: Run,
) -> Others:
    return Others(learner(_run), asked, MANY, steps=steps, norm=norm)


def from_scratch(
    run: Run, asked: Asked, *, steps: int | None = None, norm: str | None = None
) -> Trace:
    """The same network, adapted to the same episode from a random start."""
    return _from_scratch(reference.from_scratch(run.config), asked, steps, norm)


@st.cache_resource(show_spinner=False, max_entries=64)
def _from_scratch(config: RunConfig, asked: Asked, steps: int | None, norm: str | None) -> Trace:
    found = _untrained(config)
    with suited_threads(small=True):
        return trace(found, asked.episode(found.device), steps=steps, norm=norm, features=False)


@st.cache_resource(show_spinner=False, max_entries=8)
def _untrained(config: RunConfig) -> Learner:
    return build(config, device="auto")


def metrics(run: Run) -> list[Metric]:
    """All a run has reported."""
    return store().metrics(run)
