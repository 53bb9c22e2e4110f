"""The hand-written second derivatives against finite differences (float64)."""

import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck

from metacore.models import double_backward


def doubles(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, dtype=torch.float64, requires_grad=True)


@pytest.mark.parametrize("groups", [1, 3])
@pytest.mark.parametrize("stride", [1, 2])
def test_convolution_has_right_first_and_second_derivatives(groups: int, stride: int) -> None:
    torch.manual_seed(0)
    x, weight = doubles(2, 2 * groups, 5, 5), doubles(2 * groups, 2, 3, 3)

    def convolve(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        return double_backward.conv2d(x, weight, (stride, stride), (1, 1), groups)

    assert gradcheck(convolve, (x, weight))
    assert gradgradcheck(convolve, (x, weight))


def test_convolution_of_data_without_gradient_has_right_second_derivatives() -> None:
    torch.manual_seed(0)
    x, weight = doubles(2, 1, 5, 5).detach(), doubles(3, 1, 3, 3)

    def convolve(weight: torch.Tensor) -> torch.Tensor:
        return double_backward.conv2d(x, weight, (2, 2), (1, 1), 1)

    assert gradcheck(convolve, (weight,))
    assert gradgradcheck(convolve, (weight,))


@pytest.mark.parametrize("shape", [(3, 4, 2, 2), (5, 2, 3, 1)])
def test_batch_norm_has_right_first_and_second_derivatives(shape: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    x, weight, bias = doubles(*shape), doubles(shape[1]), doubles(shape[1])

    def normalise(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return double_backward.batch_norm(x, weight, bias, 1e-5)[0]

    assert gradcheck(normalise, (x, weight, bias))
    assert gradgradcheck(normalise, (x, weight, bias))


def test_batch_norm_reports_the_statistics_of_the_batch() -> None:
    x = torch.randn(6, 3, 4, 4, dtype=torch.float64)
    _, mean, rstd = double_backward.batch_norm(
        x, torch.ones(3).double(), torch.zeros(3).double(), 1e-5
    )
    assert torch.allclose(mean, x.mean((0, 2, 3)))
    assert torch.allclose(rstd, (x.var((0, 2, 3), correction=0) + 1e-5).rsqrt())


def test_a_third_derivative_is_refused() -> None:
    x, weight = doubles(1, 1, 3, 3), doubles(1, 1, 3, 3)
    y = double_backward.conv2d(x, weight, (1, 1), (1, 1), 1).pow(3).sum()
    (first,) = torch.autograd.grad(y, x, create_graph=True)
    with pytest.raises(RuntimeError, match="Third derivatives"):
        torch.autograd.grad(first.pow(2).sum(), x, create_graph=True)
