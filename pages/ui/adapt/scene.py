"""What the chosen runs do with the chosen episode, and what they are held against."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from metacore import Run, UserError
from metacore.algorithms.baselines import Scratch
from metacore.episode import Episode
from metacore.insight.trace import Trace
from pages.ui import charts, engine, palette, pick, say
from pages.ui.adapt.choice import Choice, unless_own
from pages.ui.adapt.others import Others

FEW_STEPS = 20  # of the reference, unless more are asked for


@dataclass(frozen=True, kw_only=True)
class Actor:
    """One run in the film."""

    run: Run
    name: str
    color: str
    trace: Trace
    others: Others  # the same, on a hundred other episodes

    @property
    def kind(self) -> str:
        return pick.kind(self.run)

    @property
    def dash(self) -> str:
        return palette.svg_dash(self.kind)

    @property
    def at_once(self) -> bool:
        """It adapts in a single computation."""
        return len(self.trace.steps) == 1 and pick.family(self.run) == "metric"

    @property
    def trained_steps(self) -> int:
        """Inner steps while meta-training; 0 where there were none."""
        return int(getattr(self.run.config.algorithm, "inner_steps", 0))


@dataclass(frozen=True, kw_only=True)
class Scene:
    choice: Choice
    episode: Episode
    actors: Sequence[Actor]
    scratch: Trace | None  # the first run's network from a random start

    @property
    def first(self) -> Actor:
        return self.actors[0]

    @property
    def regression(self) -> bool:
        return self.choice.asked.regression

    @property
    def steps(self) -> list[int]:
        """Of the longest adaptation."""
        traces = [actor.trace for actor in self.actors]
        return max((t.steps for t in [*traces, *([self.scratch] if self.scratch else [])]), key=len)


def stage(choice: Choice) -> Scene | None:
    """Adapts; what cannot be done is said in a sentence, and the rest goes on without it."""
    try:
        episode = choice.asked.episode()
    except UserError as error:
        say.error(f"There is no such episode: {error}", icon=":material/rule:")
        return None
    with st.spinner("Adapting…"):
        actors = _actors(choice)
        scratch = _scratch(choice, actors) if actors else None
    if not actors:
        return None
    return Scene(choice=choice, episode=episode, actors=actors, scratch=scratch)


def _actors(choice: Choice) -> list[Actor]:
    kinds = [pick.kind(run) for run in choice.runs]
    colors = palette.run_colors(kinds, charts.theme())
    actors = []
    for run, color in zip(choice.runs, colors, strict=True):
        name = run.name if kinds.count(pick.kind(run)) > 1 else pick.title(run)
        norm = unless_own(run, choice.norm)
        try:
            trace = engine.adapted(run, choice.asked, steps=choice.steps, norm=norm)
            others = engine.others(run, choice.asked, steps=choice.steps, norm=norm)
        except UserError as error:
            say.error(f"{run.name} is left out: {error}", icon=":material/broken_image:")
            continue
        actors.append(Actor(run=run, name=name, color=color, trace=trace, others=others))
    return actors


def _scratch(choice: Choice, actors: Sequence[Actor]) -> Trace | None:
    """The reference takes as many steps as the film has, in the same mode where it can."""
    if any(actor.kind == Scratch.name for actor in actors):
        return None
    first = actors[0]
    longest = max(len(actor.trace.steps) - 1 for actor in actors)
    usual = min(longest, FEW_STEPS) or None  # a single computation says nothing of steps
    norm = first.trace.norm if first.trace.norm in Scratch.norms else None
    steps = usual if choice.steps is None else choice.steps
    return engine.from_scratch(first.run, choice.asked, steps=steps, norm=norm)
