"""The yardstick of every learned feature: the pixels themselves."""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import ClassVar

from torch import nn

from metacore.models.networks import ModelConfig, Network


@dataclass(frozen=True, kw_only=True)
class Pixels(ModelConfig):
    summary: ClassVar[str] = "The pixels themselves, nothing learned: what any feature must beat."

    def build(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        body = nn.Sequential(OrderedDict(flatten=nn.Flatten()))
        return Network(body, math.prod(input_shape), outputs)
