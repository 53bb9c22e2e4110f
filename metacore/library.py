"""What a notebook calls: train, load, evaluate, trace and compare runs in a line each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from metacore import datasets
from metacore.datasets import DATASETS
from metacore.device import resolve
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.insight import cost as costs
from metacore.insight import trace as tracing
from metacore.insight.cost import Cost
from metacore.insight.trace import Trace
from metacore.randomness import generator
from metacore.runs import Run, Store, execute, load_params, teachers
from metacore.runs.shared_episodes import dataset_for, evaluate_on_same_episodes
from metacore.settings import Config, settings_of
from metacore.statistics import PairedDifference
from metacore.training import evaluate as evaluation
from metacore.training.config import RunConfig, lookup
from metacore.training.conversion import seen_by
from metacore.training.evaluate import Evaluation
from metacore.training.learner import Learner, build
from metacore.training.trainer import Callback

Reference = Run | Learner | str  # a run, what it learned, or its id or name


def train(
    config: RunConfig,
    *,
    name: str | None = None,
    callbacks: Sequence[Callback] = (),
    store: Store | None = None,
) -> Run:
    """Trains here and now, and returns the run as it ended; raises UserError if it failed."""
    store = store or Store()
    rehearse(config, store)
    run = execute(store, store.create(config, name, here=True), callbacks)
    if run.status == "failed":
        raise UserError(run.message)
    return run


def rehearse(config: RunConfig, store: Store | None = None) -> list[str]:
    """Draws a task of each split and looks for its teacher: what cannot be trained is refused
    before there is a run of it. Returns what there is to know of the data."""
    if config.teacher is not None:
        teachers.find((store or Store()).runs(), config)
    config.model.refuse_missing()
    dataset = datasets.load(config.dataset, resolve(config.device))
    task = config.task.to_dict()
    for split, asked in (("train", config.training_task()), ("val", task), ("test", task)):
        if split != "train" or config.learns:
            chance = generator(config.seed, "rehearsal")
            dataset.sample(split, tasks=1, **asked, generator=chance)
    return dataset.notes()


def load(run: Reference, *, device: str = "auto", which: str = "best") -> Learner:
    """What a run has learned: its `best` weights by validation, or its `last`."""
    if isinstance(run, Learner):
        return run
    if isinstance(run, str):
        run = Store().get(run)
    return build(run.config, load_params(run.folder, which), device)


def evaluate(
    run: Reference,
    *,
    dataset: str | Config | None = None,
    device: str = "auto",
    **protocol: Any,
) -> Evaluation:
    """The run's score over fixed test episodes; see `metacore.training.evaluate.evaluate`."""
    learner = load(run, device=device)
    convert = bool(protocol.get("convert"))
    source = dataset_for(learner, _source(learner, dataset), convert=convert)
    return evaluation.evaluate(learner, dataset=source, **protocol)


@dataclass(frozen=True)
class Comparison:
    """Runs on the same episodes, and every pair's difference."""

    names: list[str]
    learners: list[Learner]
    evaluations: list[Evaluation]
    differences: list[PairedDifference]


def compare(
    runs: Sequence[Run | str],
    *,
    dataset: str | Config | None = None,
    device: str = "auto",
    progress: Callable[[int], None] | None = None,
    **protocol: Any,
) -> Comparison:
    """Evaluates runs on the same episodes; what is not given is as the first was trained.

    `progress` hears how many episodes are done, over all runs.
    """
    if len(runs) < 2:
        raise UserError("Name at least two runs to compare.")
    found = [Store().get(run) if isinstance(run, str) else run for run in runs]
    learners = [load(run, device=device) for run in found]
    source = _source(learners[0], dataset)
    task = learners[0].config.task.to_dict()
    asked = {**task, **{name: value for name, value in protocol.items() if value is not None}}
    evaluations = evaluate_on_same_episodes(learners, source, progress=progress, **asked)
    names = [run.name for run in found]
    return Comparison(names, learners, evaluations, evaluation.compare(names, evaluations))


def trace(
    run: Reference,
    episode: Episode | None = None,
    *,
    dataset: str | Config | None = None,
    seed: int = 0,
    numbers: range = range(1),
    device: str = "auto",
    convert: bool = False,
    **options: Any,
) -> Trace:
    """An adaptation step by step: to `episode`, or to test episodes named by seed and numbers."""
    learner = load(run, device=device)
    if episode is None:
        task = learner.config.task.to_dict()
        source = dataset_for(learner, _source(learner, dataset), convert=convert)
        drawn = source.episodes("test", **task, seed=seed, numbers=numbers)
        episode = seen_by(learner, source, drawn)
    return tracing.trace(learner, episode, **options)


def cost(
    run: Reference,
    *,
    dataset: str | Config | None = None,
    split: str = "test",
    seed: int = 0,
    device: str = "auto",
    steps: int | None = None,
    norm: str | None = None,
    convert: bool = False,
    **task: int,
) -> Cost:
    """What the run keeps of a task and what one costs it; `task` may say ways, shots, queries."""
    learner = load(run, device=device)
    asked = {**learner.config.task.to_dict(), **task}
    source = dataset_for(learner, _source(learner, dataset), convert=convert)
    drawn = source.episodes(split, **asked, seed=seed, numbers=range(1))
    return costs.cost(learner, seen_by(learner, source, drawn), steps=steps, norm=norm)


def _source(learner: Learner, wanted: str | Config | None) -> Config:
    """The dataset that is meant: by default, or by its name, the learner's own variant of it.

    `folder:PATH` names one in a folder.
    """
    if wanted is None or wanted == learner.dataset.name:
        return learner.config.dataset
    if not isinstance(wanted, str):
        return wanted
    name, _, path = wanted.partition(":")
    kind: Config = lookup(DATASETS, "dataset", name).Config()
    return _in_folder(kind, name, path) if path else kind


def _in_folder(config: Config, name: str, path: str) -> Config:
    setting = next((each.name for each in settings_of(config) if each.path), None)
    if setting is None:
        raise UserError(f"{name} is in no folder: name it without {path!r}.")
    return replace(config, **{setting: path})
