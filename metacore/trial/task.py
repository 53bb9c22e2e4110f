"""A task made by hand, and what a run makes of it.

A trial holds drawings and pictures by class; `episode` turns it into the one task that adaptation
knows. `adapt` remembers a run's predictors, so that while the support set stays the same, every new
query costs a forward pass per step shown and nothing else.

A lone query cannot lend its statistics to batch normalisation: it would be normalised by itself
alone. So runs that were published as transductive answer with `support+query` here, those that
keep running statistics with `running`; the answer says which.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from metacore.algorithms.base import Predictor
from metacore.capacity import suited_threads
from metacore.datasets.base import ImageDataset
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.models.normalisation import resolve
from metacore.pictures import COLOUR, converted
from metacore.randomness import generator
from metacore.training.config import RunConfig
from metacore.training.evaluate import at_steps, steps_shown
from metacore.training.learner import Learner
from metacore.trial.drawn import Drawing, picture
from metacore.trial.photo import Photo
from metacore.trial.picture import DRAWN, Picture

FEWEST_WAYS, MOST_WAYS = 2, 10
MOST_SHOTS = 20
MOST_QUERIES = 200
MOST_STEPS = 1000
FEW_STEPS = 10
LONGEST_CLASS = 40
UNKNOWN = -100  # the label of a query nobody has labelled: cross-entropy leaves it out

Example = Drawing | Picture | Photo
Array = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Who answers, and how; what is None is the run's own."""

    runs: tuple[str, ...] = ()  # ids
    steps: int | None = None
    norm: str | None = None


@dataclass(frozen=True, kw_only=True)
class Trial:
    """N classes of drawings, pictures and photographs, any number of each, and queries.

    It may still be growing: only `episode` wants two classes, and examples of each.
    """

    classes: tuple[str, ...]
    support: tuple[tuple[Example, ...], ...]  # of each class
    query: tuple[Example, ...] = ()
    labels: tuple[int | None, ...] = ()  # of the queries, as far as they are known
    settings: Settings = field(default_factory=Settings)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", self.labels or (None,) * len(self.query))
        self._check_classes()
        self._check_counts()

    @property
    def photographs(self) -> bool:
        """Whether there are any among its examples and queries."""
        return any(isinstance(e, Photo) for e in sum(self.support, self.query))

    def _check_classes(self) -> None:
        if len(self.classes) > MOST_WAYS:
            raise _ways_refused(self.classes)
        for name in self.classes:
            if not name.strip() or len(name) > LONGEST_CLASS or not name.isprintable():
                raise UserError(
                    f"A class needs a name of 1 to {LONGEST_CLASS} printable characters,"
                    f" not {name[:LONGEST_CLASS]!r}."
                )
        twice = next((name for name in self.classes if self.classes.count(name) > 1), None)
        if twice is not None:
            raise UserError(f"Two classes are named {twice!r}: give each a name of its own.")

    def _check_counts(self) -> None:
        if len(self.support) != len(self.classes):
            raise UserError("A trial needs a support set for each of its classes.")
        for name, examples in zip(self.classes, self.support, strict=True):
            if len(examples) > MOST_SHOTS:
                raise UserError(f"Class {name!r} has more than {MOST_SHOTS} examples.")
        if len(self.query) > MOST_QUERIES:
            raise UserError(f"A trial has at most {MOST_QUERIES} queries, not {len(self.query)}.")
        if len(self.labels) != len(self.query):
            raise UserError("A trial needs one label, or none, for each query.")
        for label in self.labels:
            if label is not None and not 0 <= label < len(self.classes):
                raise UserError(f"A query's label is {label}, and there is no such class.")


def _ways_refused(classes: Sequence[str]) -> UserError:
    return UserError(
        f"A trial has between {FEWEST_WAYS} and {MOST_WAYS} classes, not {len(classes)}."
    )


@dataclass(frozen=True)
class Answer:
    """What a run says of Q queries, after some of its inner steps."""

    steps: tuple[int, ...]  # which; 0 is before adapting, the last is the answer
    probabilities: Array  # [S+1, Q, N]
    support_loss: Array  # [S+1]
    distances: Array | None  # to the prototypes, where there are any [Q, N]
    measure: str  # what they are
    nearest: tuple[int, ...]  # the support example that lies nearest to each query [Q]
    norm: str  # whose statistics normalised the queries

    @property
    def choices(self) -> list[int]:
        """The class each query is taken for: [Q]."""
        return [int(label) for label in self.probabilities[-1].argmax(-1)]


def pixels(examples: Sequence[Example], shape: tuple[int, ...] | None = None) -> Tensor:
    """What a network with such inputs sees of examples, in their order: uint8 [n, C, H, W].

    Without a shape, as they are kept; then they have to be of one kind.
    """
    drawn = iter(picture([e for e in examples if not isinstance(e, Picture | Photo)]))
    seen = [e.tensor if isinstance(e, Picture | Photo) else next(drawn) for e in examples]
    if shape is not None:
        seen = [converted(one, shape) for one in seen]
    return torch.stack(seen) if seen else torch.zeros(0, *(shape or DRAWN), dtype=torch.uint8)


def check(trial: Trial) -> None:
    """Says what is still missing of a task."""
    if len(trial.classes) < FEWEST_WAYS:
        raise _ways_refused(trial.classes)
    empty = [name for name, shots in zip(trial.classes, trial.support, strict=True) if not shots]
    if empty:
        raise UserError(f"Class {empty[0]!r} has no example yet: every class needs at least one.")


def episode(trial: Trial) -> Episode:
    """The trial as one task; classes may have different numbers of shots, and queries no label."""
    check(trial)
    labels = [label for label, shots in enumerate(trial.support) for _ in shots]
    targets = [UNKNOWN if label is None else label for label in trial.labels]
    return Episode(
        support_x=_batch(pixels(sum(trial.support, ()))),
        support_y=torch.tensor([labels]),
        query_x=_batch(pixels(trial.query)),
        query_y=torch.tensor([targets], dtype=torch.long),
        ways=len(trial.classes),
    )


def _batch(images: Tensor) -> Tensor:
    """One task of the pictures, from 0 to 1: float [1, n, C, H, W]."""
    return (images if images.is_floating_point() else images.float() / 255)[None]


def _seen(learner: Learner, images: Tensor) -> Tensor:
    """One task of pictures as the learner's dataset deals them, unless they are numbers already."""
    if images.is_floating_point():
        return images[None].to(learner.device)
    source = cast(ImageDataset, learner.dataset)
    return source.prepared(images.to(learner.device), "test", generator(0, "trial"))[None]


def adapt(
    learner: Learner,
    support: Tensor,
    labels: Sequence[int],
    *,
    ways: int,
    steps: int | None = None,
    norm: str | None = None,
) -> "Adapted":
    """The run after seeing pictures [S, C, H, W] with labels, ready for any number of queries."""
    _check(learner, support, labels, ways, steps)
    algorithm = learner.algorithm
    steps = algorithm.test_steps if steps is None else steps
    norm = resolve(norm or _usual_norm(learner), algorithm.norms, algorithm.network)
    seen = Episode.of_support(_seen(learner, support), torch.tensor([list(labels)]), ways)
    predictors = algorithm.adapt(
        learner.params, seen.to(learner.device), steps=steps, norm=None if norm == "none" else norm
    )
    with suited_threads(small=True):  # a dozen pictures: a second thread costs more than it does
        kept = list(at_steps(predictors, moments(steps)))
        losses = np.array([float(predictor.support_loss()) for _, predictor in kept], np.float32)
    again = partial(adapt, learner, support, labels, ways=ways, steps=steps)
    return Adapted(learner, kept, losses, norm, support, again)


def moments(steps: int) -> list[int]:
    """The inner steps that are answered after: all of a few, some of many."""
    return list(range(steps + 1)) if steps <= FEW_STEPS else steps_shown(steps)


def answer(
    learner: Learner, episode: Episode, steps: int | None = None, norm: str | None = None
) -> Answer:
    """What the run says of the queries of an episode of one task."""
    if episode.tasks != 1:
        raise UserError(f"A trial is one task, not {episode.tasks}.")
    support, labels = episode.support_x[0], episode.support_y[0].tolist()
    ready = adapt(learner, support, labels, ways=episode.ways, steps=steps, norm=norm)
    return ready.answer(episode.query_x[0])


@dataclass(frozen=True)
class Adapted:
    """A run that has seen a support set."""

    learner: Learner
    predictors: list[tuple[int, Predictor]]  # after which inner step
    support_loss: Array  # [S+1]
    norm: str
    support: Tensor  # what it has seen: [S, C, H, W]
    again: Callable[[], "Adapted"]  # in the mode that suits a single query

    def answer(self, query: Tensor) -> Answer:
        """Of queries [Q, C, H, W], as bytes or as numbers the dataset has prepared."""
        if self.norm == "transductive" and len(query) == 1:
            return self._for_one.answer(query)
        x = _seen(self.learner, query)
        with torch.no_grad(), suited_threads(small=True):
            found = [predictor.explain(x) for _, predictor in self.predictors]
        logits, last = torch.cat([one.logits for one in found]), found[-1]
        return Answer(
            steps=tuple(step for step, _ in self.predictors),
            probabilities=_array(logits.softmax(-1)),
            support_loss=self.support_loss,
            distances=None if last.distances is None else _array(last.distances[0].clamp_min(0)),
            measure=last.measure,
            nearest=tuple(self._nearest(x)),
            norm=self.norm,
        )

    def places(self, query: Tensor) -> tuple[Array, Array]:
        """Where the support set [S, F] and queries [Q, F] lie after the last inner step."""
        if self.norm == "transductive" and len(query) == 1:
            return self._for_one.places(query)
        return _array(self._places), _array(self._placed(_seen(self.learner, query)))

    @cached_property
    def _places(self) -> Tensor:
        """Of the support set: [S, F]."""
        return self._placed(_seen(self.learner, self.support))

    def _placed(self, x: Tensor) -> Tensor:
        _, predictor = self.predictors[-1]
        with torch.no_grad(), suited_threads(small=True):
            return predictor.features(x)[0].float()

    def _nearest(self, x: Tensor) -> list[int]:
        if not x.shape[1]:
            return []
        found: list[int] = torch.cdist(self._placed(x), self._places).argmin(1).tolist()
        return found

    @cached_property
    def _for_one(self) -> "Adapted":
        return self.again()


def _usual_norm(learner: Learner) -> str:
    """The method's own mode, or the nearest one in which queries do not help each other."""
    own = learner.algorithm.norms[0]
    return "support+query" if own == "transductive" else own


def sees(config: RunConfig, *, photographs: bool) -> tuple[int, ...] | None:
    """The shape in which a run is given drawings, or photographs; None where it was trained on
    something else."""
    if config.dataset_class.regression:
        return None
    shape = config.input_shape
    if config.model.any_picture:
        return config.model.looks_at(shape) if photographs else DRAWN
    fits = shape[0] == COLOUR if photographs else shape == DRAWN
    return shape if fits else None


def _check(
    learner: Learner, support: Tensor, labels: Sequence[int], ways: int, steps: int | None
) -> None:
    dataset, shape = learner.dataset, tuple(support.shape[1:])
    fits = learner.config.model.any_picture or shape == dataset.input_shape
    if dataset.regression or not fits:
        what = "drawings" if shape[0] == 1 else "these pictures"
        raise UserError(
            f"A run trained on {dataset.name} cannot take part: {what} are"
            f" {shape[2]} x {shape[1]} pixels."
        )
    if set(labels) != set(range(ways)):
        raise UserError("Every class needs at least one example.")
    if steps is not None and not 0 <= steps <= MOST_STEPS:
        raise UserError(f"steps must be between 0 and {MOST_STEPS}, not {steps}.")


def _array(tensor: Tensor) -> Array:
    return tensor.detach().float().cpu().numpy()
