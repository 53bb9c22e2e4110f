"""A network of any layers is run for many tasks at once, or refused before there is a run of it."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from metacore.errors import UserError
from metacore.models.networks import ModelConfig, Network
from metacore.models.proof import prove, uses_batch_statistics


class Looking(nn.Module):
    """Rows of a picture look at each other."""

    def __init__(self, side: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(side, 2, batch_first=True)
        self.norm = nn.LayerNorm(side)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.flatten(1, 2)
        return self.norm(rows + self.attention(rows, rows, rows, need_weights=False)[0]).flatten(1)


class Deciding(nn.Module):
    """Looks at its numbers to decide what it does."""

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) if x.mean() > 0 else -x.flatten(1)


class Normalised(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x).flatten(1)


@dataclass(frozen=True, kw_only=True)
class Odd(ModelConfig):
    summary: ClassVar[str] = "For tests."
    layer: str = "attention"

    def build(self, input_shape: tuple[int, ...], outputs: int) -> Network:
        side = input_shape[-1]
        made = {"attention": lambda: Looking(side), "norm": Normalised, "deciding": Deciding}
        return Network(made[self.layer](), input_shape[0] * side * side, outputs)


def test_attention_passes_and_is_not_thought_to_use_batch_statistics() -> None:
    prove(Odd(), (1, 8, 8))
    assert not uses_batch_statistics(Odd(), (1, 8, 8))


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [("norm", "features.norm normalises over the batch"), ("deciding", "cannot be run for many")],
)
def test_what_cannot_is_refused(layer: str, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        prove(Odd(layer=layer), (1, 8, 8))


def test_the_proof_is_made_once() -> None:
    prove(Odd(), (1, 8, 8))
    before = prove.cache_info().hits
    prove(Odd(), (1, 8, 8))
    assert prove.cache_info().hits == before + 1
    assert torch.is_grad_enabled()
