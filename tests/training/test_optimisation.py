import pytest
import torch

from metacore.models.parts import Group
from metacore.training.config import OPTIMISERS, TrainingConfig
from metacore.training.optimisation import OuterOptimiser, remembered


@pytest.mark.parametrize("momentum", [0.0, 0.5])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_an_optimiser_remembers_what_is_said_of_it(optimiser: str, momentum: float) -> None:
    config = TrainingConfig(optimiser=optimiser, momentum=momentum)
    made = OuterOptimiser(config, [Group(("w",))], {"w": torch.zeros(2, 3)})
    made.step({"w": torch.ones(2, 3)}, 0.1)
    found = {path: tuple(value.shape) for path, value in made.state().items()}
    assert found == {f"w/{key}": () if key == "step" else (2, 3) for key in remembered(config)}
    assert all(value.dtype == torch.float32 for value in made.state().values())


def test_a_group_has_a_rate_of_its_own_and_may_be_spared_weight_decay() -> None:
    config = TrainingConfig(optimiser="sgd", weight_decay=0.5)
    params = {"body": torch.ones(1), "rate": torch.ones(1)}
    groups = [Group(("body",)), Group(("rate",), rate=0.1, decays=False)]
    OuterOptimiser(config, groups, params).step({name: torch.ones(1) for name in params}, 0.1)
    assert params["body"].item() == pytest.approx(1 - 0.1 * (1 + 0.5))
    assert params["rate"].item() == pytest.approx(1 - 0.01)
