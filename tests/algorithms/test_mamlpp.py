"""MAML++'s gradients, each repair alone and all together, against a hand-written loop.

The loop knows nothing of stacking: one plain module per task, PyTorch's own second derivatives, and
batch normalisation whose scale and shift are put in for every step. What is a true gradient is also
compared with finite differences of that loop (float64).
"""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from metacore.algorithms.maml import FOMAML, MAML, FOMAMLConfig, MAMLConfig
from metacore.algorithms.mamlpp import MAMLPlusPlus, MAMLPlusPlusConfig, rate_of, step_weights
from metacore.episode import Episode
from metacore.models.networks import Params
from metacore.training.trainer import Trainer
from tests.algorithms.tasks import tiny_images
from tests.algorithms.test_maml import KINDS, case, loss_of
from tests.training.small import small

N = 3
OFF: dict[str, Any] = {
    "learned_rates": False,
    "every_step_until": 0.0,
    "first_order_until": 0.0,
    "step_norms": False,
}
ON: dict[str, Any] = {
    "learned_rates": True,
    "every_step_until": 0.8,
    "first_order_until": 0.2,
    "step_norms": True,
}
ALONE = {name: {**OFF, name: value} for name, value in ON.items()}
SWITCHES = {**ALONE, "all, first order": ON, "all, second order": ON}
PROGRESS = {"first_order_until": 0.1, "all, first order": 0.1}  # else 0.4
EACH = pytest.mark.parametrize("switch", SWITCHES)
TRUE = pytest.mark.parametrize("switch", [n for n in SWITCHES if n not in PROGRESS])


def made(
    kind: str, alpha: float, steps: int = N, **switches: Any
) -> tuple[MAMLPlusPlus, Episode, Params]:
    """What is learned differs from step to step and from number to number."""
    network, episode, _ = case(kind)
    config = MAMLPlusPlusConfig(inner_rate=alpha, inner_steps=steps, **switches)
    algorithm = MAMLPlusPlus(config, network)
    params = algorithm.init(torch.Generator().manual_seed(0))
    torch.manual_seed(5)
    for name in params:
        params[name] = params[name].double()
        if name in algorithm.parts.shared:
            params[name] *= 1 + 0.5 * torch.rand_like(params[name])
    return algorithm, episode, params


def norms_of(network: nn.Module) -> list[str]:
    return [name for name, layer in network.named_modules() if isinstance(layer, nn.BatchNorm2d)]


def scales_of(network: nn.Module) -> list[str]:
    return [f"{name}.{part}" for name in norms_of(network) for part in ("weight", "bias")]


def networks(
    algorithm: MAMLPlusPlus, learned: Params, episode: Episode, task: int, second_order: bool
) -> list[Params]:
    """One task's network after 0, 1, …, N steps."""
    network, config = algorithm.network.network.train(), algorithm.config
    own = scales_of(network) if config.step_norms else []
    names = [name for name, _ in network.named_parameters() if name not in own]
    phi = {name: learned[name] for name in names}
    reached = []
    for step in range(config.inner_steps + 1):
        reached.append({**phi, **{name: learned[name][step] for name in own}})
        if step == config.inner_steps:
            return reached
        outputs = functional_call(network, reached[-1], (episode.support_x[task],))
        loss = loss_of(outputs, episode.support_y[task])
        gradients = torch.autograd.grad(
            loss, list(phi.values()), create_graph=second_order, retain_graph=True
        )
        for name, gradient in zip(names, gradients, strict=True):
            rate = learned[rate_of(name)][step] if config.learned_rates else config.inner_rate
            phi = {**phi, name: phi[name] - rate * gradient}
    return reached


def looped_loss(
    algorithm: MAMLPlusPlus, learned: Params, episode: Episode, progress: float
) -> Tensor:
    config, network = algorithm.config, algorithm.network.network.train()
    second_order = progress >= config.first_order_until
    v = [0.0] * (N + 1)
    if progress < config.every_step_until:
        v[1:] = [(1 - progress / config.every_step_until) / N] * N
    v[N] = 1 - sum(v[:N])
    total = torch.zeros((), dtype=torch.float64)
    for task in range(episode.tasks):
        reached = networks(algorithm, learned, episode, task, second_order)
        for weight, phi in zip(v, reached, strict=True):
            outputs = functional_call(network, phi, (episode.query_x[task],))
            total = total + weight * loss_of(outputs, episode.query_y[task])
    return total / episode.tasks


@KINDS
@EACH
def test_its_gradients_equal_a_hand_written_loop(switch: str, kind: str) -> None:
    algorithm, episode, params = made(kind, 0.1, **SWITCHES[switch])
    progress = PROGRESS.get(switch, 0.4)
    found = algorithm.during(progress).meta_step(params, episode).gradients
    learned = {name: params[name].clone().requires_grad_() for name in found}
    assert set(learned) == set(algorithm.parts.learned(params))
    loss = looped_loss(algorithm, learned, episode, progress)
    expected = torch.autograd.grad(loss, list(learned.values()))
    for name, gradient in zip(learned, expected, strict=True):
        assert torch.allclose(found[name], gradient, atol=1e-11), name
    for name in algorithm.parts.shared:
        assert found[name].abs().max() > 1e-8, name


@KINDS
@TRUE
def test_its_second_order_gradients_equal_a_finite_difference(switch: str, kind: str) -> None:
    """Along a random direction of length 1, through weights, rates and norms."""
    algorithm, episode, params = made(kind, 0.02, **SWITCHES[switch])
    gradients = algorithm.during(0.4).meta_step(params, episode).gradients
    torch.manual_seed(4)
    direction = {name: torch.randn_like(value) for name, value in gradients.items()}
    length = torch.cat([value.flatten() for value in direction.values()]).norm()

    def loss_at(distance: float) -> Tensor:
        moved = {n: params[n] + distance * direction[n] / length for n in gradients}
        leaves = {name: value.requires_grad_() for name, value in moved.items()}
        return looped_loss(algorithm, leaves, episode, 0.4).detach()

    h = 1e-5
    expected = (loss_at(h) - loss_at(-h)) / (2 * h)
    found = sum((gradients[name] * direction[name]).sum() / length for name in gradients)
    assert found == pytest.approx(expected.item(), rel=1e-5, abs=1e-8)


@KINDS
@pytest.mark.parametrize("progress", [0.0, 0.5, 1.0])
def test_with_everything_off_it_is_maml_to_the_last_bit(progress: float, kind: str) -> None:
    network, episode, params = case(kind)
    maml = MAML(MAMLConfig(inner_rate=0.3, inner_steps=N), network).meta_step(params, episode)
    plus = MAMLPlusPlus(MAMLPlusPlusConfig(inner_rate=0.3, inner_steps=N, **OFF), network)
    ours = plus.during(progress).meta_step(params, episode)
    assert ours.gradients.keys() == maml.gradients.keys()
    assert all(torch.equal(ours.gradients[name], value) for name, value in maml.gradients.items())
    assert all(torch.equal(ours.metrics[name], value) for name, value in maml.metrics.items())


def test_its_first_share_is_first_order_maml_and_the_rest_is_maml() -> None:
    network, episode, params = case("batch")
    config = MAMLPlusPlusConfig(inner_rate=0.3, inner_steps=N, **{**OFF, "first_order_until": 0.5})
    plus = MAMLPlusPlus(config, network)
    rates = {"inner_rate": 0.3, "inner_steps": N}
    first = FOMAML(FOMAMLConfig(**rates), network).meta_step(params, episode).gradients
    second = MAML(MAMLConfig(**rates), network).meta_step(params, episode).gradients
    for progress, expected in ((0.0, first), (0.49, first), (0.5, second), (1.0, second)):
        found = plus.during(progress).meta_step(params, episode).gradients
        assert all(torch.equal(found[name], value) for name, value in expected.items()), progress
    asked_plainly = plus.meta_step(params, episode).gradients
    assert all(torch.equal(asked_plainly[name], value) for name, value in second.items())


def test_the_weights_of_the_steps_move_to_the_last_one() -> None:
    assert step_weights(0.0, 4) == (0.0, 0.25, 0.25, 0.25, 0.25)
    assert step_weights(0.5, 4) == pytest.approx((0, 0.125, 0.125, 0.125, 0.625))
    assert step_weights(1.0, 4) == (0.0, 0.0, 0.0, 0.0, 1.0)
    assert step_weights(0.0, 1) == (0.0, 1.0)
    algorithm, _, _ = made("batch", 0.1, **{**OFF, "every_step_until": 0.5})
    early, late = algorithm.during(0.25).weights, algorithm.during(0.5).weights
    assert (early, late) == (step_weights(0.5, N), step_weights(1.0, N))


def test_splitting_the_tasks_to_save_memory_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    algorithm, episode, params = made("batch", 0.1, **ON)
    whole = algorithm.during(0.3).meta_step(params, episode)
    for module in ("maml", "mamlpp"):
        monkeypatch.setattr(f"metacore.algorithms.{module}.inputs_at_once", lambda x: 1)
    pieces = algorithm.during(0.3).meta_step(params, episode)
    assert pieces.metrics["loss"] == pytest.approx(whole.metrics["loss"].item())
    for part in ("gradients", "running"):
        ours, theirs = getattr(pieces, part), getattr(whole, part)
        assert all(torch.allclose(ours[name], theirs[name], atol=1e-12) for name in theirs)


@pytest.mark.parametrize("step_norms", [True, False])
def test_running_statistics_are_those_of_each_step(step_norms: bool) -> None:
    algorithm, episode, params = made("batch", 0.1, **{**ON, "step_norms": step_norms})
    found = algorithm.meta_step(params, episode).running
    network, learned = algorithm.network.network.train(), algorithm.parts.learned(params)
    learned = {name: value.requires_grad_() for name, value in learned.items()}
    seen: dict[str, list[Tensor]] = {}

    def note(name: str, x: Tensor) -> None:
        seen.setdefault(f"{name}.running_mean", []).append(x.mean((0, 2, 3)))
        seen.setdefault(f"{name}.running_var", []).append(x.var((0, 2, 3), unbiased=False))

    for task in range(episode.tasks):
        reached = networks(algorithm, learned, episode, task, second_order=True)
        hooks = [
            layer.register_forward_pre_hook(lambda _, x, name=name: note(name, x[0].detach()))
            for name, layer in network.named_modules()
            if name in norms_of(network)
        ]
        for step, phi in enumerate(reached):  # the support set until the last step
            x = episode.query_x if step == N else episode.support_x
            functional_call(network, phi, (x[task],))
        for hook in hooks:
            hook.remove()
    assert set(found) == set(seen) == set(algorithm.parts.state)
    for name, rows in seen.items():
        mean = torch.stack(rows).view(episode.tasks, N + 1, -1).mean(0)
        mean = mean if step_norms else mean.mean(0)
        assert torch.allclose(found[name], 0.9 * params[name] + 0.1 * mean, atol=1e-9), name


@pytest.mark.parametrize("norm", ["transductive", "running"])
def test_a_longer_test_goes_on_with_the_last_rates_and_norms(norm: str) -> None:
    """Each step by hand; the mode `running` normalises queries by the statistics of that step."""
    algorithm, episode, params = made("batch", 0.1, steps=2, **ON)
    torch.manual_seed(6)
    for name in algorithm.parts.state:
        params[name] = torch.rand_like(params[name]) + 0.5
    network = algorithm.network.network
    own = [*scales_of(network), *(algorithm.parts.state if norm == "running" else ())]
    predictors = algorithm.adapt(params, episode, steps=4, norm=norm)
    phi = {name: params[name].clone() for name in algorithm.parts.adapted}
    for step, predictor in enumerate(predictors):
        now = {**phi, **{name: params[name][min(step, 2)].clone() for name in own}}
        network.train(norm != "running")
        outputs = functional_call(network, now, (episode.query_x[0],))
        network.train()
        assert torch.allclose(predictor(episode.query_x)[0], outputs, atol=1e-9), step
        leaves = {name: value.detach().requires_grad_() for name, value in phi.items()}
        outputs = functional_call(network, {**now, **leaves}, (episode.support_x[0],))
        loss = loss_of(outputs, episode.support_y[0])
        assert torch.allclose(predictor.support_loss()[0], loss, atol=1e-9), step
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        rates = [params[rate_of(name)][min(step, 1)] for name in phi]
        moved = zip(phi.items(), rates, gradients, strict=True)
        phi = {name: value - rate * gradient for (name, value), rate, gradient in moved}
    assert step == 4


def test_other_ways_start_all_classes_alike() -> None:
    algorithm, _, params = made("batch", 0.1, **ON)
    episode = tiny_images(ways=7)
    first, *_, last = algorithm.adapt(params, episode, steps=2)
    before, after = first(episode.query_x), last(episode.query_x)
    assert before.shape == (3, 14, 7)
    assert torch.allclose(before, before[..., :1].expand_as(before))
    assert not torch.allclose(after, after[..., :1].expand_as(after))


def test_its_rates_are_shown_by_layer_and_start_alike() -> None:
    network, _, _ = case("batch")
    algorithm = MAMLPlusPlus(MAMLPlusPlusConfig(inner_rate=0.3, inner_steps=N), network)
    shown = algorithm.learned_by_layer(algorithm.init(torch.Generator().manual_seed(0)))
    assert shown is not None
    assert list(shown.values) == ["conv1", "conv2", "conv3", "conv4", "head"]
    assert all(torch.equal(values, torch.full((N,), 0.3)) for values in shown.values.values())
    without = MAMLPlusPlus(MAMLPlusPlusConfig(learned_rates=False), network)
    assert without.learned_by_layer(without.init(torch.Generator().manual_seed(0))) is None


@pytest.mark.parametrize("switch", [*ALONE, "everything"])
def test_every_switch_trains_by_itself(switch: str) -> None:
    config = small("maml++", "glyphs", iterations=3)
    own = replace(config.algorithm, **(ALONE | {"everything": ON})[switch])
    trainer = Trainer(config.replace(algorithm=own))
    assert trainer.run() == "finished"
    assert all(value.isfinite().all() for value in trainer.params.values())
