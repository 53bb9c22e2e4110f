"""What most people ask for first, so that it is ready before they come.

The first look of every page, and the next few episodes behind "New episode": those are what a class
presses when it begins.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from metacore import DATASETS, PRESETS, Run, Store, UserError, answers, preset
from metacore.answers import EpisodeSpec, Question
from metacore.answers.episode_spec import drawn_queries
from metacore.answers.questions import Drawn, Learned, Loadable, Possible, Room
from pages.ui import engine, pick, waves
from pages.ui.adapt import effect, scene
from pages.ui.adapt.choice import AdaptChoice, usual
from pages.ui.compare import choice as compared
from pages.ui.compare import duel, mistakes
from pages.ui.prototypes import choice as prototypes
from pages.ui.prototypes.embedding import EpisodePictures
from pages.ui.train import plan, sample_episode

EPISODES = 4  # the first, and those that follow it
DRAWINGS = 20  # of a class of the glyphs that come with Metacore


def prepare() -> None:
    """Has the pool answer them when it has nothing else to do."""
    try:
        answers.desk().prepare(first_looks())
    except UserError as error:  # a damaged store, say: pages that need it will show the sentence
        logging.getLogger(__name__).warning("Nothing is prepared: %s", error)


def first_looks() -> Iterator[Question[Any]]:
    """The first episode of every page before the next of any."""
    runs = {run.id: run for run in Store().runs() if engine.weights_of(run)}
    for number in range(EPISODES):
        yield from _start(runs, number)
        yield from _adapt(runs, number)
        yield from _prototypes(runs, number)
        yield from _compare(runs, number)
    yield from _train()


def _start(runs: dict[str, Run], number: int) -> Iterator[Question[Any]]:
    learned, scratch = (runs.get(f"{name}-sinusoid") for name in ("maml", "scratch"))
    if learned and scratch:
        spec = EpisodeSpec.like(learned, seed=waves.TYPICAL[number])
        yield from waves.questions(learned, scratch, spec)


def _adapt(runs: dict[str, Run], number: int) -> Iterator[Question[Any]]:
    for alike in pick.groups([*runs.values()]).values():
        run = usual(alike)
        spec = EpisodeSpec.like(run, seed=number)
        if not spec.regression:
            spec = replace(spec, queries=drawn_queries(spec.ways, spec.queries))
        choice = AdaptChoice(
            runs=(run,), spec=spec, steps=None, norm=None, choosing=False, words_place=None
        )
        asked = scene.questions_of(choice)
        yield from asked.questions
        if number == 0:
            yield from (part.background for part in asked.of_runs)
            quick = [mode for mode in run.config.norms if mode != effect.SLOW]
            yield from (effect.in_mode(run, choice, mode) for mode in quick)


def _prototypes(runs: dict[str, Run], number: int) -> Iterator[Question[Any]]:
    found, seed = [run for run in runs.values() if not pick.regression(run)], prototypes.EPISODE
    if found:
        run, seed = prototypes.first(found), seed + number
        chosen = prototypes.usual(run, seed, DRAWINGS)
        yield Room(spec=prototypes.drawn(run, seed))
        yield EpisodePictures(spec=chosen.spec, theme="dark")
        yield from replace(chosen, theme="light").questions


def _compare(runs: dict[str, Run], number: int) -> Iterator[Question[Any]]:
    alike = next(iter(pick.groups([*runs.values()]).values()), [])
    meet = pick.varied(alike, most=compared.FIRST_RUNS, least=2)
    if len(meet) < 2 or pick.regression(meet[0]):
        return
    first = meet[0].config
    task = {"norm": None, "steps": None, **first.task.to_dict()}
    chosen = compared.CompareChoice(runs=tuple(meet), dataset=first.dataset, **task)
    yield from (Loadable(learned=Learned.by(run)) for run in meet)
    yield Drawn(spec=chosen.spec(0))
    yield from duel.questions(chosen, chosen.spec(number))
    if number == 0:
        yield Room(spec=chosen.spec(0))
        yield mistakes.asked_of(meet[0], chosen, mistakes.USUAL, 0)


def _train() -> Iterator[Question[Any]]:
    for dataset in DATASETS:
        config = preset(plan.first(dataset), dataset, PRESETS[0])
        yield from (sample_episode.wanted(config, seed) for seed in range(EPISODES))
        yield Possible(config=config.replace(seed=0))
