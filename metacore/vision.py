"""The only place that imports torchvision, and only when it is needed: it takes a second and 80 MB.

A torchvision wheel built for CUDA beside a CPU build of torch fails on import, because operators
it wants to extend were never declared. Declaring them first costs nothing and lets its datasets
and transforms work; the operators themselves stay unavailable, and nothing here uses them.
"""

from functools import cache
from importlib import import_module
from types import ModuleType

import torch

_MISSING = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_declared = torch.library.Library("torchvision", "FRAGMENT")


@cache
def torchvision() -> ModuleType:
    """torchvision with its datasets and transforms, whatever build of it is installed."""
    try:
        import_module("torchvision")  # a matching build declares its operators itself
    except RuntimeError:
        for name, schema in _MISSING.items():
            _declared.define(name + schema)
    return import_module("torchvision")
