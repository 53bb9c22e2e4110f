"""A checkpoint: all a run needs to go on as if it had never stopped.

Tensors in one flat dict, everything else as JSON; the store writes both into one safetensors file.
"""

from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Checkpoint:
    tensors: dict[str, Tensor]  # "params/…" and "optimiser/…/…"
    info: dict[str, Any]  # iteration, seconds, best, …: plain JSON values

    def params(self) -> dict[str, Tensor]:
        prefix = "params/"
        return {k.removeprefix(prefix): v for k, v in self.tensors.items() if k.startswith(prefix)}
