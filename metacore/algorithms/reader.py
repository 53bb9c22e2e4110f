"""A reader: a small transformer that is given examples and answers, and never takes a gradient.

    s_i = f(x_i) + label(y_i),   q_j = f(x_j) + unknown        (one token per example)
    every token looks at the support tokens and at itself, layer after layer
    p(y | x_j, support) = softmax(<q_j, label(y)>)   or, of curves, Normal(mean(q_j), spread(q_j))

In-context learning: what SNAIL (Mishra, Rohaninejad, Chen, Abbeel 2018), conditional neural
processes (Garnelo et al. 2018) and prior-data fitted networks (Müller et al. 2022) do. Queries
never see each other, and the order of the support set does not matter. As it trains, nothing seems
to happen for a while; then, quite suddenly, it has learned to look examples up.

Departures: class labels are slots drawn anew for every training task, so that tasks may have any
number of ways up to `most_ways`; the answers of all layers are trained, so that each can be read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from metacore.algorithms.base import (
    Explanation,
    MetaStep,
    Predictor,
    step_metrics,
    task_losses,
    task_scores,
)
from metacore.algorithms.inner import leaves
from metacore.algorithms.metric import Embedding, updated_running
from metacore.algorithms.model_based import ModelBased
from metacore.algorithms.recipes import Budget, Recipe, Wanted
from metacore.episode import Episode
from metacore.models.networks import Params
from metacore.models.reading import Layer, Reading
from metacore.models.stacked import Statistics, stack
from metacore.settings import Config, setting

BUDGET = Budget(demo=480, good=4000, paper=20_000)
BUDGET_ON_CURVES = Budget(demo=600, good=4000, paper=50_000)


@dataclass(frozen=True, kw_only=True)
class ReaderConfig(Config):
    layers: int = setting(3, "How often tokens look at each other.", low=1, high=12, step=1)
    heads: int = setting(4, "How many places a layer looks at separately.", low=1, high=16, step=1)
    head_width: int = setting(
        32, "Numbers of a token that each head looks at.", low=1, high=256, step=8
    )
    most_ways: int = setting(
        20, "The largest number of classes it can ever be asked about.", low=2, high=200, step=5
    )
    deep: float = setting(
        0.3, "How much the answers of earlier layers count in training.", low=0, high=1, step=0.1
    )

    vary_shots: bool = setting(
        False, "Whether training tasks have fewer examples at random, down to one of a class."
    )


class Reader(ModelBased):
    name = "reader"
    title = "In-context learner"
    summary = "A transformer that reads the examples and answers, as large language models do."
    formula = (
        r"s_i = f(x_i) + \ell(y_i) \qquad q = f(x) + u",
        r"p(y \mid x) \propto e^{\langle \mathrm{read}(q,\, s_1 \dots s_k),\ \ell(y) \rangle}",
    )
    paper = "Garnelo et al. 2018, arXiv:1807.01613; Müller et al. 2022, arXiv:2112.10510"
    watch = (
        "At first it answers by chance, however long it looks; then, quite suddenly, it has learned"
        " to look examples up, and its curve leaps."
    )
    color = ("#1B7F5C", "#5FD3A8")
    moment = "layer"
    Config = ReaderConfig

    config: ReaderConfig

    @cached_property
    def module(self) -> Reading:
        """The transformer."""
        config = self.config
        slots = 0 if self.on_curves else config.most_ways
        width = config.heads * config.head_width
        return Reading(self.network.network.width, width, config.layers, config.heads, slots)

    def first_weights(self, generator: torch.Generator) -> Params:
        """They have variance 1 / inputs, three times what PyTorch draws.

        (After 600 meta-steps on sine waves: mean squared error 0.22 instead of 2.4.)
        """
        own = super().first_weights(generator)
        for name, layer in self.module.named_modules():
            if isinstance(layer, nn.Linear):
                own[f"{name}.weight"] *= 3**0.5
        return own

    def meta_step(
        self, params: Params, episode: Episode, *, generator: torch.Generator
    ) -> MetaStep:
        if self.config.vary_shots:
            most = episode.support_y.shape[1] // episode.ways
            shots = int(torch.randint(1, most + 1, (), generator=generator))
            episode = episode.fewer_shots(shots)
        theta = leaves(params, but=self.parts.state)
        learned = self.parts.learned(theta)
        record: Statistics = []
        joint = torch.cat([episode.support_x, episode.query_x], 1)
        features = self.network.features(stack(theta, 1), joint.flatten(0, 1)[None], record=record)
        split = [episode.support_x.shape[1], episode.query_x.shape[1]]
        support, query = features[0].unflatten(0, joint.shape[:2]).split(split, dim=1)
        layers = self.read(
            theta, support, episode.support_y, query, self.drawn_slots(episode, generator)
        )
        *earlier, last = (_loss(layer, episode.query_y) for layer in layers[1:])
        wanted = last + self.config.deep * sum(earlier) / max(1, len(earlier))
        gradients = torch.autograd.grad(wanted, list(learned.values()))
        score = task_scores(layers[-1].outputs.detach(), episode.query_y).mean()
        return MetaStep(
            dict(zip(learned, gradients, strict=True)),
            step_metrics(last, score, regression=episode.regression),
            updated_running(self.network, params, [record]),
        )

    def read(
        self, theta: Params, support: Tensor, labels: Tensor, query: Tensor, slots: Tensor
    ) -> list[Layer]:
        """What each layer would answer to embedded queries, given embedded examples."""
        found: list[Layer] = self.run_module(theta, support, labels, query, slots)
        return found

    def predictors(
        self, params: Params, episode: Episode, steps: int, norm: str
    ) -> Iterator[Predictor]:
        embedding = Embedding(self.network, params, episode.support_x, norm)
        book = OpenBook(self, embedding, episode, self.first_slots(episode))
        for layer in range(self.config.layers + 1):
            yield LayerPredictor(book, layer)

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        """AdamW with a rate that rises first: transformers are sensitive at the start.

        Training tasks have many ways, which teach more than tasks of 5 of as many pictures: after
        1,500 meta-steps on glyphs 94.5% instead of 93.3%.
        """
        settings: dict[str, Any] = {"optimiser": "adamw", "weight_decay": 1e-2, "clip": 1.0}
        budget, share = (
            (BUDGET_ON_CURVES, 1.0) if wanted.curves else (BUDGET, 3 / (wanted.shots + 2))
        )
        settings["warm_up"] = budget.steps(wanted.level, share) // 20
        model = wanted.model
        if wanted.curves:
            method = cls.Config(layers=4, heads=6, head_width=16, deep=0.1)
            settings |= {"tasks": 32, "train_queries": 20}
            return Recipe(method, model, wanted.training(budget, **settings))
        settings |= {"tasks": 4, "train_ways": 20, "train_queries": 2, "learning_rate": 2e-3}
        method = cls.Config(most_ways=max(20, wanted.ways))
        return Recipe(method, model, wanted.training(budget, share, **settings))


@dataclass
class OpenBook:
    """Support sets and the reader over them; remembers what it last read of a query."""

    algorithm: Reader
    embedding: Embedding
    episode: Episode
    slots: Tensor

    def __post_init__(self) -> None:
        self._last: tuple[Tensor, list[Layer]] | None = None

    def read(self, query_x: Tensor) -> list[Layer]:
        if self._last is None or self._last[0] is not query_x:
            self._last = (query_x, self._read(*self.embedding.both(query_x)))
        return self._last[1]

    def reread(self) -> list[Layer]:
        """The examples themselves, as if asked about."""
        support = self.embedding.support()
        return self._read(support, support)

    def _read(self, support: Tensor, query: Tensor) -> list[Layer]:
        with torch.no_grad():
            theta, labels = self.embedding.theta, self.episode.support_y
            return self.algorithm.read(theta, support, labels, query, self.slots)


@dataclass
class LayerPredictor:
    """What the reader would answer after a layer; before the first it has seen nothing."""

    book: OpenBook
    layer: int
    params: None = None

    def __call__(self, query_x: Tensor) -> Tensor:
        return self._seen(query_x).outputs

    def features(self, x: Tensor) -> Tensor:
        return self._seen(x).query

    def explain(self, query_x: Tensor) -> Explanation:
        seen = self._seen(query_x)
        looks = [one.attention for one in self.book.read(query_x)[1 : self.layer + 1]]
        heads = torch.stack([look for look in looks if look is not None], 1) if looks else None
        return Explanation(seen.outputs, spread=seen.spread, heads=heads)

    @property
    def kept(self) -> Mapping[str, Tensor]:
        return self.book.embedding.kept(self.book.episode.support_y)

    def support_loss(self) -> Tensor:
        return task_losses(self.book.reread()[self.layer].outputs, self.book.episode.support_y)

    def _seen(self, x: Tensor) -> Layer:
        return self.book.read(x)[self.layer]


def _loss(layer: Layer, targets: Tensor) -> Tensor:
    """Cross-entropy, or the negative log-likelihood of a curve's values."""
    if layer.spread is None:
        return task_losses(layer.outputs, targets).mean()
    return F.gaussian_nll_loss(layer.outputs, targets, layer.spread.square(), eps=1e-9)
