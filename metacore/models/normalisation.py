"""Whose statistics normalise a query: a choice of protocol, made visible.

- `transductive`: the query batch's own. MAML's published numbers; queries help each other.
- `support+query`: the support set plus that one query. Reptile's "non-transductive".
- `support`: the support set alone; the strictest, one query at a time would give the same.
- `running`: averages kept from meta-training, where a method keeps them.
A network without batch normalisation has no such choice; its mode is called `none`.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from metacore.errors import UserError
from metacore.models.networks import Params
from metacore.models.stacked import Stacked, Statistics

EXAMPLES, STATISTICS = "examples", "normalisation statistics"  # what a task may leave behind
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
    return QueryFeatures(network, params, support_x, norm)(query_x)


@dataclass
class QueryFeatures:
    """Features of queries, time and again: what the support set says of them is worked out once."""

    network: Stacked
    params: Params  # [T, ...], or one set for all tasks
    support_x: Tensor
    norm: str

    def __call__(self, query_x: Tensor) -> Tensor:
        """[T, Q, F]."""
        if self.norm != "support+query":
            return self.network.features(self.params, query_x, statistics=self.statistics)
        tasks, queries = query_x.shape[:2]
        support = self.support_x[:, None].expand(tasks, queries, *self.support_x.shape[1:])
        joined = torch.cat([support, query_x[:, :, None]], dim=2).flatten(0, 1)
        return self.network.features(self.params, joined)[:, -1].unflatten(0, (tasks, queries))

    @cached_property
    def statistics(self) -> Statistics | None:
        """What normalises queries, where it is not a batch with them in it."""
        if self.norm == "running":
            return self.network.running(self.params)
        if self.norm == "support":
            return self.network.statistics(self.params, self.support_x)
        return None

    @property
    def kept(self) -> dict[str, Tensor]:
        """What must be stored of the tasks to normalise later queries: [T, ...]."""
        if self.norm == "support+query":
            return {EXAMPLES: self.support_x}
        if self.norm != "support" or self.statistics is None:
            return {}
        tasks = len(self.support_x)
        moments = [each.reshape(tasks, -1) for layer in self.statistics for each in layer]
        return {STATISTICS: torch.cat(moments, 1)}
