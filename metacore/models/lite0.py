"""EfficientNet-Lite0 (Tan, Le 2019, arXiv:1905.11946; without squeeze-and-excitation, with ReLU6).

As TensorFlow publishes it, so its padding is TensorFlow's: where a stride leaves an odd number of
pixels to add, the one more goes to the right and the bottom.
"""

import math
from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F

EPSILON = 1e-3  # of its batch normalisation
STEM, LAST = 32, 1280  # channels
STAGES = (  # blocks, kernel, stride of the first, expansion, channels
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class SameConv2d(nn.Conv2d):
    """A convolution whose result has the input's size divided by its stride, rounded up."""

    def forward(self, x: Tensor) -> Tensor:
        tall, wide = (_missing(side, self) for side in x.shape[-2:])
        x = F.pad(x, (wide // 2, wide - wide // 2, tall // 2, tall - tall // 2))
        return super().forward(x)


def _missing(side: int, layer: nn.Conv2d) -> int:
    """How many pixels have to be added along a side."""
    kernel, stride = layer.kernel_size[0], layer.stride[0]
    return max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)


class Bottleneck(nn.Module):
    """Widened by 1x1, filtered channel by channel, narrowed again; added to what came in where the
    shapes allow it."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        widen = [*_conv(inputs, wide, 1), nn.ReLU6()] if expansion > 1 else []
        depthwise = [*_conv(wide, wide, kernel, stride, groups=wide), nn.ReLU6()]
        self.path = nn.Sequential(*widen, *depthwise, *_conv(wide, outputs, 1))
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.path(x)
        return result + x if self.adds else result


def _conv(
    inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    conv = SameConv2d(inputs, outputs, kernel, stride, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs, eps=EPSILON)]


def lite0() -> nn.Sequential:
    """Its convolutions, block by block: the last one makes 1,280 channels, a 32nd of the size."""
    blocks: list[nn.Module] = [nn.Sequential(*_conv(3, STEM, 3, 2), nn.ReLU6())]
    inputs = STEM
    for count, kernel, stride, expansion, outputs in STAGES:
        for number in range(count):
            first = stride if number == 0 else 1
            blocks.append(Bottleneck(inputs, outputs, kernel, first, expansion))
            inputs = outputs
    blocks.append(nn.Sequential(*_conv(inputs, LAST, 1), nn.ReLU6()))
    return nn.Sequential(*blocks)


def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights as they are published, under the names they have here: the order is the same."""
    names = list(lite0_names())
    published = [name for name in state if not name.startswith("_fc.")]
    ends = [name.rpartition(".")[2] for name in names]
    if ends != [name.rpartition(".")[2] for name in published]:
        raise ValueError("these are not the weights of EfficientNet-Lite0")
    return {name: state[own] for name, own in zip(names, published, strict=True)}


def lite0_names() -> list[str]:
    return list(lite0().state_dict())
