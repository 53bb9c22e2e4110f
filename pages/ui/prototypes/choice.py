"""What is looked at on the page of prototypes, and what is asked about it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from metacore import Run
from metacore.algorithms.metric import MetricAlgorithm
from metacore.answers import EpisodeSpec, Question
from metacore.answers.questions import Learned
from pages.ui import charts, pick
from pages.ui.palette import Theme
from pages.ui.prototypes.before_after import BeforeAndAfterQuestion
from pages.ui.prototypes.edits import Edits, write
from pages.ui.prototypes.embedding import EpisodePictures
from pages.ui.prototypes.in_space import SpaceQuestion

EPISODE = 8  # a test episode that is not too easy
SHOTS, LADDER, MOST = 3, 5, 10  # shown first, to go through if there are drawings, at most
QUERIES = 100  # marks a picture can hold


@dataclass(frozen=True)
class PictureSettings:
    """How the episode is looked at."""

    shots: int
    dimensions: int
    drawn: bool  # drawings are shown as drawings
    distance: str | None  # of prototypes
    shared: bool  # before and after adaptation lie in one plane


@dataclass(frozen=True)
class PrototypesChoice:
    """What is looked at: an episode in the space of a run."""

    run: Run
    spec: EpisodeSpec
    view: PictureSettings
    edits: Edits
    theme: Theme | None = None  # that of the page

    @property
    def metric(self) -> bool:
        return self.run.config.algorithm_class.embeds

    @property
    def at_once(self) -> bool:
        """It answers in a single computation: there is no before."""
        return not self.run.config.algorithm_class.in_steps

    @property
    def pictures(self) -> EpisodePictures:
        return EpisodePictures(spec=self.spec, theme=self.theme or charts.theme())

    def scene(self, edits: Edits) -> SpaceQuestion:
        return SpaceQuestion(**self._asked(edits), distance=self.view.distance)

    def moments(self, edits: Edits) -> BeforeAndAfterQuestion:
        return BeforeAndAfterQuestion(**self._asked(edits), shared=self.view.shared)

    def _asked(self, edits: Edits) -> dict[str, Any]:
        return {
            "learned": Learned.by(self.run),
            "spec": self.spec,
            "shots": self.view.shots,
            "dimensions": self.view.dimensions,
            "edits": write(edits),
        }

    @property
    def edited(self) -> bool:
        return bool(self.edits.changed)

    @property
    def questions(self) -> list[Question[Any]]:
        """All that is asked before it can be shown."""
        if self.metric:
            return [self.pictures, self.scene(self.edits), self.scene(Edits())]
        as_drawn = [self.moments(Edits())] if self.edited else []
        return [self.pictures, self.moments(self.edits), *as_drawn]


def first(found: Sequence[Run]) -> Run:
    """The one to begin with: a space made for looking at distances."""
    return pick.preferred(found, lambda run: run.config.algorithm_class.embeds)


def drawn(run: Run, seed: int) -> EpisodeSpec:
    """An episode of the run's own kind, with as many queries as a picture can hold."""
    task = run.config.task
    return EpisodeSpec.like(run, seed=seed, queries=max(1, min(task.queries, QUERIES // task.ways)))


def laddered(run: Run, seed: int, drawings: int) -> EpisodeSpec:
    """The same with the most shots to go through, of classes that have so many drawings."""
    spec = drawn(run, seed)
    most = min(max(LADDER, run.config.task.shots), MOST, drawings - spec.queries)
    return replace(spec, shots=most, most=most)


def usual(run: Run, seed: int, drawings: int) -> PrototypesChoice:
    """What is looked at by someone who has just arrived."""
    spec = laddered(run, seed, drawings)
    shots, distance = min(SHOTS, spec.most), measured(run)
    view = PictureSettings(shots, 2, drawn=False, distance=distance, shared=True)
    return PrototypesChoice(run, spec, view, Edits())


def measured(run: Run) -> str | None:
    """The distance a run goes by; None where there is no other it could go by."""
    kind = run.config.algorithm_class
    if not issubclass(kind, MetricAlgorithm) or len(kind.measures) == 1:
        return None
    return kind.measure_of(run.config.algorithm)
