"""What people draw and photograph is recognised as well as the dataset's own pictures.

The same drawings are put through the page's two ways in, as files and as strokes, and the same
episodes of them are answered by runs that come with Metacore. The dataset's pictures of real
handwriting stand anywhere on their canvas; in the middle, where both ways put them, they are
recognised a little better, so the two ways are held against both: no worse than the former, and
close to the latter.
"""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

import metacore as mc
from metacore.datasets import omniglot_pictures as omniglot
from metacore.datasets.glyphs import Glyphs, GlyphsConfig
from metacore.training.learner import Learner
from metacore.trial.drawn import picture
from metacore.trial.photographs import convert
from tests.trial.hands import each, file, in_the_middle, scan, shrunk, trace

GAP = 0.02
RUNS = ("protonet-glyphs", "maml-glyphs")


def as_file(ink: Tensor) -> Tensor:
    return convert(file(scan(ink)), "drawing.png")


def as_large_file(ink: Tensor) -> Tensor:
    return convert(file(scan(ink, side=448, dark=False), "WEBP"), "drawing.webp")


def by_pen() -> Callable[[Tensor], Tensor]:
    chance = np.random.default_rng(0)
    return lambda ink: picture([trace(ink, chance)])[0]


@pytest.fixture
def learners(pretrained: object) -> list[Learner]:
    return [mc.load(run, device="cpu") for run in RUNS]


def accuracies(learners: list[Learner], pictures: Tensor, norm: str | None = None) -> list[float]:
    """Of 200 five-way one-shot episodes, the same ones for any pictures of the same drawings."""
    found = []
    for learner in learners:
        own = learner.dataset
        assert isinstance(own, Glyphs)
        before, own.images = own.images, {**own.images, "test": pictures}
        task = {"ways": 5, "shots": 1, "queries": 5, "episodes": 200}
        found.append(mc.evaluate(learner, norm=norm, **task).mean)
        own.images = before
    return found


def report(**found: list[float]) -> None:
    for name, values in found.items():
        print(name, *(f"{run} {value:.2%}" for run, value in zip(RUNS, values, strict=True)))


@pytest.mark.usefixtures("omniglot_home")
def test_real_handwriting(learners: list[Learner]) -> None:
    folders = {name.partition("/")[2]: name for name in omniglot.everything()}
    names = omniglot.characters("vinyals", "test")[::5]
    canvases = torch.stack([omniglot._canvases(omniglot.folder() / folders[n]) for n in names])
    canvases = canvases[:, :8]
    normal = accuracies(learners, shrunk(canvases))
    middle = accuracies(learners, shrunk(each(canvases, in_the_middle)))
    filed = accuracies(learners, each(canvases, as_file))
    penned = accuracies(learners, each(canvases, by_pen()))
    report(normal=normal, middle=middle, filed=filed, penned=penned)
    for way in (filed, penned):
        for found, plain, centred in zip(way, normal, middle, strict=True):
            assert found > plain - GAP
            assert abs(found - centred) < GAP


def test_glyphs(learners: list[Learner]) -> None:
    """Their pictures of 28 x 28 are all there is of them, so they are enlarged as files."""
    config = GlyphsConfig(train_classes=20, test_classes=60, drawings=8, rotations=False)
    pictures = Glyphs(config, torch.device("cpu")).images["test"]
    ink = pictures[:, :, 0].float() / 255
    normal = accuracies(learners, pictures)
    filed = accuracies(learners, each(ink, as_large_file))
    penned = accuracies(learners, each(_enlarged(ink), by_pen()))
    report(normal=normal, filed=filed, penned=penned)
    for way in (filed, penned):
        for found, plain in zip(way, normal, strict=True):
            assert found > plain - GAP


def _enlarged(ink: Tensor) -> Tensor:
    large = torch.nn.functional.interpolate(ink, scale_factor=4.0, mode="bicubic")
    return large > 0.5
