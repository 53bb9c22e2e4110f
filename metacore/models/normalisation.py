"""Whose statistics normalise a query: a choice of protocol, made visible.

- `transductive`: the query batch's own. MAML's published numbers; queries help each other.
- `support+query`: the support set plus that one query. Reptile's "non-transductive".
- `support`: the support set alone; the strictest, one query at a time would give the same.
- `running`: averages kept from meta-training, where a method keeps them.
A network without batch normalisation has no such choice; its mode is called `none`.
"""

import torch
from torch import Tensor

from metacore.errors import UserError
from metacore.models.networks import Params
from metacore.models.stacked import Stacked

NORM_MODES = ("transductive", "support+query", "support", "running")


def resolve(norm: str | None, supported: tuple[str, ...], network: Stacked) -> str:
    """The mode to use: the method's own by default, `none` for a network without batch norm."""
    if not network.uses_batch_statistics:
        if norm not in (None, "none", *NORM_MODES):
            raise UserError(f"norm must be one of {', '.join(NORM_MODES)}, not {norm!r}.")
        return "none"
    if norm is None:
        return supported[0]
    if norm not in supported:
        raise UserError(f"norm must be one of {', '.join(supported)} here, not {norm!r}.")
    return norm


def query_features(
    network: Stacked, params: Params, support_x: Tensor, query_x: Tensor, norm: str
) -> Tensor:
    """Features [T, Q, F] of the queries under parameters [T, ...]."""
    if norm in ("transductive", "none"):
        return network.features(params, query_x)
    if norm == "running":
        return network.features(params, query_x, statistics=network.running(params))
    if norm == "support":
        statistics = network.statistics(params, support_x)
        return network.features(params, query_x, statistics=statistics)
    tasks, queries = query_x.shape[:2]
    support = support_x[:, None].expand(tasks, queries, *support_x.shape[1:])
    each_with_support = torch.cat([support, query_x[:, :, None]], dim=2).flatten(0, 1)
    return network.features(params, each_with_support)[:, -1].unflatten(0, (tasks, queries))
