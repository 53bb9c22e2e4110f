"""One network, many parameter sets: the T tasks of an episode in one forward pass.

Each layer of the network's `nn.Sequential`, and of the residual blocks in it, is run for all
parameter sets at once: convolutions as one grouped convolution on [B, T*C, H, W], linear layers as
one batched product. A single parameter set runs in channels-last, which is faster for the plain
convolutions it then needs. A network with other layers still works, through
`torch.func.vmap(functional_call)`.

Parameters are always stacked, [P, ...]. Inputs are [S, B, ...] where S is a multiple of P: each
parameter set serves S / P batches, and batch statistics never mix two batches.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.attention import SDPBackend, sdpa_kernel

from metacore.errors import UserError
from metacore.models import double_backward
from metacore.models.networks import Network, Params
from metacore.models.residual import Residual

Statistics = list[tuple[Tensor, Tensor]]  # per normalisation layer: mean and variance, [P * C]


def stack(params: Params, sets: int) -> Params:
    """The same parameters `sets` times, without a copy: [...] -> [P, ...]."""
    return {name: value.expand(sets, *value.shape) for name, value in params.items()}


class Stacked:
    """Runs `network` for many parameter sets."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.learned = tuple(name for name, _ in network.named_parameters())
        self.state = tuple(name for name, b in network.named_buffers() if b.is_floating_point())
        body = network.features
        self.fast = _known(body)
        # in the order they are run
        self.norms = [
            name
            for name, layer in body.named_modules(prefix="features")
            if self.fast and isinstance(layer, nn.BatchNorm2d)
        ]
        if not self.fast:
            self._refuse_batch_statistics()

    def _refuse_batch_statistics(self) -> None:
        """Through `vmap`, nobody could say whose statistics normalise a query."""
        for name, layer in self.network.features.named_modules():
            if isinstance(layer, nn.modules.batchnorm._NormBase):
                raise UserError(
                    f"The layer features.{name} normalises over the batch, in a network that is not"
                    " a plain nn.Sequential of the layers Metacore knows: use nn.GroupNorm or"
                    " nn.LayerNorm there."
                )

    @property
    def frozen(self) -> bool:
        """Whether a part of it is no parameter of anybody."""
        return self.network.trunk is not None

    @property
    def uses_batch_statistics(self) -> bool:
        return bool(self.norms)

    def __call__(
        self,
        params: Params,
        x: Tensor,
        *,
        statistics: Statistics | None = None,
        record: Statistics | None = None,
    ) -> Tensor:
        """Outputs [S, B, N] of inputs [S, B, ...]; the rest as in `features`."""
        return self.head(params, self.features(params, x, statistics=statistics, record=record))

    def head(self, params: Params, features: Tensor) -> Tensor:
        """Outputs [S, B, N] of features [S, B, F]."""
        if "head.weight" not in params:
            return features
        weight, bias = params["head.weight"], params["head.bias"]
        repeat = len(features) // len(weight)
        joined = features.reshape(len(weight), -1, features.shape[-1])
        outputs = torch.baddbmm(bias[:, None], joined, weight.mT)
        return outputs.view(len(weight) * repeat, -1, outputs.shape[-1])

    def features(
        self,
        params: Params,
        x: Tensor,
        *,
        statistics: Statistics | None = None,
        record: Statistics | None = None,
    ) -> Tensor:
        """Features [S, B, F] of inputs [S, B, ...].

        `statistics` normalises with these instead of the batch's own; `record` receives the
        batch's own (for S = P).
        """
        x = x if self.network.trunk is None else self.network.trunk(x)
        return self.learned_features(params, x, statistics, record)

    def learned_features(
        self,
        params: Params,
        x: Tensor,
        statistics: Statistics | None = None,
        record: Statistics | None = None,
    ) -> Tensor:
        """The same from what the frozen trunk has made of the inputs, where there is one."""
        if not self.fast:
            return self._by_vmap(params, x)
        sets = len(next(iter(params.values()), x))  # without parameters, all sets are alike
        batches = len(x) // sets
        if batches > 1 and (statistics is not None or not self.norms):
            joined = x.reshape(sets, -1, *x.shape[2:])
            features = self._forward(params, joined, statistics, None)
            return features.reshape(len(x), -1, features.shape[-1])
        if batches > 1:
            apart = x.unflatten(0, (sets, batches)).unbind(1)
            results = [self._forward(params, part, None, None) for part in apart]
            return torch.stack(results, 1).flatten(0, 1)
        return self._forward(params, x, statistics, record)

    def statistics(self, params: Params, x: Tensor) -> Statistics:
        """The batch statistics of x [P, B, ...] at every normalisation layer."""
        record: Statistics = []
        self.features(params, x, record=record)
        return record

    def running(self, params: Params) -> Statistics:
        """The statistics kept from meta-training."""
        return [
            (params[f"{name}.running_mean"].flatten(), params[f"{name}.running_var"].flatten())
            for name in self.norms
        ]

    def _forward(
        self, params: Params, x: Tensor, statistics: Statistics | None, record: Statistics | None
    ) -> Tensor:
        sets = len(x)
        h = x.transpose(0, 1).flatten(1, 2) if x.dim() > 3 else x
        if sets == 1 and h.dim() == 4:
            h = _channels_last(h)
        given = None if statistics is None else iter(statistics)
        return _Pass(params, sets, given, record).run("features", self.network.features, h)

    def _by_vmap(self, params: Params, x: Tensor) -> Tensor:
        sets = len(next(iter(params.values())))
        prefix = "features."
        own = {k.removeprefix(prefix): v for k, v in params.items() if k.startswith(prefix)}

        def one(own: Params, batch: Tensor) -> Tensor:
            result: Tensor = torch.func.functional_call(self.network.features, own, (batch,))
            return result

        repeated = {k: v.repeat_interleave(len(x) // sets, 0) for k, v in own.items()}
        with sdpa_kernel(SDPBackend.MATH):  # the only attention with second derivatives
            result: Tensor = torch.func.vmap(one, randomness="different")(repeated, x)
        return result


@dataclass
class _Pass:
    """One way through the layers, with the statistics that are met there in turn."""

    params: Params
    sets: int
    given: Iterator[tuple[Tensor, Tensor]] | None
    record: Statistics | None

    def run(self, name: str, layer: nn.Module, h: Tensor) -> Tensor:
        if isinstance(layer, nn.Sequential):
            for child, inner in layer._modules.items():
                assert inner is not None
                h = self.run(f"{name}.{child}", inner, h)
            return h
        if isinstance(layer, Residual):
            shared = h.view_as(h)  # a view, so that neither branch changes it in place
            path = self.run(f"{name}.path", layer.path, shared)
            return path + self.run(f"{name}.shortcut", layer.shortcut, shared)
        if isinstance(layer, nn.BatchNorm2d):
            fixed = None if self.given is None else next(self.given)
            return _batch_norm(layer, name, self.params, h, fixed, self.record)
        return _LAYERS[type(layer)](layer, name, self.params, h, self.sets)


def _known(body: nn.Module) -> bool:
    """Whether all its layers can be run for many parameter sets here, each with its own weights."""
    if isinstance(body, nn.Sequential | Residual):
        names = (len(list(body.named_parameters(remove_duplicate=d))) for d in (True, False))
        return len(set(names)) == 1 and all(_known(layer) for layer in body.children())
    return type(body) in _LAYERS and _usual(body)


def _usual(layer: nn.Module) -> bool:
    """Whether a layer of a known kind has no options that are not looked at here."""
    if isinstance(layer, nn.Conv2d):
        plain = layer.groups == 1 and layer.dilation == (1, 1) and layer.padding_mode == "zeros"
        return plain and not isinstance(layer.padding, str)
    if isinstance(layer, nn.MaxPool2d):
        return layer.dilation in (1, (1, 1)) and not layer.ceil_mode
    if isinstance(layer, nn.BatchNorm2d):
        return layer.affine and layer.track_running_stats
    if isinstance(layer, nn.GroupNorm):
        return layer.affine
    return not isinstance(layer, nn.Linear) or layer.bias is not None


def _channels_last(x: Tensor) -> Tensor:
    """With one channel both layouts look alike, so the strides say which is meant."""
    if x.shape[1] == 1:
        x = x.contiguous()
        return x.as_strided(x.shape, (x[0].numel(), 1, x.shape[3], 1))
    return x.contiguous(memory_format=torch.channels_last)


def _layout(weight: Tensor, sets: int) -> Tensor:
    merged = weight.flatten(0, 1)
    return merged.contiguous(memory_format=torch.channels_last) if sets == 1 else merged


def _conv(layer: nn.Conv2d, name: str, params: Params, h: Tensor, sets: int) -> Tensor:
    weight = _layout(params[f"{name}.weight"], sets)
    stride, padding = tuple(layer.stride), tuple(layer.padding)
    h = double_backward.conv2d(h, weight, stride, padding, sets)  # type: ignore[arg-type]
    if layer.bias is None:
        return h
    return h + params[f"{name}.bias"].flatten()[:, None, None]


def _batch_norm(
    layer: nn.BatchNorm2d,
    name: str,
    params: Params,
    h: Tensor,
    fixed: tuple[Tensor, Tensor] | None,
    record: Statistics | None,
) -> Tensor:
    weight, bias = params[f"{name}.weight"].flatten(), params[f"{name}.bias"].flatten()
    if fixed is not None:
        mean, variance = fixed
        return F.batch_norm(h, mean, variance, weight, bias, False, 0.0, layer.eps)
    h, mean, rstd = double_backward.batch_norm(h, weight, bias, layer.eps)
    if record is not None:
        record.append((mean, rstd.pow(-2) - layer.eps))
    return h


def _group_norm(layer: nn.GroupNorm, name: str, params: Params, h: Tensor, sets: int) -> Tensor:
    weight, bias = params[f"{name}.weight"].flatten(), params[f"{name}.bias"].flatten()
    apart = F.group_norm(h.reshape(-1, layer.num_channels, *h.shape[2:]), layer.num_groups)
    return apart.view(h.shape) * weight[:, None, None] + bias[:, None, None]


def _max_pool(layer: nn.MaxPool2d, name: str, params: Params, h: Tensor, sets: int) -> Tensor:
    return F.max_pool2d(h, layer.kernel_size, layer.stride, layer.padding)


def _relu(layer: nn.ReLU, name: str, params: Params, h: Tensor, sets: int) -> Tensor:
    """In place where the tensor is another layer's fresh result, as after every conv or norm."""
    return h.relu_() if h.grad_fn is not None and not h._is_view() else h.relu()


def _leaky_relu(layer: nn.LeakyReLU, name: str, params: Params, h: Tensor, sets: int) -> Tensor:
    """In place as `_relu`; the slope is positive, so the result tells the sign of the input."""
    alone = h.grad_fn is not None and not h._is_view() and layer.negative_slope > 0
    return F.leaky_relu(h, layer.negative_slope, inplace=alone)


def _mean(layer: nn.AdaptiveAvgPool2d, name: str, params: Params, h: Tensor, sets: int) -> Tensor:
    return F.adaptive_avg_pool2d(h, layer.output_size)


def _linear(layer: nn.Linear, name: str, params: Params, h: Tensor, sets: int) -> Tensor:
    """On [P, B, F]: one product per parameter set."""
    return torch.baddbmm(params[f"{name}.bias"][:, None], h, params[f"{name}.weight"].mT)


def _flatten(layer: nn.Flatten, name: str, params: Params, h: Tensor, sets: int) -> Tensor:
    """[B, P*C, H, W] -> [P, B, C*H*W]."""
    return h.reshape(len(h), sets, -1).transpose(0, 1) if h.dim() == 4 else h.flatten(2)


_LAYERS: dict[type[nn.Module], Callable[..., Tensor]] = {
    nn.Conv2d: _conv,
    nn.BatchNorm2d: _batch_norm,
    nn.GroupNorm: _group_norm,
    nn.MaxPool2d: _max_pool,
    nn.AdaptiveAvgPool2d: _mean,
    nn.ReLU: _relu,
    nn.LeakyReLU: _leaky_relu,
    nn.Linear: _linear,
    nn.Flatten: _flatten,
}


def chunks(total: int, size: int) -> Sequence[slice]:
    """Slices of at most `size` that cover `total`."""
    size = max(1, size)
    return [slice(start, min(start + size, total)) for start in range(0, total, size)]
