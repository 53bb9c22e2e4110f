import pytest
import torch

from metacore.training.config import OPTIMISERS, TrainingConfig
from metacore.training.optimisation import OuterOptimiser, remembered


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_an_optimiser_remembers_what_is_said_of_it(optimiser: str, momentum: float) -> None:
    config = TrainingConfig(optimiser=optimiser, momentum=momentum)
    made = OuterOptimiser(config, {"w": torch.zeros(2, 3)})
    made.step({"w": torch.ones(2, 3)}, 0.1)
    found = {path: tuple(value.shape) for path, value in made.state().items()}
    assert found == {f"w/{key}": () if key == "step" else (2, 3) for key in remembered(config)}
    assert all(value.dtype == torch.float32 for value in made.state().values())
