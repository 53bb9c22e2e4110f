"""The rivals every comparison needs: ordinary supervised learning, and no learning at all.

`finetune` is the Baseline of Chen et al. 2019 (arXiv:1904.04232): one network learns all training
classes at once; at test a new head (or every layer) is fitted on the support set. For regression
it is the pretrained network of MAML's section 5.1: trained on all tasks mixed together.
`scratch` is the same network from a random start, fitted on the support set alone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from metacore.algorithms.base import (
    Algorithm,
    MetaStep,
    Predictor,
    step_metrics,
    task_losses,
    task_scores,
)
from metacore.algorithms.inner import (
    FrozenBody,
    adapted_networks,
    fixed_statistics,
    head_steps,
    leaves,
    plain_step,
    with_ways,
)
from metacore.algorithms.metric import updated_running
from metacore.algorithms.recipes import LARGE_TASKS, ON_CURVES, Recipe, Wanted
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.models.networks import HEAD, ModelConfig, Params
from metacore.models.parts import Parts
from metacore.models.stacked import Statistics, stack
from metacore.settings import Config, setting

# 256 examples a step: two of each of 128 classes
SUPERVISED_SHAPES: dict[str, Any] = {
    "tasks": 1,
    "train_ways": 128,
    "train_shots": 1,
    "train_queries": 1,
}


@dataclass(frozen=True, kw_only=True)
class FinetuneConfig(Config):
    layers: str = setting(
        "head",
        "What the support set fits: a new last layer, or all layers.",
        choices=("head", "all"),
    )
    inner_rate: float = setting(
        0.01, "Size of a gradient step on the support set.", low=1e-5, high=10, step=0.01
    )
    test_steps: int = setting(
        100, "Gradient steps on the support set at test.", low=0, high=500, step=10
    )


class Supervised(Algorithm):
    """One network for all training classes at once, or for all curves mixed together."""

    family = "baseline"
    fixed_ways = False
    norms = ("running", "transductive", "support+query", "support")

    @cached_property
    def parts(self) -> Parts:
        body = tuple(name for name in self.network.learned if name not in HEAD)
        return Parts(adapted=HEAD, shared=body, state=self.network.state)

    @property
    def learns(self) -> bool:
        """A last layer for the training classes alone would serve no task."""
        return self.on_curves or any(name not in HEAD for name in self.network.learned)

    @staticmethod
    def outputs(ways: int, training_classes: int) -> int:
        return training_classes

    def needed_at_test(self, params: Params) -> Params:
        """The head of the training classes is not: one row of it says how long a feature is."""
        if self.on_curves:
            return params
        return params | {name: params[name][:1].clone() for name in HEAD}

    def meta_step(
        self, params: Params, episode: Episode, *, generator: torch.Generator | None = None
    ) -> MetaStep:
        """One supervised step on every example of the episode, labelled by its true class."""
        theta = leaves(params, but=self.parts.state)
        learned = self.parts.learned(theta)
        examples = torch.cat([episode.support_x, episode.query_x], 1).flatten(0, 1)
        record: Statistics = []
        features = self.network.features(stack(theta, 1), examples[None], record=record)
        outputs, y = self.outputs_and_targets(theta, features, episode)
        loss = self.losses(outputs, y, examples[None], episode).mean()
        gradients = torch.autograd.grad(loss, list(learned.values()))
        score = task_scores(outputs.detach(), y).mean()
        return MetaStep(
            dict(zip(learned, gradients, strict=True)),
            step_metrics(loss, score, regression=episode.regression),
            updated_running(self.network, params, [record]),
        )

    def outputs_and_targets(
        self, theta: Params, features: Tensor, episode: Episode
    ) -> tuple[Tensor, Tensor]:
        """Of the features [1, T*B, F] of all examples."""
        return self.network.head(stack(theta, 1), features), true_classes(episode)

    def losses(self, outputs: Tensor, y: Tensor, x: Tensor, episode: Episode) -> Tensor:
        """Given the outputs and targets of all examples x [1, T*B, ...]: [1], or [T]."""
        return task_losses(outputs, y)

    def class_logits(self, params: Params, x: Tensor) -> Tensor:
        """What it takes inputs [1, B, ...] for among all training classes: [1, B, C]."""
        theta = stack(params, 1)
        kept = fixed_statistics(self.network, theta, "running")
        features = self.network.features(theta, x, statistics=kept)
        return self.told(features, *(theta[name] for name in HEAD))

    def told(self, features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Outputs [T, B, N] of features [T, B, F] for classes with weights [T, N, F]."""
        return torch.baddbmm(bias[:, None], features, weight.mT)


def true_classes(episode: Episode) -> Tensor:
    """Labels of all examples that hold across tasks: [1, T*B]."""
    y = torch.cat([episode.support_y, episode.query_y], 1)
    if not episode.regression:
        assert episode.classes is not None, "images come with their classes"
        y = episode.classes.gather(1, y)
    return y.flatten(0, 1)[None]


class Finetune(Supervised):
    name = "finetune"
    title = "Fine-tuning"
    summary = "Ordinary training on all classes at once, then a new last layer for each task."
    formula = (
        r"\theta \leftarrow \theta - \beta \nabla L(\mathrm{all\ classes})",
        r"w_i = \mathrm{fit}(f_\theta)",
    )
    paper = "Chen et al. 2019, arXiv:1904.04232"
    color = ("#B85C93", "#E79AC4")
    dash = "dot"
    Config = FinetuneConfig

    config: FinetuneConfig

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        model = wanted.model
        if wanted.curves:
            rate = wanted.source.inner_rate
            method = FinetuneConfig(layers="all", inner_rate=rate, test_steps=10)
            return Recipe(method, model, wanted.training(ON_CURVES))
        return Recipe(FinetuneConfig(), model, wanted.training(LARGE_TASKS, **SUPERVISED_SHAPES))

    @cached_property
    def parts(self) -> Parts:
        if self.config.layers == "all":
            return Parts(adapted=self.network.learned, state=self.network.state)
        return super().parts

    def predictors(
        self, params: Params, episode: Episode, steps: int, norm: str
    ) -> Iterator[Predictor]:
        theta = params if episode.regression else _with_new_head(params, episode.ways)
        alpha = self.config.inner_rate
        if self.config.layers == "all":
            names = self.parts.adapted
            rule = plain_step(alpha)
            return adapted_networks(
                self.network, theta, episode, names=names, rule=rule, steps=steps, norm=norm
            )
        body = FrozenBody(self.network, stack(theta, episode.tasks), episode.support_x, norm)
        weight, bias = (body.params[name] for name in HEAD)
        return head_steps(body, weight, bias, episode.support_y, alpha=alpha, steps=steps)


def _with_new_head(params: Params, ways: int) -> Params:
    """A head of zeros, for classes that were not among those of the training."""
    shapes = {name: (ways, *params[name].shape[1:]) for name in HEAD}
    return params | {name: params[name].new_zeros(shape) for name, shape in shapes.items()}


@dataclass(frozen=True, kw_only=True)
class ScratchConfig(Config):
    inner_rate: float = setting(
        0.1, "Size of a gradient step on the support set.", low=1e-5, high=10, step=0.05
    )
    test_steps: int = setting(
        10, "Gradient steps on the support set at test.", low=0, high=500, step=5
    )


class Scratch(Algorithm):
    name = "scratch"
    title = "From scratch"
    family = "baseline"
    summary = "The same network from a random start, with nothing learned beforehand."
    formula = (r"\phi_i = \theta_0 - \alpha \sum_k \nabla L_i(\phi_i^{(k)})",)
    paper = "the lower bound of every comparison"
    color = ("#6F6F6F", "#B0B0B0")
    dash = "dot"
    trains = False
    Config = ScratchConfig

    config: ScratchConfig

    @classmethod
    def fits(cls, model: type[ModelConfig]) -> bool:
        """A pretrained network does not start from scratch."""
        return super().fits(model) and not model.pretrained

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        source = wanted.source
        if wanted.curves:
            method = ScratchConfig(inner_rate=source.inner_rate, test_steps=10)
        else:
            method = ScratchConfig(test_steps=5)
        return Recipe(method, wanted.model, {})

    def meta_step(
        self, params: Params, episode: Episode, *, generator: torch.Generator | None = None
    ) -> MetaStep:
        raise UserError("From scratch means no meta-training: there is no step to take.")

    def predictors(
        self, params: Params, episode: Episode, steps: int, norm: str
    ) -> Iterator[Predictor]:
        return adapted_networks(
            self.network,
            with_ways(self.parts.learned(params), episode.ways),
            episode,
            names=self.parts.adapted,
            rule=plain_step(self.config.inner_rate),
            steps=steps,
            norm=norm,
        )
