"""Pictures of training tasks, changed a little by chance: mirrored, moved, in other light.

Only tasks of the training split are changed, every picture on its own; validation and test see
what is there. Each change is a setting that is off unless a dataset says otherwise, and one that
is off draws no random number: a run without augmentation meets the tasks it always met.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from metacore.datasets.base import ImageDataset
from metacore.pictures import COLOUR, LUMINANCE
from metacore.settings import Config, setting


def flips(usual: bool) -> Any:
    return setting(usual, "Mirror half of the training pictures, left to right.")


def shifts(usual: int) -> Any:
    return setting(
        usual, "Move training pictures by up to so many pixels each way.", low=0, high=32, step=1
    )


def colours(usual: float) -> Any:
    return setting(
        usual,
        "How much brightness, contrast and saturation of training pictures vary; 0 means not at"
        " all.",
        low=0,
        high=1,
        step=0.1,
    )


@dataclass(frozen=True, kw_only=True)
class AugmentationConfig(Config):
    """The settings of a picture dataset that can be augmented come before its own."""

    flip: bool = flips(False)
    shift: int = shifts(0)
    colour: float = colours(0.0)


class AugmentedDataset(ImageDataset):
    """Pictures whose config is an `AugmentationConfig`."""

    config: AugmentationConfig

    def prepared(self, pictures: Tensor, split: str, generator: torch.Generator) -> Tensor:
        if split == "train":
            return augmented(pictures, self.config, generator)
        return super().prepared(pictures, split, generator)


def augmented(pictures: Tensor, config: AugmentationConfig, generator: torch.Generator) -> Tensor:
    """Pictures [..., C, H, W] of bytes as numbers from 0 to 1, each changed as it chances."""
    flat = pictures.flatten(0, -4)
    if config.flip:
        mirrored = _chance(flat, generator) < 0.5
        flat = torch.where(mirrored, flat.flip(-1), flat)
    if config.shift:
        flat = _moved(flat, config.shift, generator)
    values = flat.float() / 255
    if config.colour:
        values = _in_other_light(values, config.colour, generator)
    return values.view(pictures.shape)


def _chance(pictures: Tensor, generator: torch.Generator) -> Tensor:
    """One number between 0 and 1 for each: [n, 1, 1, 1]."""
    return torch.rand(len(pictures), 1, 1, 1, generator=generator).to(pictures.device)


def _moved(pictures: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """What comes into view at a border repeats the border."""
    count, _, height, width = pictures.shape
    by = torch.randint(-most, most + 1, (2, count, 1), generator=generator)
    rows = (torch.arange(height) + by[0]).clamp(0, height - 1).to(pictures.device)  # [n, H]
    columns = (torch.arange(width) + by[1]).clamp(0, width - 1).to(pictures.device)  # [n, W]
    taken = pictures.gather(2, rows[:, None, :, None].expand(pictures.shape))
    return taken.gather(3, columns[:, None, None, :].expand(pictures.shape))


def _in_other_light(values: Tensor, most: float, generator: torch.Generator) -> Tensor:
    """Each is mixed with black, with its mean and, in colour, with its grey; or away from them."""
    values = _mixed(values, torch.zeros_like(values), most, generator)
    values = _mixed(values, values.mean((-3, -2, -1), keepdim=True), most, generator)
    if values.shape[1] == COLOUR:
        weights = torch.tensor(LUMINANCE, device=values.device)[:, None, None]
        values = _mixed(values, (values * weights).sum(1, keepdim=True), most, generator)
    return values


def _mixed(values: Tensor, others: Tensor, most: float, generator: torch.Generator) -> Tensor:
    share = 1 + most * (2 * _chance(values, generator) - 1)  # of the picture itself
    return (others + share * (values - others)).clamp(0, 1)
