"""Who is raced: Metacore, and loops over tasks as the other libraries' users write them.

A contestant is a function of a `Race` that returns its meta-step; the meta-step returns its loss.
Every loop follows its library's documented usage: `higher.innerloop_ctx` with a `backward` per
task; easyfsl's task sampler, data loader and `process_support_set`.
"""

import copy
import importlib.util
import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.task import CLASSES, DRAWINGS, Race, Setting, batches
from metacore.algorithms.maml import FOMAML, MAML, FOMAMLConfig, MAMLConfig
from metacore.algorithms.protonet import ProtoNet, ProtoNetConfig
from metacore.algorithms.reptile import Reptile, ReptileConfig
from metacore.randomness import generator
from metacore.training.config import TrainingConfig
from metacore.training.optimisation import OuterOptimiser
from metacore.vision import torchvision

Step = Callable[[], float]
OneTask = Callable[[Tensor, Tensor, Tensor, Tensor], float]  # support and query of a task


def metacore(race: Race) -> Step:
    """Our meta-step and outer step; ProtoNet's sampling included."""
    setting = race.setting
    network, params = race.network()
    algorithm = _algorithm(setting)(network)
    sgd = {"optimiser": "sgd"} if setting.method == "reptile" else {}
    config = TrainingConfig(learning_rate=setting.outer_rate, **sgd)
    optimiser = OuterOptimiser(config, algorithm.groups(), params)
    sampled = setting.method == "protonet"
    prepared = [] if sampled else race.episodes()
    numbers = itertools.count()

    def step() -> float:
        number = next(numbers)
        episode = race.episode(number) if sampled else prepared[number % len(prepared)]
        result = algorithm.meta_step(params, episode, generator=generator(0, "inner", number))
        optimiser.step(result.gradients, config.learning_rate)
        params.update(result.running)
        return result.metrics["loss"].item()

    return step


def _algorithm(setting: Setting) -> Callable[[nn.Module], MAML | ProtoNet | Reptile]:
    inner = {"inner_rate": setting.inner_rate, "inner_steps": setting.inner_steps}
    match setting.method:
        case "maml":
            return lambda network: MAML(MAMLConfig(**inner), network)
        case "fomaml":
            return lambda network: FOMAML(FOMAMLConfig(**inner), network)
        case "reptile":
            config = ReptileConfig(**inner, inner_batch=setting.inner_batch)
            return lambda network: Reptile(config, network)
    return lambda network: ProtoNet(ProtoNetConfig(), network)


def higher_loop(race: Race) -> Step:
    """MAML with `higher`, one task at a time.

    First order asks for no higher gradients and takes them at the adapted weights by hand, as the
    library's author advises.
    """
    import higher

    setting, second_order = race.setting, race.setting.method == "maml"
    network, _ = race.network()
    network.train()
    inner = torch.optim.SGD(network.parameters(), lr=setting.inner_rate)
    outer = torch.optim.Adam(network.parameters(), lr=setting.outer_rate)

    def one_task(x: Tensor, y: Tensor, query_x: Tensor, query_y: Tensor) -> float:
        with higher.innerloop_ctx(
            network, inner, copy_initial_weights=False, track_higher_grads=second_order
        ) as (fast, optimiser):
            for _ in range(setting.inner_steps):
                optimiser.step(F.cross_entropy(fast(x), y))
            loss = F.cross_entropy(fast(query_x), query_y) / setting.tasks
            if second_order:
                loss.backward()
            else:
                _accumulate(network, torch.autograd.grad(loss, list(fast.parameters())))
            return loss.item()

    return _task_by_task(race, outer, one_task)


def autograd_loop(race: Race) -> Step:
    """MAML with `torch.func.functional_call` and `torch.autograd.grad`, one task at a time."""
    setting, second_order = race.setting, race.setting.method == "maml"
    network, _ = race.network()
    network.train()
    theta = dict(network.named_parameters())
    outer = torch.optim.Adam(network.parameters(), lr=setting.outer_rate)

    def loss_of(phi: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
        return F.cross_entropy(torch.func.functional_call(network, phi, (x,)), y)

    def one_task(x: Tensor, y: Tensor, query_x: Tensor, query_y: Tensor) -> float:
        phi = theta
        for _ in range(setting.inner_steps):
            gradients = torch.autograd.grad(
                loss_of(phi, x, y), list(phi.values()), create_graph=second_order
            )
            phi = {
                name: value - setting.inner_rate * gradient
                for (name, value), gradient in zip(phi.items(), gradients, strict=True)
            }
        loss = loss_of(phi, query_x, query_y) / setting.tasks
        loss.backward()  # first order: the inner gradients are constants of this graph
        return loss.item()

    return _task_by_task(race, outer, one_task)


def _task_by_task(race: Race, outer: torch.optim.Optimizer, one_task: OneTask) -> Step:
    """A meta-step of `outer`, from the gradients that `one_task` adds up for each task."""
    episodes = itertools.cycle(race.episodes())

    def step() -> float:
        outer.zero_grad()
        episode = next(episodes)
        tasks = (episode.support_x, episode.support_y, episode.query_x, episode.query_y)
        loss = sum(one_task(*task) for task in zip(*tasks, strict=True))
        outer.step()
        return loss

    return step


def _accumulate(network: nn.Module, gradients: tuple[Tensor, ...]) -> None:
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        parameter.grad = gradient if parameter.grad is None else parameter.grad + gradient


def copy_loop(race: Race) -> Step:
    """Reptile on deep copies, one task at a time."""
    setting = race.setting
    network, _ = race.network()
    network.train()
    episodes = itertools.cycle(race.episodes())

    def adapted(x: Tensor, y: Tensor) -> tuple[nn.Module, float]:
        phi = copy.deepcopy(network)
        optimiser = torch.optim.Adam(phi.parameters(), lr=setting.inner_rate, betas=(0.0, 0.999))
        for batch in batches(len(x), setting.inner_batch, setting.inner_steps):
            batch = batch.to(x.device)
            optimiser.zero_grad()
            loss = F.cross_entropy(phi(x[batch]), y[batch])
            loss.backward()
            optimiser.step()
        return phi, loss.item()

    def step() -> float:
        episode, losses = next(episodes), 0.0
        moved = [torch.zeros_like(parameter) for parameter in network.parameters()]
        for x, y in zip(episode.support_x, episode.support_y, strict=True):
            phi, loss = adapted(x, y)
            losses += loss / setting.tasks
            with torch.no_grad():
                for total, new, old in zip(
                    moved, phi.parameters(), network.parameters(), strict=True
                ):
                    total += (new - old) / setting.tasks
        with torch.no_grad():
            for parameter, change in zip(network.parameters(), moved, strict=True):
                parameter += setting.outer_rate * change
        return losses

    return step


def easyfsl_loop(race: Race) -> Step:
    """ProtoNet with easyfsl, from the sampler to the outer step."""
    torchvision()  # easyfsl imports it, and a CUDA build beside a CPU torch needs our help
    from easyfsl.methods import PrototypicalNetworks

    device = race.device
    network, _ = race.network()
    model = PrototypicalNetworks(network).to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=race.setting.outer_rate)
    loader = _easyfsl_episodes(race)
    model.train()

    def step() -> float:
        support_x, support_y, query_x, query_y, _ = next(loader)
        optimiser.zero_grad()
        model.process_support_set(support_x.to(device), support_y.to(device))
        scores = model(query_x.to(device))
        loss = F.cross_entropy(scores, query_y.to(device))
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def _easyfsl_episodes(race: Race) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor, list[int]]]:
    from easyfsl.datasets import FewShotDataset
    from easyfsl.samplers import TaskSampler
    from torch.utils.data import DataLoader

    images = race.dataset.images["train"].cpu().flatten(0, 1)

    class InMemory(FewShotDataset):
        def __getitem__(self, item: int) -> tuple[Tensor, int]:
            return images[item].float() / 255, item // DRAWINGS

        def __len__(self) -> int:
            return CLASSES * DRAWINGS

        def get_labels(self) -> list[int]:
            return [item // DRAWINGS for item in range(len(self))]

    class TakesDataSource:
        """easyfsl 1.5 passes PyTorch's samplers an argument that recent ones no longer take."""

        def __init__(self, data_source: None) -> None: ...

    class Tasks(TaskSampler, TakesDataSource):
        """easyfsl's own sampler, unchanged."""

    dataset, setting = InMemory(), race.setting
    sampler = Tasks(dataset, setting.ways, setting.shots, setting.queries, n_tasks=10**6)
    return iter(
        DataLoader(
            dataset,
            batch_sampler=sampler,
            pin_memory=race.device.type == "cuda",
            collate_fn=sampler.episodic_collate_fn,
        )
    )


CONTESTANTS: dict[str, Callable[[Race], Step]] = {
    "metacore": metacore,
    "higher": higher_loop,
    "plain loop (autograd)": autograd_loop,
    "plain loop (deep copies)": copy_loop,
    "easyfsl": easyfsl_loop,
}
RIVALS = {
    "maml": ("higher", "plain loop (autograd)"),
    "fomaml": ("higher", "plain loop (autograd)"),
    "reptile": ("plain loop (deep copies)",),
    "protonet": ("easyfsl",),
}


def installed(contestant: str) -> bool:
    library = contestant in ("higher", "easyfsl")
    return not library or importlib.util.find_spec(contestant) is not None
