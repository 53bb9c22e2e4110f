"""Runs that teach others: who may, who is the best of them, and what one hands over.

A teacher is named in the record of the run it teaches. It is needed for training only: whoever is
finished, or was imported, is asked without it.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from metacore.errors import UserError
from metacore.runs.files import load_params
from metacore.runs.job import FINISHED
from metacore.runs.record import Run
from metacore.settings import settings_of
from metacore.training.config import RunConfig
from metacore.training.learner import Learner, build


def with_teacher(runs: Sequence[Run], config: RunConfig) -> RunConfig:
    """The config with its teacher by name, if it wants one; raises UserError if there is none."""
    if config.teacher is None:
        return config
    name: Any = {setting: find(runs, config).name for setting in _settings(config)}
    return config.replace(algorithm=replace(config.algorithm, **name))


def learner(runs: Sequence[Run], config: RunConfig) -> Learner:
    """What a training starts from, its teacher included."""
    if config.teacher is None:
        return build(config)
    run = find(runs, config)
    return build(config, teacher=build(run.config, load_params(run.folder), config.device))


def find(runs: Sequence[Run], config: RunConfig) -> Run:
    """The run that teaches; the best that could where none is named."""
    asked = config.teacher
    if not asked:
        able = fitting(runs, config)
        if not able:
            kind, source = config.algorithm_class, config.dataset_class
            raise UserError(
                f"There is no finished run on {source.title} that {kind.title} could learn from:"
                f" train one first ({kind.learns_from}), or set its weight to 0."
            )
        return able[0]
    found = [run for run in runs if run.id == asked] or [run for run in runs if run.name == asked]
    if not found:
        raise UserError(f"There is no run {asked!r} to learn from: it may have another name now.")
    if why := why_not(found[0], config):
        raise UserError(f"{found[0].name} cannot be its teacher: {why}.")
    return found[0]


def fitting(runs: Sequence[Run], config: RunConfig) -> list[Run]:
    """Those that could teach it, the best first: by their validations, those on its own tasks
    before those on others."""
    able = [run for run in runs if run.best_value is not None and not why_not(run, config)]
    return sorted(able, key=lambda run: (run.config.task != config.task, -(run.best_value or 0)))


def why_not(run: Run, config: RunConfig) -> str:
    """Why a run cannot teach another, as the end of a sentence; empty where it can."""
    if run.status != FINISHED:
        return f"it is {run.status}, not finished"
    if not any(run.folder.glob("*.safetensors")):
        return "it has no weights"
    own, kind = run.config, config.algorithm_class
    if not own.learns and not own.model.pretrained:
        return "it has not learned anything beforehand"
    if own.dataset != config.dataset or own.dataset_class is not config.dataset_class:
        there, here = own.dataset_class.title, config.dataset_class.title
        same = there == here
        return f"it was trained on {there}{' with other settings' if same else f', not on {here}'}"
    ways = config.training_task()["ways"]
    if not own.algorithm_class.can_answer(own.algorithm, trained=own.ways, ways=ways):
        return (
            f"it answers tasks of {own.ways} ways, and the training tasks have {ways}: set"
            f" train_ways to {own.ways}, or choose another one"
        )
    try:
        return kind.lacking(own.algorithm_class, partial(load_params, run.folder))
    except UserError:
        return "its weights cannot be read"


def untaught_twin(runs: Sequence[Run], run: Run) -> Run | None:
    """The same run learning alone, if there is one: same data, network, training and seed."""
    alone = run.config.untaught().replace(device="auto")
    for other in runs:
        if other.status == FINISHED and other.values.get("algorithm", {}).get("name") == (
            alone.algorithm_class.name
        ):
            config = other.config
            if config.teacher is None and config.untaught().replace(device="auto") == alone:
                return other
    return None


def _settings(config: RunConfig) -> list[str]:
    return [each.name for each in settings_of(config.algorithm) if each.run]
