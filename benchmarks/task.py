"""What is raced: a method at one setting, on pictures of noise and with one network for all.

Speed does not depend on what the pictures show, so none need be downloaded: 4112 classes of 20
drawings, 28 x 28, as many as Omniglot has for training when its characters are turned; or fewer
classes of photographs, 84 x 84 in colour, as miniImageNet's.
"""

from dataclasses import dataclass, field

import torch
from torch import Tensor

from metacore.datasets.base import ImageDataset
from metacore.datasets.omniglot import OmniglotConfig
from metacore.episode import Episode
from metacore.models import MODELS
from metacore.models.networks import Network, Params, initial_params
from metacore.randomness import generator

CLASSES, DRAWINGS, SIDE = 4112, 20, 28
PHOTOGRAPHED = 64  # classes, where pictures are in colour
PREPARED = 8  # episodes drawn before the clock starts, for methods timed without sampling


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One method at one size; `outer_rate` belongs to the outer Adam, or to Reptile's outer SGD."""

    method: str
    tasks: int
    ways: int
    shots: int
    queries: int
    inner_steps: int = 0
    inner_batch: int = 0
    inner_rate: float = 0.0
    outer_rate: float = 1e-3
    model: str = "conv4"
    width: int = 64
    channels: int = 1
    side: int = SIDE

    @property
    def title(self) -> str:
        size = f"{self.ways}-way {self.shots}-shot, {self.queries} queries"
        if self.method == "protonet":
            return size
        steps = f"{self.inner_steps} inner step{'s' * (self.inner_steps > 1)}"
        batch = f" of {self.inner_batch}" if self.inner_batch else ""
        seen = f", {self.channels} x {self.side} x {self.side}" if self.photographs else ""
        return f"{size}, {steps}{batch}, {self.tasks} tasks{seen}"

    @property
    def photographs(self) -> bool:
        return self.channels == 3

    @property
    def picture(self) -> tuple[int, int, int]:
        return self.channels, self.side, self.side

    @property
    def shape(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("tasks", "ways", "shots", "queries")}

    def network(self, outputs: int) -> Network:
        return MODELS[self.model](width=self.width).build(self.picture, outputs)


class Noise(ImageDataset):
    """Random pictures in the layout of Omniglot, or of fewer and larger ones."""

    name = "noise"
    title = "Noise"
    summary = "Random pictures, for measuring speed."
    Config = OmniglotConfig

    @classmethod
    def shape(cls, config: Config) -> tuple[int, ...]:
        return (1, SIDE, SIDE)

    def __init__(self, device: torch.device, picture: tuple[int, int, int]) -> None:
        super().__init__(OmniglotConfig(), device)
        shape = (CLASSES if picture[0] == 1 else PHOTOGRAPHED, DRAWINGS, *picture)
        chance = generator(0, "noise")
        images = torch.randint(0, 256, shape, dtype=torch.uint8, generator=chance)
        self.images = {"train": images.to(device)}


@dataclass
class Race:
    """What every contestant is handed: the same data, the same first weights, the same episodes."""

    setting: Setting
    device: torch.device
    dataset: Noise = field(init=False)

    def __post_init__(self) -> None:
        self.dataset = Noise(self.device, self.setting.picture)

    def network(self) -> tuple[Network, Params]:
        """The network and its first weights, on the device."""
        outputs = 0 if self.setting.method == "protonet" else self.setting.ways
        network = self.setting.network(outputs)
        params = initial_params(network, generator(0, "init"))
        network.load_state_dict(params, strict=False)
        moved = {name: value.to(self.device) for name, value in params.items()}
        return network.to(self.device), moved

    def episode(self, number: int) -> Episode:
        return self.dataset.sample(
            "train", **self.setting.shape, generator=generator(0, "train", number)
        )

    def episodes(self) -> list[Episode]:
        return [self.episode(number) for number in range(PREPARED)]


def batches(examples: int, size: int, count: int) -> list[Tensor]:
    """Mini-batches [B] of indices for one task, in shuffled order, as a plain loop draws them."""
    orders = [torch.randperm(examples) for _ in range(-(-count * size // examples))]
    return list(torch.cat(orders)[: count * size].view(count, size))
