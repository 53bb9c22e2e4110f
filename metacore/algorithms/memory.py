"""A memory-augmented network (Santoro, Bartunov, Botvinick, Wierstra, Lillicrap 2016).

Examples come one at a time, each with the label of the one before it: what (x_t, y_(t-1)) is asked
for is y_t. An LSTM writes to an external memory and reads from it; which label belongs to what is
drawn anew in every task, so it can only be learned by remembering (`models/remembering.py`).

    L = sum_t -log p(y_t | x_1, y_1, ..., x_(t-1), y_(t-1), x_t)

In training, support and queries of a task are one stream in random order, and every moment counts;
the accuracy reported there is that of showings of a class after its first `shots`. At a first
showing nobody can know the label, only leave out those that are taken: 46% for 5 classes. At test
the support set comes in its order, then every query alone, each to a memory of its own.

Departures: drawings go through the embedding that a run's model is, its features standardised; the
paper's LSTM is given pixels, with which nothing is learned in two minutes here. Keys see them
directly, beside what the LSTM makes of them. What is written is the key of the drawing before with
a note made once its label has come (`note=0`: the key of the moment alone, as published). Cosines
are multiplied by a sharpness, without which a softmax over 128 slots can hardly prefer one. Label
slots are drawn anew for every training task, so that tasks may have any number of ways up to
`most_ways`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from metacore.algorithms.base import (
    Explanation,
    MetaStep,
    Predictor,
    Stream,
    step_metrics,
    task_losses,
    task_scores,
)
from metacore.algorithms.inner import leaves
from metacore.algorithms.metric import EMBEDDED, LABELS, Embedding, updated_running
from metacore.algorithms.model_based import ModelBased
from metacore.algorithms.recipes import Budget, Recipe, Wanted
from metacore.episode import Episode
from metacore.models.networks import Conv4, Params
from metacore.models.normalisation import resolve
from metacore.models.remembering import Remembering, State, Told, origins
from metacore.models.stacked import Statistics, stack
from metacore.settings import Config, setting

SMALLEST = 1e-12

# Streams of 50 drawings, or 15 points: two idle cores make some 6 and 15 meta-steps per second.
ON_IMAGES = Budget(demo=320, good=2000, paper=100_000)
ON_CURVES = Budget(demo=720, good=4500, paper=100_000)


@dataclass(frozen=True, kw_only=True)
class MemoryConfig(Config):
    units: int = setting(200, "Units of the LSTM.", low=4, high=2048, step=50)
    slots: int = setting(128, "Slots of the memory.", low=2, high=2048, step=32)
    key: int = setting(40, "Numbers of the key by which a slot is found.", low=2, high=512, step=10)
    note: int = setting(
        40,
        "Numbers of the note kept beside a key once its label is known; 0: keys alone, written at"
        " once, as published.",
        low=0,
        high=512,
        step=10,
    )
    heads: int = setting(
        4, "How many places are written and read at a time.", low=1, high=16, step=1
    )
    decay: float = setting(
        0.99, "How much of a slot's usage is left a moment later (gamma).", low=0, high=1, step=0.01
    )
    sharpness: float = setting(
        20.0, "How sharply it looks: cosines are multiplied by it.", low=0.1, high=100, step=1
    )
    most_ways: int = setting(
        20, "The largest number of classes it can ever be asked about.", low=2, high=200, step=5
    )


class MemoryAugmented(ModelBased):
    name = "memory"
    title = "Memory-augmented network"
    summary = "Takes in examples one at a time, writes them to a memory and looks them up there."
    formula = (
        r"w^r_t(i) \propto e^{s \cos(k_t, M_t(i))} \qquad"
        r" w^w_t = \sigma(\alpha)\, w^r_{t-1} + (1 - \sigma(\alpha))\, w^{lu}_{t-1}",
        r"p(y_t \mid x_1, y_1 \dots x_{t-1}, y_{t-1}, x_t) ="
        r" \mathrm{softmax}(h_t, \sum_i w^r_t(i)\, M_t(i))",
    )
    paper = "Santoro et al. 2016, arXiv:1605.06065"
    color = ("#7A4B00", "#E3A857")
    dash = "dot"
    moment = "example"
    Config = MemoryConfig

    config: MemoryConfig

    @cached_property
    def module(self) -> Remembering:
        """The LSTM and its memory."""
        c = self.config
        return Remembering(
            self.network.network.width,
            1 if self.on_curves else c.most_ways,
            units=c.units,
            slots=c.slots,
            key=c.key,
            note=c.note,
            heads=c.heads,
            decay=c.decay,
            sharpness=c.sharpness,
        )

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        """Ten showings of each class, as published; a narrower embedding, unless as published.

        (On glyphs, 5-way 1-shot: 91% of validation after 320 meta-steps and 94.2 ± 0.5% after 930,
        98.7 ± 0.4% of five shots; on sine waves a mean squared error of 0.12 on 5 points after 660.
        With `note=0` and `sharpness=1`, as published, 550 leave it at chance: the paper takes
        100,000.)
        """
        model, budget = wanted.model, ON_CURVES if wanted.curves else ON_IMAGES
        settings: dict[str, Any] = {"train_queries": max(1, 10 - wanted.shots), "clip": 10.0}
        if wanted.curves:
            settings |= {"train_queries": 10, "learning_rate": 2e-3}
        if wanted.paper:
            method = MemoryConfig(note=0, sharpness=1.0)
            settings |= {"tasks": 16, "learning_rate": 1e-4}
        else:
            method = MemoryConfig()
            if not wanted.curves:
                settings |= {"tasks": 8, "learning_rate": 4e-3}
                model = replace(model, width=32) if isinstance(model, Conv4) else model
        share = 10 / max(10, wanted.shots) * 5 / max(5, wanted.ways)
        return Recipe(method, model, wanted.training(budget, share, **settings))

    def meta_step(
        self, params: Params, episode: Episode, *, generator: torch.Generator
    ) -> MetaStep:
        theta = leaves(params, but=self.parts.state)
        learned = self.parts.learned(theta)
        stream = episode.shuffled(generator)
        y = stream.support_y
        slots = self.drawn_slots(episode, generator)
        record: Statistics = []
        joint = stream.support_x.flatten(0, 1)[None]
        features = self.network.features(stack(theta, 1), joint, record=record)
        told = self.run(theta, features[0].unflatten(0, y.shape[:2]), self.heard(y, slots)[:, :-1])
        answers = self.answers(told, slots)
        loss = task_losses(answers, y).mean()
        gradients = torch.autograd.grad(loss, list(learned.values()))
        late = stream.rank() >= episode.support_y.shape[1] // episode.ways
        score = task_scores(answers.detach()[late][None], y[late][None]).mean()
        return MetaStep(
            dict(zip(learned, gradients, strict=True)),
            step_metrics(loss, score, regression=episode.regression),
            updated_running(self.network, params, [record]),
        )

    def run(
        self, theta: Params, features: Tensor, heard: Tensor, after: State | None = None
    ) -> Told:
        """A stream of embedded examples [T, L, F] and what is heard with each [T, L, A]."""
        result: Told = self.run_module(theta, features, heard, after)
        return result

    def heard(self, y: Tensor, slots: Tensor) -> Tensor:
        """What has been told before each of L examples, and after them: [T, L + 1, A]."""
        known = y if self.on_curves else F.one_hot(slots.gather(1, y), self.config.most_ways)
        return F.pad(known, (0, 0, 1, 0))

    def answers(self, told: Told, slots: Tensor) -> Tensor:
        """[T, L, N], or values [T, L, 1]."""
        if self.on_curves:
            return told.outputs
        return told.outputs.gather(2, slots[:, None].expand(-1, told.outputs.shape[1], -1))

    def predictors(
        self, params: Params, episode: Episode, steps: int, norm: str
    ) -> Iterator[Predictor]:
        """After 0, 1, …, S examples: each is only the state they left."""
        embedding = Embedding(self.network, params, episode.support_x, norm)
        intake = Intake(self, embedding, episode, self.first_slots(episode))
        for taken in range(episode.support_y.shape[1] + 1):
            yield Rememberer(intake, taken)

    def stream(self, params: Params, episode: Episode, *, norm: str | None = None) -> Stream:
        """What becomes of the support set when it is taken for a stream."""
        slots, y = self.first_slots(episode), episode.support_y
        mode = resolve(norm, self.norms, self.network)
        with torch.no_grad():
            features = Embedding(self.network, params, episode.support_x, mode).support()
            told = self.run(params, features, self.heard(y, slots)[:, :-1])
        held = origins(told.states, late=self.late)
        looked = torch.stack([state.memory.looked for state in told.states[1:]], 1)
        return Stream(self.answers(told, slots), looked @ shares(held), held)

    @property
    def late(self) -> bool:
        """Whether what is written at a moment is about the example before."""
        return self.config.note > 0


def shares(held: Tensor) -> Tensor:
    """What slots hold [..., M, S], as shares that sum to 1; nothing of an empty slot."""
    return held / held.sum(-1, keepdim=True).clamp_min(SMALLEST)


@dataclass
class Intake:
    """T support sets taken in, one example at a time: the states in between are kept."""

    algorithm: MemoryAugmented
    embedding: Embedding
    episode: Episode
    slots: Tensor
    _last: tuple[Tensor, list[State], Tensor] | None = None  # of one query set and what came of it

    @property
    def heard(self) -> Tensor:
        return self.algorithm.heard(self.episode.support_y, self.slots)

    def taken_in(self, query_x: Tensor) -> tuple[list[State], Tensor]:
        """The states, and the embedded queries: they change each other only when transductive."""
        if self._last is None or self._last[0] is not query_x:
            self._last = (query_x, *self._looked_at(query_x))
        return self._last[1:]

    def _looked_at(self, query_x: Tensor) -> tuple[list[State], Tensor]:
        if self.embedding.norm == "transductive":
            support, query = self.embedding.both(query_x)
            return self.after(support), query
        return self.support[1], self.embedding.query(query_x)

    @cached_property
    def support(self) -> tuple[Tensor, list[State]]:
        """Embedded by itself, and the states before its first example and after each."""
        support = self.embedding.support()
        return support, self.after(support)

    def after(self, support: Tensor) -> list[State]:
        with torch.no_grad():
            return self.algorithm.run(self.embedding.theta, support, self.heard[:, :-1]).states

    def ask(self, states: list[State], taken: int, query: Tensor) -> Told:
        """Each query [T, Q, F] alone, as a stream of one moment [T * Q, 1, ...]."""
        many = query.shape[1]
        heard = self.heard[:, taken, None].repeat_interleave(many, 0)
        with torch.no_grad():
            alone = query.flatten(0, 1)[:, None]
            return self.algorithm.run(self.embedding.theta, alone, heard, states[taken].each(many))

    def logits(self, told: Told) -> Tensor:
        tasks = self.episode.tasks
        slots = self.slots.repeat_interleave(len(told.outputs) // tasks, 0)
        return self.algorithm.answers(told, slots).view(tasks, -1, self.episode.ways)


@dataclass
class Rememberer:
    """Answers from what is left of the first `taken` examples of the support sets."""

    intake: Intake
    taken: int
    params: None = None

    def features(self, x: Tensor) -> Tensor:
        return self.intake.taken_in(x)[1]

    def __call__(self, query_x: Tensor) -> Tensor:
        states, query = self.intake.taken_in(query_x)
        return self.intake.logits(self.intake.ask(states, self.taken, query))

    def explain(self, query_x: Tensor) -> Explanation:
        """`heads`: which examples each read looked at, by what had been written to its slots."""
        states, query = self.intake.taken_in(query_x)
        told = self.intake.ask(states, self.taken, query)
        way = [state.each(query.shape[1]) for state in states[: self.taken + 1]]
        held = origins([*way, told.states[-1]], late=self.intake.algorithm.late)[:, -1]
        looked = told.states[-1].memory.looked @ shares(held)[..., : self.taken]  # [T * Q, H, S]
        heads = shares(looked).unflatten(0, query.shape[:2]).transpose(1, 2)[:, None]
        return Explanation(self.intake.logits(told), heads=heads)

    @property
    def kept(self) -> Mapping[str, Tensor]:
        """A state, and the label that will be told with the next example."""
        intake = self.intake
        labels = intake.episode.support_y
        kept = intake.embedding.kept(labels)
        if EMBEDDED not in kept:
            return kept
        del kept[EMBEDDED], kept[LABELS]
        return {
            **intake.support[1][self.taken].kept,
            LABELS: labels[:, self.taken - 1 : self.taken],
            **kept,
        }

    def support_loss(self) -> Tensor:
        support, states = self.intake.support
        told = self.intake.ask(states, self.taken, support)
        return task_losses(self.intake.logits(told), self.intake.episode.support_y)
