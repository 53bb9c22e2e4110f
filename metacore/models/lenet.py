"""A small network in the manner of LeNet-5 (LeCun et al. 1998), as many courses teach it.

Two 5x5 convolutions without padding, each with batch normalisation, 2x2 max-pooling and ReLU, then
one hidden layer.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from metacore.models.networks import ModelConfig, Network, refuse_smaller
from metacore.settings import setting

FILTERS = (10, 20)


@dataclass(frozen=True, kw_only=True)
class LeNet(ModelConfig):
    summary: ClassVar[str] = "Two 5x5 convolutions of 10 and 20 filters, then one hidden layer."

    hidden: int = setting(50, "Units of the hidden layer.", low=4, high=4096, step=10)

    def build(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        channels, *size = input_shape
        refuse_smaller(size, 16, "two 5x5 convolutions and two halvings leave less than one place")
        layers: list[tuple[str, nn.Module]] = []
        for number, filters in enumerate(FILTERS, 1):
            layers += [
                (f"conv{number}", nn.Conv2d(channels, filters, 5, bias=False)),
                (f"norm{number}", nn.BatchNorm2d(filters)),
                (f"pool{number}", nn.MaxPool2d(2)),
                (f"relu{number}", nn.ReLU()),
            ]
            channels, size = filters, [(side - 4) // 2 for side in size]
        layers += [
            ("flatten", nn.Flatten()),
            ("linear1", nn.Linear(channels * math.prod(size), self.hidden)),
            ("relu3", nn.ReLU()),
        ]
        return Network(nn.Sequential(OrderedDict(layers)), self.hidden, outputs)
