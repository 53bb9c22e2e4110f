"""Residual blocks (He et al. 2016), and the ResNet-12 that few-shot learning has used since 2018.

After Oreshkin et al. 2018 (arXiv:1805.10123) and Lee et al. 2019: four blocks of three 3x3
convolutions with batch normalisation and LeakyReLU, a 1x1 projection as shortcut, 2x2 max-pooling
after each block, and the mean over all places at the end. Departure: no DropBlock. Pooling comes
before the last LeakyReLU of a block: the same result for a quarter of the work.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from metacore.models.networks import ModelConfig, Network, halved
from metacore.settings import setting

SLOPE = 0.1


class Residual(nn.Module):
    """The sum of what two branches make of an input; an empty shortcut passes it on."""

    def __init__(self, path: nn.Sequential, shortcut: nn.Sequential) -> None:
        super().__init__()
        self.path = path
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.path(x) + self.shortcut(x)
        return result


@dataclass(frozen=True, kw_only=True)
class ResNet12(ModelConfig):
    summary: ClassVar[str] = (
        "Four residual blocks of three convolutions: the field's usual network for photographs."
    )

    # 8 costs a meta-step as much as the pooled Conv4; 16 two and a half times, 32 eight times that
    width: int = setting(
        8,
        "Filters of the first block; the others have 2.5, 5 and 10 times as many. The field uses"
        " 64 (64-160-320-640).",
        low=4,
        high=128,
        step=4,
    )

    def build(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        channels, *size = input_shape
        halved(size)
        layers: list[tuple[str, nn.Module]] = []
        for number, times_two in enumerate((2, 5, 10, 20), 1):
            filters = self.width * times_two // 2
            layers += [
                (f"block{number}", block(channels, filters)),
                (f"pool{number}", nn.MaxPool2d(2)),
                (f"relu{number}", nn.LeakyReLU(SLOPE)),
            ]
            channels = filters
        layers += [("mean", nn.AdaptiveAvgPool2d(1)), ("flatten", nn.Flatten())]
        return Network(nn.Sequential(OrderedDict(layers)), channels, outputs)


def block(channels: int, filters: int) -> Residual:
    """Three convolutions beside one of 1x1; what follows their sum is left to the network."""
    path: list[tuple[str, nn.Module]] = []
    inputs = channels
    for number in (1, 2, 3):
        path += [
            (f"conv{number}", nn.Conv2d(inputs, filters, 3, padding=1, bias=False)),
            (f"norm{number}", nn.BatchNorm2d(filters)),
            (f"relu{number}", nn.LeakyReLU(SLOPE)),
        ]
        inputs = filters
    shortcut: list[tuple[str, nn.Module]] = [
        ("conv", nn.Conv2d(channels, filters, 1, bias=False)),
        ("norm", nn.BatchNorm2d(filters)),
    ]
    return Residual(
        nn.Sequential(OrderedDict(path[:-1])),  # the sum comes before the last activation
        nn.Sequential(OrderedDict(shortcut)),
    )
