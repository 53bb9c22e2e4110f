"""A dataset whose pictures lie in a packed file: read as episodes ask for them, never all."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from metacore.datasets.augmentation import AugmentationConfig, AugmentedDataset
from metacore.datasets.packing import Packed, PackedClass

Divided = Mapping[str, Mapping[str, Sequence[PackedClass]]]  # split -> class -> where it lies


class PackedDataset(AugmentedDataset):
    item = "picture"

    def __init__(
        self, config: AugmentationConfig, device: torch.device, found: Packed, divided: Divided
    ) -> None:
        super().__init__(config, device)
        self.packed = found
        self._names = {split: [*classes] for split, classes in divided.items()}
        self._rows = {split: _rows([*classes.values()]) for split, classes in divided.items()}
        self._sizes = {
            split: torch.tensor([_size(each) for each in classes.values()], dtype=torch.long)
            for split, classes in divided.items()
        }

    def class_sizes(self, split: str) -> Tensor:
        return self._sizes[split]

    def class_names(self, split: str) -> list[str]:
        return list(self._names[split])

    def read(self, split: str, classes: Tensor, numbers: Tensor) -> Tensor:
        rows = self._rows[split][classes.cpu(), numbers.cpu()]
        return self.packed.read(rows).to(self.device)

    def notes(self) -> list[str]:
        return list(self.packed.left_out)


def _rows(classes: Sequence[Sequence[PackedClass]]) -> Tensor:
    """The row of every picture: [classes, most pictures of one], padded."""
    each = [
        torch.cat([torch.arange(part.first, part.first + part.count) for part in parts])
        for parts in classes
    ]
    return torch.nn.utils.rnn.pad_sequence(each, batch_first=True) if each else torch.empty(0, 0)


def _size(parts: Sequence[PackedClass]) -> int:
    return sum(part.count for part in parts)
