"""Features of a network that was trained on a million photographs (ImageNet).

It takes pictures of any kind and size: ink becomes black on white, and all are brought to one size
and normalised as those that it was trained on. Frozen, it has nothing to learn; with `tuned`, its
last blocks are ordinary parameters.
"""

import contextlib
from dataclasses import dataclass
from typing import ClassVar

import torch

from metacore.errors import UserError
from metacore.models.kept_features import computed_anew
from metacore.models.networks import ModelConfig, Network
from metacore.models.pretrained import ARCHITECTURES, Trunk
from metacore.models.weights import WEIGHTS
from metacore.pictures import COLOUR
from metacore.settings import setting


@dataclass(frozen=True, kw_only=True)
class Backbone(ModelConfig):
    summary: ClassVar[str] = "A network pretrained on a million photographs, frozen by default."
    any_picture: ClassVar[bool] = True
    pretrained: ClassVar[bool] = True

    network: str = setting(
        "efficientnet-lite0",
        "Which network; the weights of all but the first have to be fetched.",
        choices=tuple(ARCHITECTURES),
    )
    input_size: int = setting(
        128, "Pictures are brought to so many pixels along a side.", low=32, high=320, step=32
    )
    tuned: int = setting(
        0, "How many of its last blocks learn; 0 leaves all as they are.", low=0, high=4, step=1
    )

    def build(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        trunk = Trunk(self.network, self.input_size, self.tuned)
        return Network(trunk.tail(), ARCHITECTURES[self.network].width, outputs, trunk=trunk)

    def looks_at(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (COLOUR, self.input_size, self.input_size)

    def refuse_missing(self) -> None:
        WEIGHTS[self.network].refuse_missing()


def warm_up() -> None:
    """Loads the usual network where it is here, so that nobody's first picture waits for it."""
    usual = Backbone()
    with contextlib.suppress(UserError), computed_anew():  # what is wrong is said when it is asked
        usual.refuse_missing()
        side = usual.input_size
        Trunk(usual.network, side, 0)(torch.zeros(1, COLOUR, side, side))
