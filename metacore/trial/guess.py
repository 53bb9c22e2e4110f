"""Whether a picture shows a drawing on paper, or is a photograph to be seen as it is.

Paper is of one colour but for its light, and there is more of it than of anything on it; what a
pen leaves on it is thin. A thing on an even ground has the ground, but it is no line.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from metacore.decoding import square
from metacore.errors import UserError
from metacore.trial.ink import find_ink

_SIDE = 160  # pixels a side are enough to tell
_THIN = 0.035  # of the picture's side: half of what a line may be broad
_MOST_BROAD = 0.35  # share of the ink that may belong to nothing thin
_MOST_INK = 0.3  # share of the picture
_TINTED = 0.12  # how far a colour lies from the paper's own
_MOST_TINTED = 0.12  # share of the picture that may be of other colours


def looks_drawn(data: bytes, name: str) -> bool:
    """What cannot be read as a picture does not."""
    try:
        picture = square(data, name, _SIDE)
    except UserError:
        return False
    pixels = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return _drawn(pixels.view(picture.height, picture.width, 3).float() / 255)


def _drawn(colours: Tensor) -> bool:
    """Of red, green and blue [H, W, 3]."""
    grey = colours.mean(-1)
    if _tinted(colours, grey) > _MOST_TINTED:
        return False
    ink = find_ink(grey)
    if ink is None:
        return False
    there = ink > 0.45
    if float(there.sum()) > _MOST_INK * grey.numel():
        return False
    return _broad(there, max(grey.shape)) <= _MOST_BROAD


def _tinted(colours: Tensor, grey: Tensor) -> float:
    """The share of pixels of another colour than most."""
    tint = (colours - grey[..., None]) / grey[..., None].clamp_min(0.25)
    usual = tint.flatten(0, 1).median(0).values
    return float(((tint - usual).norm(dim=-1) > _TINTED).float().mean())


def _broad(there: Tensor, side: int) -> float:
    """The share of ink that is left when whatever is thin is taken away."""
    reach = max(1, round(_THIN * side))
    width = 2 * reach + 1
    gone = F.pad(1 - there.float()[None, None], [reach] * 4, value=1.0)
    core = 1 - F.max_pool2d(gone, width, 1)  # what has ink all around it
    kept = F.max_pool2d(F.pad(core, [reach] * 4), width, 1)[0, 0] * there
    return float(kept.sum() / there.sum().clamp_min(1))
