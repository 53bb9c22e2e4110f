"""Every layer draws its first weights from the seed, or is refused in a sentence."""

import pytest
import torch
from torch import Tensor, nn

from metacore.errors import UserError
from metacore.models.networks import Network, initial_params


class Scaled(nn.Module):
    """A bare parameter that draws itself."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.empty(3))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.normal_(self.scale)

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


class Bare(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.rand(3))


LAYERS = [
    nn.MultiheadAttention(8, 2),
    nn.LSTM(3, 4),
    nn.Embedding(5, 3),
    nn.Conv1d(2, 3, 3),
    nn.ConvTranspose2d(2, 3, 3),
    nn.Linear(3, 2),
    nn.Conv2d(1, 2, 3),
    Scaled(),
]


def drawn(layer: nn.Module, seed: int) -> dict[str, Tensor]:
    network = Network(nn.Sequential(layer), 3, 2)
    return initial_params(network, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_the_seed_alone_decides(layer: nn.Module) -> None:
    torch.manual_seed(7)
    first = drawn(layer, 0)
    torch.manual_seed(8)
    again, other = drawn(layer, 0), drawn(layer, 1)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first if "head" not in name)


def test_drawing_leaves_pytorchs_own_generator_where_it_was() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    network = Network(nn.Sequential(nn.LSTM(3, 4)), 3, 2)
    torch.manual_seed(7)
    initial_params(network, torch.Generator().manual_seed(0))
    assert torch.equal(torch.rand(3), expected)


def test_a_bare_parameter_that_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(UserError, match=r"features\.0 \(Bare\).*reset_parameters"):
        drawn(Bare(), 0)
