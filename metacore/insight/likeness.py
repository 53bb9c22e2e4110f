"""How alike the drawings of classes are to the eye."""

from functools import lru_cache
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from metacore import datasets
from metacore.datasets.base import ImageDataset
from metacore.settings import Config

BLUR = 2.0  # pixels: two hands never draw a line in the same place


@lru_cache(maxsize=4)
def distances_in(config: Config) -> Tensor:
    """Between a dataset's test classes; on the CPU, so that neighbours are the same everywhere."""
    return distances(cast(ImageDataset, datasets.load(config, torch.device("cpu"))).images["test"])


def distances(images: Tensor) -> Tensor:
    """How far classes [C, drawings, 1, H, W] are apart to the eye: [C, C].

    Between their mean blurred drawings, in units of how much those of one class scatter.
    """
    drawings = _blurred(images.flatten(0, 1).float() / 255).view(*images.shape[:2], -1)
    middle = drawings.mean(1)
    scatter = (drawings - middle[:, None]).norm(dim=-1).mean(1)
    return torch.cdist(middle, middle) * 2 / (scatter + scatter[:, None])


def _blurred(images: Tensor) -> Tensor:
    """Pictures [n, 1, H, W] through a Gaussian."""
    reach = int(3 * BLUR)
    bell = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * BLUR**2))
    bell = bell / bell.sum()
    rows = F.conv2d(images, bell.view(1, 1, 1, -1), padding=(0, reach))
    return F.conv2d(rows, bell.view(1, 1, -1, 1), padding=(reach, 0))
