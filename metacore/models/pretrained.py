"""Networks trained on ImageNet, in two parts: a trunk that stays as it is, and the last blocks,
which a run may go on training.

In both, batch normalisation is folded into the convolutions: with the statistics of the training
fixed it is a factor and an offset per channel. The trunk is no part of what a run learns: there is
one of it for all runs of this process, it is run without gradients, and what it makes of a picture
is kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from metacore.models import kept_features
from metacore.models.lite0 import lite0, renamed
from metacore.models.weights import WEIGHTS, State, Weights
from metacore.pictures import COLOUR, converted
from metacore.vision import torchvision

Colours = tuple[tuple[float, float, float], tuple[float, float, float]]  # means and deviations
IMAGENET: Colours = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
TENSORFLOW: Colours = ((127 / 255,) * 3, (128 / 255,) * 3)
AT_ONCE = 8  # pictures, on a CPU
# Features of EfficientNet-Lite0 are about 27 long: so much shorter, the rates and distances that
# suit the other networks here suit them, too.
SCALE = 0.3
Params = dict[str, Tensor]


@dataclass(frozen=True)
class Architecture:
    """A network as a row of blocks, the last of which makes what its features are the means of."""

    width: int  # how many features
    make: Callable[[], nn.Sequential]
    names: Callable[[State], State]  # published weights by the names they have in `make`
    colours: Colours = IMAGENET  # how the pictures it was trained on were normalised


def _torchvision(name: str, blocks: Callable[[Any], Sequence[nn.Module]]) -> Architecture:
    """One of torchvision's; its classifier is left out."""
    width = {"mobilenet_v3_small": 576, "resnet18": 512, "efficientnet_b0": 1280}[name]

    def whole() -> Any:
        return getattr(torchvision().models, name)(weights=None)

    def make() -> nn.Sequential:
        return nn.Sequential(*blocks(whole()))

    def names(state: State) -> State:
        with torch.device("meta"):
            network = whole()
            network.load_state_dict(state, assign=True)
        return nn.Sequential(*blocks(network)).state_dict()

    return Architecture(width, make, names)


def _resnet(network: Any) -> list[nn.Module]:
    stem = OrderedDict(
        (name, getattr(network, name)) for name in ("conv1", "bn1", "relu", "maxpool")
    )
    stages = (network.layer1, network.layer2, network.layer3, network.layer4)
    return [nn.Sequential(stem), *(block for stage in stages for block in stage)]


ARCHITECTURES: dict[str, Architecture] = {
    "efficientnet-lite0": Architecture(1280, lite0, renamed, TENSORFLOW),
    "mobilenet_v3_small": _torchvision("mobilenet_v3_small", lambda network: network.features),
    "resnet18": _torchvision("resnet18", _resnet),
    "efficientnet_b0": _torchvision("efficientnet_b0", lambda network: network.features),
}


@dataclass(frozen=True)
class Trunk:
    """What stays as it is: from pictures of any kind to what the blocks that learn are given, or,
    where none does, to features."""

    network: str
    size: int  # pictures are brought to so many pixels along a side
    tuned: int  # blocks at the end that are not part of it

    @property
    def weights(self) -> Weights:
        return WEIGHTS[self.network]

    @property
    def identity(self) -> dict[str, str]:
        """Which weights they are, for a run's record."""
        return {"name": self.network, "sha256": self.weights.sha256}

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what it makes of one picture; needs no weights."""
        if not self.tuned:
            return (ARCHITECTURES[self.network].width,)
        with torch.device("meta"):
            trunk, _ = _split(_empty(self.network), self.tuned)
            return tuple(trunk(torch.empty(1, COLOUR, self.size, self.size)).shape[1:])

    def __call__(self, x: Tensor) -> Tensor:
        """Of pictures [..., C, H, W] from 0 to 1."""
        pictures = x.detach().reshape(-1, *x.shape[-3:]).float()
        name = f"{self.network} {self.weights.sha256} {self.size} {self.tuned} {SCALE}"
        found = kept_features.features(pictures, name, self._computed)
        return found.view(*x.shape[:-3], *found.shape[1:]).to(x.dtype)

    def tail(self) -> nn.Sequential:
        """The blocks that learn, with numbers that mean nothing yet."""
        if not self.tuned:
            return nn.Sequential()
        with torch.device("meta"):
            _, last = _split(_empty(self.network), self.tuned)
        last = last if torch.empty(0).is_meta else last.to_empty(device="cpu")
        after = {"mean": nn.AdaptiveAvgPool2d(1), "flat": nn.Flatten(), "scaled": Scaled()}
        return nn.Sequential(OrderedDict(blocks=last, **after))

    def first(self) -> Params:
        """What the blocks that learn begin with, by the names they have in `tail`."""
        if not self.tuned:
            return {}
        _, last = _split(_whole(self.network, torch.device("cpu")), self.tuned)
        return {f"blocks.{name}": value.clone() for name, value in last.state_dict().items()}

    def _computed(self, pictures: Tensor) -> Tensor:
        """[n, C, H, W] -> [n, ...], a few at a time."""
        with torch.no_grad():
            at_once = AT_ONCE if pictures.device.type == "cpu" else len(pictures) or 1
            return torch.cat([self._few(some) for some in pictures.split(at_once)] or [pictures])

    def _few(self, pictures: Tensor) -> Tensor:
        trunk, _ = _split(_whole(self.network, pictures.device), self.tuned)
        colour = converted(pictures, (COLOUR, self.size, self.size))
        known = ARCHITECTURES[self.network].colours
        mean, deviation = (colour.new_tensor(each)[:, None, None] for each in known)
        x = ((colour - mean) / deviation).contiguous(memory_format=torch.channels_last)
        found = trunk(x)
        return (found if self.tuned else SCALE * found.mean((-2, -1))).contiguous()


def _split(network: nn.Sequential, tuned: int) -> tuple[nn.Sequential, nn.Sequential]:
    blocks = len(network) - tuned
    first, last = network[:blocks], network[blocks:]
    assert isinstance(first, nn.Sequential)
    assert isinstance(last, nn.Sequential)
    return first, last


@lru_cache(maxsize=8)
def _whole(name: str, device: torch.device) -> nn.Sequential:
    """All blocks with their weights: once for each device."""
    architecture, weights = ARCHITECTURES[name], WEIGHTS[name]
    state = architecture.names(weights.load())
    network = _bare(architecture)
    network.load_state_dict(state, assign=True)
    folded = _folded(network.eval())
    return folded.to(device, memory_format=torch.channels_last).requires_grad_(False)


@lru_cache(maxsize=8)
def _empty(name: str) -> nn.Sequential:
    """The same without numbers: it costs no memory."""
    return _folded(_bare(ARCHITECTURES[name]).eval())


def _bare(architecture: Architecture) -> nn.Sequential:
    with torch.device("meta"):
        return architecture.make()


class Scaled(nn.Module):
    """So long as the features of a frozen network are."""

    def forward(self, x: Tensor) -> Tensor:
        return SCALE * x


class HardSigmoid(nn.Module):
    """PyTorch's own has no second derivative."""

    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x + 3) / 6


class HardSwish(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * F.relu6(x + 3) / 6


TWICE: dict[type[nn.Module], type[nn.Module]] = {  # differentiable twice, as inner loops ask
    nn.Hardsigmoid: HardSigmoid,
    nn.Hardswish: HardSwish,
}


def _folded(module: nn.Module) -> Any:
    """Batch normalisation that follows a convolution as a part of it, and nothing in place."""
    before = ""
    for name, child in list(module.named_children()):
        last = getattr(module, before) if before else None
        if isinstance(child, nn.BatchNorm2d) and isinstance(last, nn.Conv2d):
            setattr(module, before, fuse_conv_bn_eval(last, child))
            setattr(module, name, nn.Identity())
        elif type(child) in TWICE:
            setattr(module, name, TWICE[type(child)]())
        else:
            _folded(child)
        if hasattr(child, "inplace"):
            child.inplace = False  # type: ignore[assignment]
        before = name
    return module
