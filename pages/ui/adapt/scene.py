"""What the chosen runs do with the chosen episode, and what they are held against."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from metacore import Run, UserError
from metacore.answers import Question
from metacore.answers.questions import (
    Adaptation,
    BackgroundEpisodes,
    BackgroundScores,
    BestAnswer,
    Drawn,
)
from metacore.episode import Episode
from metacore.insight import reference
from metacore.insight.best import Best
from metacore.insight.reference import Reference
from metacore.insight.trace import Trace
from pages.ui import engine, pick, say, waiting
from pages.ui.adapt.choice import AdaptChoice
from pages.ui.protocol import test_steps, unless_own

SHOWN = "adapt shown"
FEW_STEPS = 20  # of the reference, unless more are asked for


@dataclass(frozen=True, kw_only=True)
class AdaptedRun:
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
        return len(self.trace.steps) == 1 and not self.run.config.algorithm_class.in_steps

    @property
    def in_steps(self) -> bool:
        return self.run.config.algorithm_class.in_steps

    @property
    def moment(self) -> str:
        """What lies between two of its answers."""
        return self.run.config.algorithm_class.moment

    @property
    def read_by(self) -> str:
        """Of one that reads instead of stepping: what it reads by."""
        return "" if self.in_steps or self.at_once else f"{self.moment} by {self.moment}"

    @property
    def trained_steps(self) -> int:
        """Inner steps while meta-training; 0 where there were none."""
        return int(getattr(self.run.config.algorithm, "inner_steps", 0))


@dataclass(frozen=True, kw_only=True)
class AdaptScene:
    choice: AdaptChoice
    episode: Episode
    runs: Sequence[AdaptedRun]
    scratch: Trace | None  # the first run's network from a random start
    best: Best | None = None  # anyone's, where it is known
    waits: bool = False  # for another that is still being made

    @property
    def first(self) -> AdaptedRun:
        return self.runs[0]

    @property
    def regression(self) -> bool:
        return self.choice.spec.regression

    @property
    def quiet(self) -> bool:
        """Nothing more is asked for: another scene is coming, or a dialog is open."""
        return self.waits or self.choice.choosing


@dataclass(frozen=True, kw_only=True)
class RunQuestions:
    """A run, and what is asked about it."""

    run: Run
    adaptation: Adaptation
    background: BackgroundEpisodes


@dataclass(frozen=True, kw_only=True)
class SceneQuestions:
    """All that a scene asks for before it can be shown."""

    episode: Drawn
    of_runs: Sequence[RunQuestions]
    scratch: Adaptation | None
    best: BestAnswer | None

    @property
    def questions(self) -> list[Question[Any]]:
        adaptations = [part.adaptation for part in self.of_runs]
        more = [question for question in (self.scratch, self.best) if question]
        return [self.episode, *adaptations, *more]


def stage(choice: AdaptChoice) -> AdaptScene | None:
    """Adapts. What cannot be done is said in a sentence, and the rest goes on without it; while it
    takes longer than a moment there is a bar, and what was shown before stays."""
    asked = questions_of(choice)
    standings = waiting.several(asked.questions)
    if all(standing.complete for standing in standings):
        st.session_state[SHOWN] = replace(choice, words_place=None, choosing=False)
        return _scene(choice, asked)
    with choice.words_place:
        waiting.bar(asked.questions, "Adapting", key="adapting")
    before = st.session_state.get(SHOWN)
    return _still_there(before, choice) if before else None


def _still_there(before: AdaptChoice, choice: AdaptChoice) -> AdaptScene | None:
    """What was shown before, if it is still known."""
    old = replace(before, words_place=choice.words_place, choosing=choice.choosing)
    asked = questions_of(old)
    if all(waiting.known(question).complete for question in asked.questions):
        return _scene(old, asked, waits=True)
    return None


def questions_of(choice: AdaptChoice) -> SceneQuestions:
    of_runs = []
    for run in choice.runs:
        norm = unless_own(run, choice.norm)
        how: dict[str, Any] = {"steps": choice.steps, "norm": norm}
        try:
            adaptation = engine.adaptation(run, choice.spec, **how)
            background = engine.background(run, choice.spec, **how)
        except UserError as error:
            say.left_out(run, error)
            continue
        of_runs.append(RunQuestions(run=run, adaptation=adaptation, background=background))
    scratch = _scratch(choice, of_runs) if of_runs else None
    return SceneQuestions(
        episode=Drawn(spec=choice.spec),
        of_runs=of_runs,
        scratch=scratch,
        best=BestAnswer(spec=choice.spec) if choice.spec.regression else None,
    )


def _scratch(choice: AdaptChoice, of_runs: Sequence[RunQuestions]) -> Adaptation | None:
    """The reference takes as many steps as the film has, in the same mode where it can."""
    first = of_runs[0].run
    kinds = [part.run.config.algorithm_class for part in of_runs]
    if Reference in kinds or not reference.possible(first.config):
        return None
    taken = [test_steps(part.run) for part in of_runs]
    # A single computation says nothing of steps.
    usual = min(max(taken, default=0), FEW_STEPS) or None
    norm = choice.norm or next(iter(first.config.norms), None)
    return engine.from_scratch(
        first,
        choice.spec,
        steps=usual if choice.steps is None else choice.steps,
        norm=norm if norm in Reference.norms else None,
    )


def _scene(choice: AdaptChoice, asked: SceneQuestions, *, waits: bool = False) -> AdaptScene | None:
    episode = waiting.known(asked.episode)
    if episode.error:
        say.error(f"There is no such episode: {episode.error}", icon=":material/rule:")
        return None
    adapted = _adapted(choice, asked.of_runs, waits)
    scratch = waiting.known(asked.scratch) if asked.scratch and adapted else None
    if not adapted:
        return None
    return AdaptScene(
        choice=choice,
        episode=episode.get(),
        runs=adapted,
        scratch=scratch.get() if scratch else None,
        best=waiting.known(asked.best).value if asked.best else None,
        waits=waits,
    )


def _adapted(choice: AdaptChoice, of_runs: Sequence[RunQuestions], waits: bool) -> list[AdaptedRun]:
    runs, adapted = [part.run for part in of_runs], []
    for part, name, color in zip(of_runs, pick.names(runs), pick.colors(runs), strict=True):
        run = part.run
        found = waiting.known(part.adaptation)
        if found.error:
            say.left_out(run, found.error)
            continue
        quiet = waits or choice.choosing
        seen = waiting.known(part.background) if quiet else waiting.one(part.background, moment=0.0)
        adapted.append(
            AdaptedRun(
                run=run,
                name=name,
                color=color,
                adaptation=part.adaptation,
                trace=found.get(),
                background_question=part.background,
                background=seen.value,
            )
        )
    return adapted
