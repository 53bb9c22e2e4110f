"""What the chosen runs do with the chosen episode, and what they are held against."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from metacore import Run, UserError
from metacore.algorithms.baselines import Scratch
from metacore.answers import Question
from metacore.answers.questions import Adaptation, BackgroundEpisodes, BackgroundScores, Drawn
from metacore.episode import Episode
from metacore.insight.trace import Trace
from pages.ui import engine, pick, say, waiting
from pages.ui.adapt.choice import AdaptChoice
from pages.ui.protocol import modes_of, test_steps, unless_own

SHOWN = "adapt shown"
FEW_STEPS = 20  # of the reference, unless more are asked for


@dataclass(frozen=True, kw_only=True)
class Actor:
    """One run in the film."""

    run: Run
    name: str
    color: str
    adaptation: Adaptation
    trace: Trace
    background_question: BackgroundEpisodes  # the same, on a hundred other episodes
    background: BackgroundScores | None  # as far as they have been gone through

    @property
    def kind(self) -> str:
        return pick.kind(self.run)

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
    choice: AdaptChoice
    episode: Episode
    actors: Sequence[Actor]
    scratch: Trace | None  # the first run's network from a random start
    waits: bool = False  # for another that is still being made

    @property
    def first(self) -> Actor:
        return self.actors[0]

    @property
    def regression(self) -> bool:
        return self.choice.spec.regression

    @property
    def quiet(self) -> bool:
        """Nothing more is asked for: another scene is coming, or a dialog is open."""
        return self.waits or self.choice.choosing


@dataclass(frozen=True, kw_only=True)
class Part:
    """A run, and what is asked about it."""

    run: Run
    adaptation: Adaptation
    background: BackgroundEpisodes


@dataclass(frozen=True, kw_only=True)
class Cast:
    """All that a scene asks for before it can be shown."""

    episode: Drawn
    parts: Sequence[Part]
    scratch: Adaptation | None

    @property
    def questions(self) -> list[Question[Any]]:
        adaptations = [part.adaptation for part in self.parts]
        return [self.episode, *adaptations, *([self.scratch] if self.scratch else [])]


def stage(choice: AdaptChoice) -> Scene | None:
    """Adapts. What cannot be done is said in a sentence, and the rest goes on without it; while it
    takes longer than a moment there is a bar, and what was shown before stays."""
    cast = cast_of(choice)
    standings = waiting.several(cast.questions)
    if all(standing.complete for standing in standings):
        st.session_state[SHOWN] = replace(choice, words_place=None, choosing=False)
        return _scene(choice, cast)
    with choice.words_place:
        waiting.bar(cast.questions, "Adapting", key="adapting")
    before = st.session_state.get(SHOWN)
    return _still_there(before, choice) if before else None


def _still_there(before: AdaptChoice, choice: AdaptChoice) -> Scene | None:
    """What was shown before, if it is still known."""
    old = replace(before, words_place=choice.words_place, choosing=choice.choosing)
    cast = cast_of(old)
    if all(waiting.known(question).complete for question in cast.questions):
        return _scene(old, cast, waits=True)
    return None


def cast_of(choice: AdaptChoice) -> Cast:
    parts = []
    for run in choice.runs:
        norm = unless_own(run, choice.norm)
        how: dict[str, Any] = {"steps": choice.steps, "norm": norm}
        try:
            adaptation = engine.adaptation(run, choice.spec, **how)
            background = engine.background(run, choice.spec, **how)
        except UserError as error:
            _leave_out(run, error)
            continue
        parts.append(Part(run=run, adaptation=adaptation, background=background))
    scratch = _scratch(choice, parts) if parts else None
    return Cast(episode=Drawn(spec=choice.spec), parts=parts, scratch=scratch)


def _scratch(choice: AdaptChoice, parts: Sequence[Part]) -> Adaptation | None:
    """The reference takes as many steps as the film has, in the same mode where it can."""
    if any(pick.kind(part.run) == Scratch.name for part in parts):
        return None
    first = parts[0].run
    taken = [test_steps(part.run) for part in parts if pick.family(part.run) != "metric"]
    # A single computation says nothing of steps.
    usual = min(max(taken, default=0), FEW_STEPS) or None
    norm = choice.norm or next(iter(modes_of(first)), None)
    return engine.from_scratch(
        first,
        choice.spec,
        steps=usual if choice.steps is None else choice.steps,
        norm=norm if norm in Scratch.norms else None,
    )


def _scene(choice: AdaptChoice, cast: Cast, *, waits: bool = False) -> Scene | None:
    episode = waiting.known(cast.episode)
    if episode.error:
        say.error(f"There is no such episode: {episode.error}", icon=":material/rule:")
        return None
    actors = _actors(choice, cast.parts, waits)
    scratch = waiting.known(cast.scratch) if cast.scratch and actors else None
    if not actors:
        return None
    return Scene(
        choice=choice,
        episode=episode.get(),
        actors=actors,
        scratch=scratch.get() if scratch else None,
        waits=waits,
    )


def _actors(choice: AdaptChoice, parts: Sequence[Part], waits: bool) -> list[Actor]:
    runs, actors = [part.run for part in parts], []
    for part, name, color in zip(parts, pick.names(runs), pick.colors(runs), strict=True):
        run = part.run
        found = waiting.known(part.adaptation)
        if found.error:
            _leave_out(run, found.error)
            continue
        quiet = waits or choice.choosing
        seen = waiting.known(part.background) if quiet else waiting.one(part.background, moment=0.0)
        actors.append(
            Actor(
                run=run,
                name=name,
                color=color,
                adaptation=part.adaptation,
                trace=found.get(),
                background_question=part.background,
                background=seen.value,
            )
        )
    return actors


def _leave_out(run: Run, error: UserError) -> None:
    say.error(f"{run.name} is left out: {error}", icon=":material/broken_image:")
