"""Small random tasks in float64, for checking gradients."""

import torch

from metacore.episode import Episode
from metacore.models.networks import Conv4, Network, Params, SineMlp


def tiny_images(tasks: int = 3, ways: int = 3, shots: int = 2, queries: int = 2) -> Episode:
    torch.manual_seed(1)
    labels = torch.arange(ways)
    return Episode(
        support_x=torch.rand(tasks, ways * shots, 1, 8, 8, dtype=torch.float64),
        support_y=labels.repeat_interleave(shots).expand(tasks, -1),
        query_x=torch.rand(tasks, ways * queries, 1, 8, 8, dtype=torch.float64),
        query_y=labels.repeat_interleave(queries).expand(tasks, -1),
        ways=ways,
        classes=torch.stack([torch.randperm(10)[:ways] for _ in range(tasks)]),
    )


def tiny_curves(tasks: int = 3) -> Episode:
    torch.manual_seed(1)
    parts = [torch.randn(tasks, size, 1, dtype=torch.float64) for size in (5, 5, 7, 7)]
    return Episode(*parts, ways=1)


def tiny_conv(outputs: int, norm: str = "batch") -> Network:
    return Conv4(width=4, norm=norm).build((1, 8, 8), outputs).double()


def tiny_mlp() -> Network:
    return SineMlp(width=6).build((1,), 1).double()


def learned(network: Network, params: Params) -> Params:
    """What is differentiated: all but running statistics."""
    return {name: params[name] for name, _ in network.named_parameters()}
