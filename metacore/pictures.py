"""Pictures of one kind as another: ink as colour and back, another size.

Pictures are [..., C, H, W], bytes or numbers from 0 to 1. One channel is ink, 255 (or 1) where the
pen was and 0 on paper; three are red, green and blue. Ink becomes black on white and back again;
a picture of other proportions loses what stands out beyond its middle.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

INK, COLOUR = 1, 3  # channels
LUMINANCE = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)


def converted(pictures: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Pictures [..., C, H, W] as pictures of this shape, in the kind of numbers they came in."""
    if tuple(pictures.shape[-3:]) == tuple(shape):
        return pictures
    channels, height, width = shape
    return resized(recoloured(pictures, channels), height, width)


def recoloured(pictures: Tensor, channels: int) -> Tensor:
    """With so many channels: [..., C', H, W]."""
    if pictures.shape[-3] == channels:
        return pictures
    if channels == COLOUR:
        paper = 1 - pictures if pictures.is_floating_point() else 255 - pictures
        return paper.expand(*pictures.shape[:-3], COLOUR, *pictures.shape[-2:])
    weights = torch.tensor(LUMINANCE, device=pictures.device)[:, None, None]
    if pictures.is_floating_point():
        return 1 - (pictures * weights.to(pictures.dtype)).sum(-3, keepdim=True)
    return 255 - (pictures * weights).sum(-3, keepdim=True).round().byte()


def resized(pictures: Tensor, height: int, width: int) -> Tensor:
    """The middle of pictures at another size, smoothly: [..., C, H', W']."""
    middle = cropped(pictures, height, width)
    if tuple(middle.shape[-2:]) == (height, width):
        return middle
    flat = middle.reshape(-1, *middle.shape[-3:])
    values = flat if flat.is_floating_point() else flat.float()
    found = F.interpolate(
        values, (height, width), mode="bilinear", align_corners=False, antialias=True
    )
    if not flat.is_floating_point():
        found = found.round().clamp(0, 255).byte()
    return found.view(*middle.shape[:-2], height, width)


def cropped(pictures: Tensor, height: int, width: int) -> Tensor:
    """The largest part around the middle that has these proportions."""
    tall, wide = pictures.shape[-2:]
    keep_tall = min(tall, max(1, round(wide * height / width)))
    keep_wide = min(wide, max(1, round(tall * width / height)))
    top, left = (tall - keep_tall) // 2, (wide - keep_wide) // 2
    return pictures[..., top : top + keep_tall, left : left + keep_wide]
