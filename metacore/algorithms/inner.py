"""The inner loop that the optimisation-based methods share, for T tasks at once.

All parameters are stacked [T, ...]. The support loss of all tasks is summed and differentiated
once: tasks share no parameters, so each gets exactly its own gradient.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from metacore.algorithms.base import Explanation, one_hot, task_losses, task_scores
from metacore.episode import Episode
from metacore.models.networks import Params
from metacore.models.normalisation import QueryFeatures
from metacore.models.stacked import Stacked, Statistics, chunks, stack

Rule = Callable[[Params, Params, int], Params]  # (phi, gradients, step) -> phi a step later


@dataclass
class AdaptedNetwork:
    """T adapted networks; queries are normalised by the mode `norm`."""

    network: Stacked
    params: Params
    episode: Episode
    norm: str
    adapted: Collection[str]  # names of the parameters that differ from task to task
    support_norm: str = ""  # whose statistics normalise the support set, if not those of `norm`

    @cached_property
    def _query(self) -> QueryFeatures:
        return QueryFeatures(self.network, self.params, self.episode.support_x, self.norm)

    def features(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            return self._query(x)

    @property
    def kept(self) -> Mapping[str, Tensor]:
        with torch.no_grad():
            return {**{name: self.params[name] for name in self.adapted}, **self._query.kept}

    def __call__(self, query_x: Tensor) -> Tensor:
        with torch.no_grad():
            return self.network.head(self.params, self.features(query_x))

    def explain(self, query_x: Tensor) -> Explanation:
        return Explanation(self(query_x))

    def support_loss(self) -> Tensor:
        with torch.no_grad():
            norm = self.support_norm or self.norm
            statistics = fixed_statistics(self.network, self.params, norm)
            outputs = self.network(self.params, self.episode.support_x, statistics=statistics)
            return task_losses(outputs, self.episode.support_y)


def fixed_statistics(network: Stacked, params: Params, norm: str) -> Statistics | None:
    """What normalises the support set itself: its own statistics, unless running ones are kept."""
    return network.running(params) if norm == "running" else None


def gradient(
    network: Stacked,
    phi: Params,
    x: Tensor,
    y: Tensor,
    *,
    names: Collection[str],
    second_order: bool = False,
    statistics: Statistics | None = None,
    record: Statistics | None = None,
) -> Params:
    """Each task's own gradient of its loss in these parameters: [T, ...] by name."""
    loss = task_losses(network(phi, x, statistics=statistics, record=record), y).sum()
    gradients = torch.autograd.grad(loss, [phi[n] for n in names], create_graph=second_order)
    return dict(zip(names, gradients, strict=True))


def plain_step(alpha: float) -> Rule:
    """phi - alpha * gradient, for the parameters that have one."""
    return lambda phi, gradients, step: {
        name: torch.sub(value, gradients[name], alpha=alpha) if name in gradients else value
        for name, value in phi.items()
    }


def leaves(params: Params, but: Collection[str] = ()) -> Params:
    """Fresh leaves that gradients can be taken at; those in `but` are constants."""
    return {
        name: value.detach() if name in but else value.detach().requires_grad_()
        for name, value in params.items()
    }


def gradient_steps(
    network: Stacked,
    phi: Params,
    episode: Episode,
    *,
    names: Collection[str],
    rule: Rule,
    steps: int,
    norm: str,
) -> Iterator[Params]:
    """phi after 0, 1, …, `steps` inner steps; keeps no graph between them."""
    for step in range(steps + 1):
        yield phi
        if step < steps:
            phi = leaves(phi, but=[name for name in phi if name not in names])
            statistics = fixed_statistics(network, phi, norm)
            with torch.enable_grad():
                gradients = gradient(
                    network,
                    phi,
                    episode.support_x,
                    episode.support_y,
                    names=names,
                    statistics=statistics,
                )
            phi = rule({name: value.detach() for name, value in phi.items()}, gradients, step)


def adapted_networks(
    network: Stacked,
    theta: Params,
    episode: Episode,
    *,
    names: Collection[str],
    rule: Rule,
    steps: int,
    norm: str,
) -> Iterator[AdaptedNetwork]:
    """T copies of theta after 0, 1, …, `steps` inner steps on their support sets."""
    start = stack(theta, episode.tasks)
    phis = gradient_steps(network, start, episode, names=names, rule=rule, steps=steps, norm=norm)
    for phi in phis:
        yield AdaptedNetwork(network, phi, episode, norm, names)


def query_gradients(
    network: Stacked,
    phi: Params,
    episode: Episode,
    *,
    at_once: int,
    record: Statistics | None = None,
) -> tuple[Params, Tensor, Tensor]:
    """dL/dphi [T, ...] of the query losses at detached phi, a few tasks at a time.

    Streaming the query pass keeps its memory constant however many tasks there are.
    Also returns the summed loss and the summed score; `record` receives the batch statistics of
    all layers for the first few tasks, then of all for the next.
    """
    pieces: list[Params] = []
    loss, score = episode.query_x.new_zeros(()), episode.query_x.new_zeros(())
    for tasks in chunks(episode.tasks, at_once // episode.query_x.shape[1]):
        at = leaves({name: value[tasks] for name, value in phi.items()})
        outputs = network(at, episode.query_x[tasks], record=record)
        targets = episode.query_y[tasks]
        losses = task_losses(outputs, targets).sum()
        pieces.append(dict(zip(at, torch.autograd.grad(losses, list(at.values())), strict=True)))
        loss += losses.detach()
        score += task_scores(outputs.detach(), targets).sum()
    return {name: torch.cat([piece[name] for piece in pieces]) for name in phi}, loss, score


def with_ways(params: Params, ways: int) -> Params:
    """The same parameters with a head for another number of ways.

    Every new row is the mean of the learned ones: with no reason to prefer a class, all start
    alike and the support set tells them apart (as in Ye and Chao, 2022).
    """
    weight, bias = params["head.weight"], params["head.bias"]
    if len(weight) == ways:
        return params
    rows, offsets = weight.mean(0, keepdim=True), bias.mean(0, keepdim=True)
    return {
        **params,
        "head.weight": rows.expand(ways, -1).clone(),
        "head.bias": offsets.expand(ways).clone(),
    }


class FrozenBody:
    """T tasks over one body that adaptation leaves alone; remembers the last input's features."""

    def __init__(self, network: Stacked, params: Params, support_x: Tensor, norm: str) -> None:
        self.network, self.params, self.support_x, self.norm = network, params, support_x, norm
        self._query = QueryFeatures(network, params, support_x, norm)
        self._last: tuple[Tensor, Tensor] | None = None

    def support_features(self) -> Tensor:
        with torch.no_grad():
            statistics = fixed_statistics(self.network, self.params, self.norm)
            return self.network.features(self.params, self.support_x, statistics=statistics)

    def features(self, x: Tensor) -> Tensor:
        if self._last is None or self._last[0] is not x:
            with torch.no_grad():
                found = self._query(x)
            self._last = (x, found)
        return self._last[1]

    @property
    def kept(self) -> Mapping[str, Tensor]:
        """What normalises later queries."""
        with torch.no_grad():
            return self._query.kept


@dataclass
class AdaptedHead:
    """T heads over one frozen body."""

    body: FrozenBody
    weight: Tensor  # [T, N, F]
    bias: Tensor  # [T, N]
    support_features: Tensor
    support_y: Tensor

    @property
    def params(self) -> Params:
        return {**self.body.params, "head.weight": self.weight, "head.bias": self.bias}

    @property
    def kept(self) -> Mapping[str, Tensor]:
        return {"head.weight": self.weight, "head.bias": self.bias, **self.body.kept}

    def features(self, x: Tensor) -> Tensor:
        return self.body.features(x)

    def explain(self, query_x: Tensor) -> Explanation:
        return Explanation(self(query_x))

    def __call__(self, query_x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias[:, None], self.features(query_x), self.weight.mT)

    def support_loss(self) -> Tensor:
        outputs = torch.baddbmm(self.bias[:, None], self.support_features, self.weight.mT)
        return task_losses(outputs, self.support_y)


def head_steps(
    body: FrozenBody, weight: Tensor, bias: Tensor, y: Tensor, *, alpha: float, steps: int
) -> Iterator[AdaptedHead]:
    """Heads [T, N, F] after 0, 1, …, `steps` gradient steps; the body's features are computed once.

    The gradient of a linear layer is written out: it is (softmax - one_hot) f^T / B.
    """
    features = body.support_features()
    for step in range(steps + 1):
        yield AdaptedHead(body, weight, bias, features, y)
        if step < steps:
            error = head_error(torch.baddbmm(bias[:, None], features, weight.mT), y)
            weight = torch.baddbmm(weight, error.mT, features, alpha=-alpha)
            bias = bias - alpha * error.sum(1)


def head_error(outputs: Tensor, y: Tensor) -> Tensor:
    """dL/d outputs [T, B, N] of the mean loss of each task."""
    if y.is_floating_point():
        return 2 * (outputs - y) / outputs[0].numel()
    return (outputs.softmax(-1) - one_hot(y, outputs.shape[-1], outputs)) / outputs.shape[1]
