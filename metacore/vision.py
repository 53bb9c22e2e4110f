"""The only place that imports torchvision.

A torchvision wheel built for CUDA beside a CPU build of torch fails on import, because operators
it wants to extend were never declared. Declaring them first costs nothing and lets its datasets
and transforms work; the operators themselves stay unavailable, and nothing here uses them.
"""

import torch

_MISSING = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
_declared = torch.library.Library("torchvision", "FRAGMENT")

try:
    import torchvision
except RuntimeError:
    for _name, _schema in _MISSING.items():
        _declared.define(_name + _schema)
    import torchvision

__all__ = ["torchvision"]
