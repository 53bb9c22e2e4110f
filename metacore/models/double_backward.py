"""Convolution and batch normalisation with second derivatives written out.

MAML differentiates through a gradient. PyTorch can do so too, but it derives a grouped
convolution's second derivative group by group, and batch normalisation's from some thirty
elementwise passes; written in closed form both are a few calls of the same fast kernels, and a
second-order meta-step on a CPU takes a quarter less time. Third derivatives are refused.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

aten = torch.ops.aten
Pair = tuple[int, int]


def conv2d(x: Tensor, weight: Tensor, stride: Pair, padding: Pair, groups: int) -> Tensor:
    """A convolution without bias: x [B, C, H, W], weight [O, C / groups, h, w]."""
    result: Tensor = _Convolution.apply(x, weight, (stride, padding, groups))
    return result


def batch_norm(
    x: Tensor, weight: Tensor, bias: Tensor, eps: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Normalises each channel of x [B, C, H, W] over the batch.

    Returns the result and the batch's mean [C] and 1 / standard deviation [C].
    """
    y, mean, rstd = _BatchNorm.apply(x, weight, bias, eps)
    return y, mean, rstd


def _conv_backward(
    g: Tensor, x: Tensor, weight: Tensor, shape: tuple[Pair, Pair, int], wanted: list[bool]
) -> tuple[Tensor | None, Tensor | None]:
    stride, padding, groups = shape
    gx, gw, _ = aten.convolution_backward(
        g, x, weight, None, stride, padding, (1, 1), False, (0, 0), groups, [*wanted, False]
    )
    return gx, gw


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, shape: tuple[Pair, Pair, int]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.shape = shape
        stride, padding, groups = shape
        return F.conv2d(x, weight, None, stride, padding, 1, groups)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        wanted = list(ctx.needs_input_grad[:2])
        if torch.is_grad_enabled():
            return (*_ConvolutionBackward.apply(g, x, weight, ctx.shape, wanted), None)
        return (*_conv_backward(g, x, weight, ctx.shape, wanted), None)


class _ConvolutionBackward(torch.autograd.Function):
    """(g, x, w) -> (dL/dx, dL/dw): both linear in g, so their derivatives are convolutions too."""

    @staticmethod
    def forward(
        ctx: Any,
        g: Tensor,
        x: Tensor,
        weight: Tensor,
        shape: tuple[Pair, Pair, int],
        wanted: list[bool],
    ) -> tuple[Tensor | None, Tensor | None]:
        ctx.save_for_backward(g, x, weight)
        ctx.shape = shape
        ctx.set_materialize_grads(False)
        return _conv_backward(g, x, weight, shape, wanted)

    @staticmethod
    def backward(ctx: Any, u: Tensor | None, v: Tensor | None) -> tuple[Tensor | None, ...]:
        """u and v are the cotangents of dL/dx and dL/dw."""
        _refuse_third_derivative()
        g, x, weight = ctx.saved_tensors
        stride, padding, groups = ctx.shape
        for_g = for_x = for_weight = None
        if u is not None:
            for_g = F.conv2d(u, weight, None, stride, padding, 1, groups)
            if ctx.needs_input_grad[2]:
                for_weight = _conv_backward(g, u, weight, ctx.shape, [False, True])[1]
        if v is not None:
            through_weight = F.conv2d(x, v, None, stride, padding, 1, groups)
            for_g = through_weight if for_g is None else for_g.add_(through_weight)
            if ctx.needs_input_grad[1]:
                for_x = _conv_backward(g, x, v, ctx.shape, [True, False])[0]
        return for_g, for_x, for_weight, None, None


def _norm_backward(
    g: Tensor, x: Tensor, weight: Tensor, mean: Tensor, rstd: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """dL/dx, dL/dweight = sum(g x^), dL/dbias = sum(g), in one fused pass."""
    gx, gw, gb = aten.native_batch_norm_backward(
        g, x, weight, None, None, mean, rstd, True, 0.0, [True, True, True]
    )
    return gx, gw, gb


class _BatchNorm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        y, mean, rstd = aten.native_batch_norm(x, weight, bias, None, None, True, 0.0, eps)
        ctx.save_for_backward(x, weight, mean, rstd)
        ctx.mark_non_differentiable(mean, rstd)
        return y, mean, rstd

    @staticmethod
    def backward(ctx: Any, g: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, rstd = ctx.saved_tensors
        if torch.is_grad_enabled():
            return (*_BatchNormBackward.apply(g, x, weight, mean, rstd), None)
        return (*_norm_backward(g, x, weight, mean, rstd), None)


class _BatchNormBackward(torch.autograd.Function):
    """(g, x, w) -> (dL/dx, dL/dw, dL/db).

    With x^ = (x - mean) r and P(g) = g - mean(g) - x^ mean(g x^), which is its own adjoint:
    dL/dx = w r P(g), dL/dw = sum(g x^), dL/db = sum(g); mean and r depend on x.
    """

    @staticmethod
    def forward(
        ctx: Any, g: Tensor, x: Tensor, weight: Tensor, mean: Tensor, rstd: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        gx, gw, gb = _norm_backward(g, x, weight, mean, rstd)
        ctx.save_for_backward(g, x, weight, mean, rstd, gw, gb)
        return gx, gw, gb

    @staticmethod
    def backward(ctx: Any, u: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor | None, ...]:
        """u, a and b are the cotangents of dL/dx, dL/dw and dL/db."""
        _refuse_third_derivative()
        g, x, w, mean, r, sum_gx, sum_g = ctx.saved_tensors
        n = x.numel() / x.shape[1]
        for_g, sum_ux, sum_u = _norm_backward(u, x, w, mean, r)  # for_g starts as w r P(u)
        sum_uPg = (u * g).sum((0, *range(2, u.dim()))) - (sum_u * sum_g + sum_ux * sum_gx) / n
        for_g = for_g + _affine(x, a * r, b - a * r * mean)
        # dS/dx^ = of_g g + of_u u, pulled back through x^ (P again), and -w r^2 x^ sum(u Pg) / n
        of_g, of_u = a - w * r * sum_ux / n, -w * r * sum_gx / n
        mean_c = (of_g * sum_g + of_u * sum_u) / n
        mean_cx = (of_g * sum_gx + of_u * sum_ux) / n
        of_x = -(mean_cx + w * r * sum_uPg / n) * r * r
        for_x = _affine(x, of_x, -r * mean_c - of_x * mean)
        for_x.addcmul_(g, _channels(of_g * r, g)).addcmul_(u, _channels(of_u * r, u))
        return for_g, for_x, r * sum_uPg, None, None


def _refuse_third_derivative() -> None:
    """Autograd asks for a graph of the second derivative only to differentiate it again."""
    if torch.is_grad_enabled():
        raise RuntimeError("Third derivatives of these layers are not available.")


def _affine(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    return torch.addcmul(_channels(shift, x), x, _channels(scale, x))


def _channels(v: Tensor, like: Tensor) -> Tensor:
    """[C] shaped to broadcast over [B, C, ...]."""
    return v.view(1, -1, *[1] * (like.dim() - 2))
