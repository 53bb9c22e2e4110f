"""Many processes, one meta-gradient: `torchrun --nproc-per-node 2 -m metacore train …`.

Every rank samples the same episode and computes its own share of the tasks; one `all_reduce` of a
flat vector then gives all ranks the mean over the *global* number of tasks. What rank 0 alone knows
(its clock, its wish to stop) travels in the same vector, so that all ranks take the same steps.
"""

import importlib
import os
from dataclasses import dataclass

import torch
import torch.distributed
from torch import Tensor

from metacore.algorithms.base import MetaStep
from metacore.episode import Episode
from metacore.errors import UserError


@dataclass(frozen=True)
class World:
    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        return self.rank == 0

    def check(self, tasks: int) -> None:
        if tasks < self.size:
            raise UserError(
                f"{tasks} tasks per meta-step cannot be shared by {self.size} processes:"
                f" start at most {tasks}, or raise --tasks."
            )

    def share(self, episode: Episode) -> Episode:
        """This rank's tasks."""
        self.check(episode.tasks)
        bounds = [episode.tasks * rank // self.size for rank in (self.rank, self.rank + 1)]
        return episode[bounds[0] : bounds[1]]

    def average(self, step: MetaStep, *, tasks: int, of: int) -> MetaStep:
        """The step of all `of` tasks, from this rank's `tasks`."""
        if self.size == 1:
            return step
        parts = [step.gradients, step.metrics, step.running]
        flat = torch.cat([value.flatten() for part in parts for value in part.values()])
        flat *= tasks / of
        torch.distributed.all_reduce(flat)
        gradients, metrics, running = _unflatten(flat, parts)
        return MetaStep(gradients, metrics, running)

    def agree(self, values: list[float], device: torch.device) -> list[float]:
        """Rank 0's values, on every rank."""
        if self.size == 1:
            return values
        shared = torch.tensor(values, dtype=torch.float64)
        if torch.distributed.get_backend() == "nccl":
            shared = shared.to(device)
        torch.distributed.broadcast(shared, src=0)
        return [float(value) for value in shared]


def _unflatten(flat: Tensor, parts: list[dict[str, Tensor]]) -> list[dict[str, Tensor]]:
    start, results = 0, []
    for part in parts:
        result = {}
        for name, like in part.items():
            result[name] = flat[start : start + like.numel()].view(like.shape)
            start += like.numel()
        results.append(result)
    return results


def join(device: torch.device) -> World:
    """Joins the processes that torchrun started; alone, does nothing."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return World()
    if not torch.distributed.is_initialized():
        # torch.optim loads it anyway; loaded later it holds on to the process group, whose threads
        # then outlive `leave` and now and then abort the process as it ends.
        importlib.import_module("torch._dynamo")
        torch.distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return World(torch.distributed.get_rank(), torch.distributed.get_world_size())


def local_device(name: str) -> str:
    """The GPU of this process when torchrun started several on one machine."""
    rank = os.environ.get("LOCAL_RANK")
    if rank is None or name not in ("auto", "cuda") or not torch.cuda.is_available():
        return name
    return f"cuda:{int(rank) % torch.cuda.device_count()}"


def leave() -> None:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
