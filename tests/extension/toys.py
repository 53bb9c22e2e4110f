"""What someone might add to Metacore, of every kind: nothing outside these tests knows of it.

A family; two algorithms of it with learned parameters of their own; a network that is no plain
sequence of layers; and colour pictures from a folder that is named by a setting, of classes that
differ in size.
"""

import colorsys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from metacore.algorithms.base import (
    Algorithm,
    ByLayer,
    Explanation,
    MetaStep,
    Predictor,
    step_metrics,
    task_losses,
    task_scores,
)
from metacore.algorithms.families import Family
from metacore.algorithms.inner import leaves
from metacore.algorithms.matching import vote
from metacore.algorithms.metric import EMBEDDED, LABELS, MetricAlgorithm
from metacore.algorithms.protonet import prototypes, squared_distances
from metacore.algorithms.recipes import Budget, Recipe, Wanted
from metacore.datasets.base import SPLITS, ImageDataset
from metacore.episode import Episode
from metacore.errors import UserError
from metacore.models.networks import ModelConfig, Network, Params
from metacore.models.normalisation import QueryFeatures
from metacore.models.parts import Group, Parts
from metacore.models.stacked import stack
from metacore.settings import Config, setting

FAMILY = Family("Learn how sure to be", "Answers are only as sharp as they deserve.")
TEMPERATURE, LEAN = "temperature.log", "lean"


@dataclass(frozen=True, kw_only=True)
class GlanceConfig(ModelConfig):
    summary: ClassVar[str] = "Attention between the patches of a picture."

    width: int = setting(8, "Numbers per patch.", low=2, high=512, step=8)
    patch: int = setting(5, "Pixels along a patch.", low=1, high=64, step=1)

    def build(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        return Network(Glance(input_shape, self.width, self.patch), self.width, outputs)


class Places(nn.Module):
    """A learned vector per patch: a parameter that belongs to no layer PyTorch knows."""

    def __init__(self, patches: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(patches, width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, std=0.1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.weight


class Glance(nn.Module):
    def __init__(self, input_shape: tuple[int, ...], width: int, patch: int) -> None:
        super().__init__()
        channels, height, side = input_shape
        self.patches = nn.Conv2d(channels, width, patch, stride=patch)
        self.places = Places((height // patch) * (side // patch), width)
        self.norm = nn.LayerNorm(width)
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        patches = self.places(self.patches(x).flatten(2).mT)  # [B, L, F]
        seen = self.norm(patches)
        near = (self.query(seen) @ self.key(seen).mT / seen.shape[-1] ** 0.5).softmax(-1)
        result: Tensor = (patches + near @ self.value(seen)).mean(1)
        return result


@dataclass(frozen=True, kw_only=True)
class ThermalConfig(Config):
    start: float = setting(1.0, "The temperature to start from.", low=0.01, high=100, step=0.5)


class Thermal(MetricAlgorithm):
    """Prototypes whose distances are divided by a learned temperature."""

    name = "thermal"
    title = "Thermal Prototypes"
    family = "calibrated"
    summary = "Prototypes that learn how sure to be of the nearest one."
    formula = (r"p(y=n \mid x) \propto e^{-d_n / \tau}", r"d_n = \lVert f_\theta(x) - c_n \rVert^2")
    paper = "A toy, written for a test"
    color = ("#7A1FA2", "#D9A6F5")
    dash = "dot"
    Config = ThermalConfig
    measures = ("euclidean",)

    config: ThermalConfig

    @classmethod
    def measure_of(cls, config: Config) -> str:
        return "euclidean"

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        training = wanted.training(Budget(demo=80, good=400, paper=1000), tasks=2)
        return Recipe(cls.Config(), wanted.source.usual_model, training)

    @cached_property
    def parts(self) -> Parts:
        return replace(super().parts, shared=(TEMPERATURE,))

    def groups(self) -> Sequence[Group]:
        return [Group(self.parts.adapted), Group(self.parts.shared, rate=10.0, decays=False)]

    def init(self, generator: torch.Generator) -> Params:
        start = torch.tensor([self.config.start]).log()
        return super().init(generator) | {TEMPERATURE: start}

    def explain(
        self, theta: Params, support: Tensor, labels: Tensor, query: Tensor, ways: int
    ) -> Explanation:
        centres = prototypes(support, labels, ways)
        away = squared_distances(query, centres)
        logits = -away / theta[TEMPERATURE].exp()
        return Explanation(logits, prototypes=centres, distances=away, measure="squared distance")

    def keeps(self, support: Tensor, labels: Tensor, ways: int) -> Mapping[str, Tensor]:
        return {"prototypes": prototypes(support, labels, ways)}

    def learned_by_layer(self, params: Params) -> ByLayer:
        values = {"temperature": params[TEMPERATURE].exp()}
        return ByLayer(
            "Learned temperature", "temperature", "Below 1 it is sure of itself.", values
        )


@dataclass(frozen=True, kw_only=True)
class BlendConfig(Config):
    keenness: float = setting(5.0, "How keen it is on examples alike.", low=0.1, high=50, step=1)


class Blend(Algorithm):
    """Answers by attention over the support set and a learned lean towards each label; of no
    kind that Metacore knows: it has no inner loop, and no space in which distances count."""

    name = "blend"
    title = "Blend"
    family = "calibrated"
    summary = "Attends to the examples, and leans towards a label."
    formula = (r"p(y) \propto \sum_i a_i y_i + b_y",)
    paper = "A toy, written for a test"
    regression = False
    in_steps = False
    norms = ("transductive", "support")
    Config = BlendConfig

    config: BlendConfig

    @staticmethod
    def outputs(ways: int, training_classes: int) -> int:
        return 0

    @classmethod
    def recipe(cls, wanted: Wanted) -> Recipe | None:
        training = wanted.training(Budget(demo=80, good=400, paper=1000), tasks=2)
        return Recipe(cls.Config(), wanted.source.usual_model, training)

    @cached_property
    def parts(self) -> Parts:
        return replace(super().parts, shared=(LEAN,))

    def init(self, generator: torch.Generator) -> Params:
        return super().init(generator) | {LEAN: torch.zeros(100)}

    def meta_step(
        self, params: Params, episode: Episode, *, generator: torch.Generator
    ) -> MetaStep:
        theta = leaves(params, but=self.parts.state)
        learned = self.parts.learned(theta)
        logits = (
            BlendPredictor(self, theta, episode, "transductive").explain(episode.query_x).logits
        )
        loss = task_losses(logits, episode.query_y).mean()
        gradients = torch.autograd.grad(loss, list(learned.values()))
        metrics = step_metrics(loss, task_scores(logits, episode.query_y).mean(), regression=False)
        return MetaStep(dict(zip(learned, gradients, strict=True)), metrics)

    def predictors(
        self, params: Params, episode: Episode, steps: int, norm: str
    ) -> Iterator[Predictor]:
        yield BlendPredictor(self, params, episode, norm)


@dataclass
class BlendPredictor:
    algorithm: Blend
    theta: Params
    episode: Episode
    norm: str
    params: None = None

    def features(self, x: Tensor) -> Tensor:
        return self._query(x)

    @cached_property
    def _query(self) -> QueryFeatures:
        theta = stack(self.theta, self.episode.tasks)
        return QueryFeatures(self.algorithm.network, theta, self.episode.support_x, self.norm)

    @property
    def kept(self) -> Mapping[str, Tensor]:
        support = self.features(self.episode.support_x)
        return {EMBEDDED: support, LABELS: self.episode.support_y, **self._query.kept}

    def explain(self, query_x: Tensor) -> Explanation:
        support, query = self.features(self.episode.support_x), self.features(query_x)
        near = F.normalize(query, dim=-1) @ F.normalize(support, dim=-1).mT
        attention = (self.algorithm.config.keenness * near).softmax(-1)
        votes = vote(attention, self.episode.support_y, self.episode.ways)
        lean = self.theta[LEAN][: self.episode.ways]
        return Explanation(votes + lean, attention=attention)

    def __call__(self, query_x: Tensor) -> Tensor:
        return self.explain(query_x).logits.detach()

    def support_loss(self) -> Tensor:
        return task_losses(self(self.episode.support_x), self.episode.support_y)


@dataclass(frozen=True, kw_only=True)
class FlagsConfig(Config):
    folder: str = setting(
        "", "Holds train, val and test, with a folder of PNG pictures per class.", path=True
    )
    side: int = setting(20, "Pixels along a picture.", low=5, high=200, step=5)


class Flags(ImageDataset):
    name = "flags"
    title = "Flags"
    summary = "Colour pictures from a folder of one's own."
    item = "picture"
    Config = FlagsConfig
    usual_model = GlanceConfig()

    config: FlagsConfig

    def __init__(self, config: FlagsConfig, device: torch.device) -> None:
        super().__init__(config, device)
        if not config.folder:
            raise UserError("Name the folder the flags are in.")
        self._names, self.images, self.sizes = {}, {}, {}
        for split in SPLITS:
            classes = sorted((Path(config.folder) / split).iterdir())
            pictures = [self._class(folder) for folder in classes]
            self._names[split] = [folder.name for folder in classes]
            self.sizes[split] = torch.tensor([len(one) for one in pictures])
            self.images[split] = nn.utils.rnn.pad_sequence(pictures, batch_first=True).to(device)

    def _class(self, folder: Path) -> Tensor:
        side = self.config.side
        files = (Image.open(file).convert("RGB") for file in sorted(folder.glob("*.png")))
        arrays = [np.array(image.resize((side, side))) for image in files]
        return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()

    @classmethod
    def shape(cls, config: Config) -> tuple[int, ...]:
        assert isinstance(config, FlagsConfig)
        return (3, config.side, config.side)

    def prepared(self, pictures: Tensor, split: str, generator: torch.Generator) -> Tensor:
        return (pictures.float() / 255 - 0.5) / 0.25

    @classmethod
    def displayed(cls, pictures: Tensor) -> Tensor:
        return pictures * 0.25 + 0.5

    @classmethod
    def how_to_get(cls) -> str:
        return "name a folder of pictures in its settings"

    def class_names(self, split: str) -> list[str]:
        return self._names[split]


def draw_flags(folder: Path) -> Path:
    """Flags of two colours with a little noise: 8 classes per split of 8 to 11 pictures each."""
    chance = np.random.default_rng(0)
    for first, split in enumerate(SPLITS):
        for number in range(8):
            home = folder / split / f"flag {number}"
            home.mkdir(parents=True)
            colors = [
                colorsys.hsv_to_rgb((number / 8 + first / 24 + k / 3) % 1, 1, 1) for k in (0, 1)
            ]
            for picture in range(8 + number % 4):
                flag = np.repeat(np.array(colors), 15, axis=0)[:, None].repeat(30, 1)
                if number % 2:
                    flag = flag.swapaxes(0, 1)
                noisy = (flag + chance.normal(0, 0.1, flag.shape)).clip(0, 1) * 255
                Image.fromarray(noisy.astype(np.uint8)).save(home / f"{picture}.png")
    return folder
