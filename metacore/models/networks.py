"""The networks: features, then one linear head; registered by their configs.

They are ordinary `nn.Module`s made of an `nn.Sequential` of well-known layers, which is what lets
`stacked.py` run many parameter sets of one network at once. Convolutions followed by batch
normalisation carry no bias (it would be subtracted again), and pooling comes before ReLU: the same
result for a quarter of the work.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor, nn

from metacore.errors import UserError
from metacore.settings import Config, setting

Params = dict[str, Tensor]
NORMS = ("batch", "layer", "none")
HALVINGS = 4  # by pooling: no network pools more often
HEAD = ("head.weight", "head.bias")  # the parameters of a network's last layer


class Frozen(Protocol):
    """What comes before all that is learned, and is no part of it: a pretrained network."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of what it makes of one input."""
        ...

    @property
    def identity(self) -> dict[str, str]:
        """Which weights it has: `name` and `sha256`."""
        ...

    def first(self) -> Params:
        """What the learned layers after it begin with, by their names in `features`."""
        ...

    def __call__(self, x: Tensor) -> Tensor:
        """Inputs [..., C, H, W] -> [..., *shape]."""
        ...


class Network(nn.Module):
    """`features` maps an input to a vector, `head` maps it to outputs (none for metric methods).

    A pretrained network has a `trunk` that inputs go through first.
    """

    def __init__(
        self, features: nn.Module, width: int, outputs: int, *, trunk: Frozen | None = None
    ) -> None:
        super().__init__()
        self.features = features
        self.width = width
        self.head = nn.Linear(width, outputs) if outputs else nn.Identity()
        self.trunk = trunk

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.features(x if self.trunk is None else self.trunk(x)))


@dataclass(frozen=True, kw_only=True)
class ModelConfig(Config):
    """A network that can be built for any input and any number of outputs."""

    summary: ClassVar[str]
    regression: ClassVar[bool] = False
    role: ClassVar[str] = "features"  # what an algorithm can use it as
    any_picture: ClassVar[bool] = False  # whether it takes pictures of any kind and size
    pretrained: ClassVar[bool] = False  # whether it knows something before a run begins

    def build(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        """`outputs` 0 leaves the head away."""
        raise NotImplementedError

    def refuse_missing(self) -> None:
        """Says what to do where something it needs is not on this computer."""

    def looks_at(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """What it makes of pictures of this shape before anything else."""
        return shape

    def parameter_count(self, input_shape: tuple[int, ...], outputs: int) -> int:
        """How many numbers are learned; costs no memory."""
        with torch.device("meta"):
            network = self.build(input_shape, outputs)
        return sum(parameter.numel() for parameter in network.parameters())


def halved(size: Sequence[int]) -> list[int]:
    """The size of a picture after every 2x2 max-pooling; refuses one that is too small."""
    refuse_smaller(size, 2**HALVINGS, f"it halves them {HALVINGS} times")
    return [side // 2**HALVINGS for side in size]


def refuse_smaller(size: Sequence[int], least: int, because: str) -> None:
    """Pictures [H, W] that a network would leave nothing of."""
    if min(size) < least:
        height, width = size
        raise UserError(
            f"This model needs pictures of at least {least} x {least} pixels ({because}), and these"
            f" are {width} x {height}: choose another model, or larger pictures."
        )


@dataclass(frozen=True, kw_only=True)
class Conv4(ModelConfig):
    summary: ClassVar[str] = "Four strided convolutions: the network of MAML's Omniglot results."
    blocks: ClassVar[int] = 4
    pool: ClassVar[bool] = False

    width: int = setting(64, "Filters in each of the layers.", low=4, high=512, step=16)
    norm: str = setting(
        "batch",
        "How activations are normalised: over the batch, per example, or not.",
        choices=NORMS,
    )

    def build(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        channels, *size = input_shape
        if self.pool:
            size = halved(size)
        layers: list[tuple[str, nn.Module]] = []
        for number in range(1, self.blocks + 1):
            layers += self._block(number, channels)
            channels = self.width
            if not self.pool:
                size = [math.ceil(side / 2) for side in size]
        layers.append(("flatten", nn.Flatten()))
        return Network(nn.Sequential(OrderedDict(layers)), channels * math.prod(size), outputs)

    def _block(self, number: int, channels: int) -> list[tuple[str, nn.Module]]:
        stride = 1 if self.pool else 2
        bias = self.norm != "batch"
        convolution = nn.Conv2d(channels, self.width, 3, stride, padding=1, bias=bias)
        layers: list[tuple[str, nn.Module]] = [(f"conv{number}", convolution)]
        if self.norm == "batch":
            layers.append((f"norm{number}", nn.BatchNorm2d(self.width)))
        elif self.norm == "layer":
            layers.append((f"norm{number}", nn.GroupNorm(1, self.width)))
        if self.pool and number <= HALVINGS:
            layers.append((f"pool{number}", nn.MaxPool2d(2)))
        return [*layers, (f"relu{number}", nn.ReLU())]


@dataclass(frozen=True, kw_only=True)
class Conv4Pool(Conv4):
    summary: ClassVar[str] = (
        "Four convolutions, each halved by 2x2 max-pooling: ProtoNet's network."
    )
    pool: ClassVar[bool] = True


@dataclass(frozen=True, kw_only=True)
class Conv6(Conv4Pool):
    summary: ClassVar[str] = (
        "Six convolutions, the first four followed by 2x2 max-pooling: from Chen et al. 2019."
    )
    blocks: ClassVar[int] = 6


@dataclass(frozen=True, kw_only=True)
class Mlp(ModelConfig):
    summary: ClassVar[str] = "One hidden layer on the pixels: a classic teaching network."

    width: int = setting(400, "Units of the hidden layer.", low=4, high=4096, step=50)

    def build(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        layers = OrderedDict(
            flatten=nn.Flatten(),
            linear1=nn.Linear(math.prod(input_shape), self.width),
            relu1=nn.ReLU(),
        )
        return Network(nn.Sequential(layers), self.width, outputs)


@dataclass(frozen=True, kw_only=True)
class SineMlp(ModelConfig):
    summary: ClassVar[str] = "Two hidden layers from one number to one number: MAML's sine network."
    regression: ClassVar[bool] = True

    width: int = setting(40, "Units of each hidden layer.", low=2, high=1024, step=10)

    def build(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        layers = OrderedDict(
            linear1=nn.Linear(math.prod(input_shape), self.width),
            relu1=nn.ReLU(),
            linear2=nn.Linear(self.width, self.width),
            relu2=nn.ReLU(),
        )
        return Network(nn.Sequential(layers), self.width, outputs)


@dataclass(frozen=True, kw_only=True)
class Linear(ModelConfig):
    summary: ClassVar[str] = "A slope and an intercept: two parameters one can see in a plane."
    regression: ClassVar[bool] = True

    def build(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        return Network(nn.Sequential(nn.Flatten()), math.prod(input_shape), outputs)


def initial_params(network: nn.Module, generator: torch.Generator) -> Params:
    """Fresh weights as PyTorch draws them, from this generator alone.

    Running statistics are included under their own names.
    """
    given = _given(network)
    params: Params = {}
    for prefix, module in network.named_modules():
        drawn = _draw(prefix, module, generator)
        for name, buffer in module.named_buffers(recurse=False):
            if buffer.is_floating_point():
                drawn[name] = buffer.detach().clone()
        params |= {_joined(prefix, name): tensor for name, tensor in drawn.items()}
    return params | {name: value for name, value in given.items() if not params[name].is_meta}


def _given(network: nn.Module) -> Params:
    """What the learned layers of a pretrained network begin with."""
    trunk = getattr(network, "trunk", None)
    if trunk is None or all(each.is_meta for each in network.parameters()):
        return {}
    return {f"features.{name}": value for name, value in trunk.first().items()}


def _draw(prefix: str, module: nn.Module, generator: torch.Generator) -> Params:
    """A layer's own parameters; layers that are not known draw them as they draw themselves."""
    own = dict(module.named_parameters(recurse=False))
    if isinstance(module, nn.Linear | nn.Conv2d):  # Kaiming uniform
        bound = 1 / math.sqrt(module.weight[0].numel())
        shapes = {name: tensor.shape for name, tensor in own.items()}
        return {
            name: torch.empty(shape).uniform_(-bound, bound, generator=generator)
            for name, shape in shapes.items()
        }
    if own and not isinstance(module, nn.BatchNorm2d | nn.GroupNorm | nn.LayerNorm):
        _draw_itself(prefix, module, generator)
    return {name: tensor.detach().clone() for name, tensor in own.items()}


def _draw_itself(prefix: str, module: nn.Module, generator: torch.Generator) -> None:
    """Lets a layer draw its parameters anew from PyTorch's own generator, lent a seed of ours."""
    draw = getattr(module, "reset_parameters", getattr(module, "_reset_parameters", None))
    if draw is None:
        raise UserError(
            f"The layer {prefix or 'network'} ({type(module).__name__}) has parameters of its own"
            " and no method reset_parameters that draws them: give it one, so that a seed decides"
            " what a run starts from."
        )
    if next(module.parameters()).is_meta:
        return  # only shapes are asked for
    seed = int(torch.randint(2**62, (), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        draw()


def _joined(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name


def by_layer(params: Params) -> Params:
    """All numbers of each layer in one row: layer -> [n]."""
    rows: dict[str, list[Tensor]] = {}
    for name, value in params.items():
        rows.setdefault(layer_of(name), []).append(value.flatten())
    return {layer: torch.cat(values) for layer, values in rows.items()}


def layer_of(name: str) -> str:
    """What the layer of a parameter is called."""
    return name.rpartition(".")[0].removeprefix("features.")
