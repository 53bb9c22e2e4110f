"""Many parameter sets in one forward pass, against one ordinary module per task."""

import pytest
import torch
from torch import Tensor, nn

from metacore.models import MODELS
from metacore.models.networks import Conv4, Network, Params
from metacore.models.normalisation import query_features
from metacore.models.stacked import Stacked, stack
from tests.models.reference import alone, different_params, module_of

TASKS, BATCH, WAYS = 3, 4, 5
VARIANTS = [
    *MODELS.items(),
    *((f"conv4 norm {norm}", Conv4(width=8, norm=norm)) for norm in ("layer", "none")),
]


def small(entry: object) -> object:
    config = entry() if isinstance(entry, type) else entry
    return type(config)(width=8) if isinstance(entry, type) and hasattr(config, "width") else config


def network_for(config: object) -> tuple[Network, tuple[int, ...]]:
    shape = (1,) if config.regression else (1, 28, 28)
    return config.build(shape, 1 if config.regression else WAYS).double(), shape


@pytest.mark.parametrize(("name", "entry"), VARIANTS, ids=[name for name, _ in VARIANTS])
def test_every_task_gets_what_its_own_module_would_give(name: str, entry: object) -> None:
    network, shape = network_for(small(entry))
    params = different_params(network, TASKS)
    x = torch.randn(TASKS, BATCH, *shape, dtype=torch.float64)
    outputs = Stacked(network)(params, x)
    for task in range(TASKS):
        assert torch.allclose(outputs[task], alone(network, params, task, x[task]), atol=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_one_parameter_set_serves_many_batches_without_mixing_them(name: str) -> None:
    network, shape = network_for(small(MODELS[name]))
    params = {key: value[:1] for key, value in different_params(network, TASKS).items()}
    x = torch.randn(TASKS, BATCH, *shape, dtype=torch.float64)
    outputs = Stacked(network)(params, x)
    for task in range(TASKS):
        assert torch.allclose(outputs[task], alone(network, params, 0, x[task]), atol=1e-10)


@pytest.mark.parametrize("name", MODELS)
def test_parameters_are_counted_without_building(name: str) -> None:
    config = MODELS[name]()
    network, shape = network_for(config)
    outputs = 1 if config.regression else WAYS
    assert config.parameter_count(shape, outputs) == sum(p.numel() for p in network.parameters())


def test_the_teaching_networks_have_their_well_known_sizes() -> None:
    assert MODELS["sine-mlp"]().parameter_count((1,), 1) == 1761
    assert MODELS["mlp"]().parameter_count((1, 28, 28), 5) == 784 * 400 + 400 + 400 * 5 + 5
    assert MODELS["linear"]().parameter_count((1,), 1) == 2


class OwnLayers(Network):
    """Layers the fast path does not know."""

    def __init__(self) -> None:
        features = nn.Sequential(nn.Flatten(), nn.Linear(6, 4), nn.Tanh())
        super().__init__(features, 4, 2)


def test_a_network_of_other_layers_runs_through_vmap() -> None:
    network = OwnLayers().double()
    params = different_params(network, TASKS)
    x = torch.randn(TASKS, BATCH, 6, dtype=torch.float64)
    outputs = Stacked(network)(params, x)
    for task in range(TASKS):
        assert torch.allclose(outputs[task], alone(network, params, task, x[task]))


@pytest.fixture
def case() -> tuple[Stacked, Params, Tensor, Tensor]:
    network, shape = network_for(Conv4(width=8))
    support = torch.randn(TASKS, BATCH, *shape, dtype=torch.float64)
    query = 2 + torch.randn(TASKS, 6, *shape, dtype=torch.float64)
    return Stacked(network), different_params(network, TASKS), support, query


def test_support_statistics_make_queries_independent_of_each_other(case: tuple) -> None:
    network, params, support, query = case
    together = query_features(network, params, support, query, "support")
    one_by_one = [
        query_features(network, params, support, query[:, q : q + 1], "support") for q in range(6)
    ]
    assert torch.allclose(together, torch.cat(one_by_one, 1))
    own = network.features(params, support)
    assert torch.allclose(query_features(network, params, support, support, "support"), own)


def test_support_plus_query_is_each_query_in_a_batch_with_the_support_set(case: tuple) -> None:
    network, params, support, query = case
    found = query_features(network, params, support, query, "support+query")
    for q in range(query.shape[1]):
        batch = torch.cat([support, query[:, q : q + 1]], 1)
        assert torch.allclose(found[:, q], network.features(params, batch)[:, -1])


def test_transductive_queries_do_depend_on_each_other(case: tuple) -> None:
    network, params, support, query = case
    together = query_features(network, params, support, query, "transductive")
    fewer = query_features(network, params, support, query[:, :3], "transductive")
    assert not torch.allclose(together[:, :3], fewer, atol=1e-3)


def test_running_statistics_are_those_of_an_evaluating_module(case: tuple) -> None:
    network, params, support, query = case
    found = query_features(network, params, support, query, "running")
    for task in range(TASKS):
        module = module_of(network.network, params, task)
        assert torch.allclose(found[task], module.eval().features(query[task]))


def test_one_set_stacked_shares_its_memory() -> None:
    params = {"w": torch.randn(3, 2)}
    assert stack(params, 5)["w"].data_ptr() == params["w"].data_ptr()
