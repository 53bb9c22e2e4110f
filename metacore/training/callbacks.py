"""How others watch a training without the trainer knowing them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from metacore.training.evaluate import Evaluation
    from metacore.training.trainer import Trainer


class Callback:
    """Override what you want to hear about; every method may be left out."""

    def on_start(self, trainer: "Trainer") -> None:
        """Before the first meta-step (again after a resume)."""

    def on_step(self, trainer: "Trainer", metrics: dict[str, float]) -> None:
        """After each meta-step, with its loss, accuracy or mse, and rate."""

    def on_validation(self, trainer: "Trainer", evaluation: "Evaluation", best: bool) -> None:
        """After each validation; `best` says whether it is the best so far."""

    def should_stop(self, trainer: "Trainer") -> bool:
        """Asked before each meta-step; True ends the training as cancelled."""
        return False

    def on_end(self, trainer: "Trainer") -> None:
        """After the last meta-step, also when training was cancelled or failed."""
