"""What the metric methods share: one embedding for all tasks, trained on one episode at a time."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from metacore.algorithms.base import MetaStep, step_metrics, task_losses, task_scores
from metacore.algorithms.inner import fixed_statistics, leaves
from metacore.episode import Episode
from metacore.models.networks import Params
from metacore.models.normalisation import query_features
from metacore.models.stacked import Stacked, Statistics, stack

RUNNING_MOMENTUM = 0.1


@dataclass
class Embedding:
    """One network for T tasks; how a task's pictures are normalised is the mode `norm`."""

    network: Stacked
    theta: Params
    support_x: Tensor
    norm: str

    def support(self) -> Tensor:
        """[T, S, F]."""
        with torch.no_grad():
            params = self._params()
            statistics = fixed_statistics(self.network, params, self.norm)
            return self.network.features(params, self.support_x, statistics=statistics)

    def query(self, x: Tensor) -> Tensor:
        """[T, Q, F]."""
        with torch.no_grad():
            return query_features(self.network, self._params(), self.support_x, x, self.norm)

    def both(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Support and query embeddings; when transductive, normalised together as in training."""
        if self.norm != "transductive":
            return self.support(), self.query(x)
        with torch.no_grad():
            joint = torch.cat([self.support_x, x], 1)
            features = self.network.features(self._params(), joint)
        split = self.support_x.shape[1]
        return features[:, :split], features[:, split:]

    def _params(self) -> Params:
        """Modes whose statistics differ from task to task need a parameter set per task."""
        shared = self.norm in ("running", "none", "transductive")
        return stack(self.theta, 1 if shared else len(self.support_x))


def metric_meta_step(
    network: Stacked,
    params: Params,
    episode: Episode,
    classify: Callable[[Tensor, Tensor, Tensor], Tensor],
) -> MetaStep:
    """The gradient of the mean query loss when `classify(support, labels, query)` gives logits."""
    total: Params = {}
    loss, score = episode.query_x.new_zeros(()), episode.query_x.new_zeros(())
    statistics: list[Statistics] = []
    for task in episode.split(1):
        theta = leaves(params)
        learned = {name: value for name, value in theta.items() if value.requires_grad}
        record: Statistics = []
        joint = torch.cat([task.support_x, task.query_x], 1)
        features = network.features(stack(theta, 1), joint, record=record)
        support, query = features.split([task.support_x.shape[1], task.query_x.shape[1]], dim=1)
        logits = classify(support, task.support_y, query)
        part = task_losses(logits, task.query_y).sum()
        gradients = torch.autograd.grad(part, list(learned.values()))
        for name, value in zip(learned, gradients, strict=True):
            total[name] = total[name] + value if name in total else value
        loss = loss + part.detach()
        score = score + task_scores(logits.detach(), task.query_y).sum()
        statistics.append(record)
    count = episode.tasks
    return MetaStep(
        {name: value / count for name, value in total.items()},
        step_metrics(loss / count, score / count, regression=episode.regression),
        updated_running(network, params, statistics),
    )


def updated_running(network: Stacked, params: Params, seen: list[Statistics]) -> Params:
    """Running statistics moved a little towards the mean of those just seen."""
    new: Params = {}
    for layer, name in enumerate(network.norms):
        for part, key in enumerate(("running_mean", "running_var")):
            old = params[f"{name}.{key}"]
            batch = torch.stack([statistics[layer][part].detach() for statistics in seen]).mean(0)
            new[f"{name}.{key}"] = old.lerp(batch, RUNNING_MOMENTUM)
    return new
