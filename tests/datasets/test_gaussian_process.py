"""Smooth random functions: they have the kernel they say, and the best answer to them is known."""

import numpy as np
import pytest
import torch

from metacore.datasets.gaussian_process import GaussianProcess, GaussianProcessConfig
from metacore.errors import UserError

LENGTHS = pytest.mark.parametrize("length", [0.3, 1.0, 10.0])


def source(length: float = 1.0, scale: float = 1.0, noise: float = 0.0) -> GaussianProcess:
    config = GaussianProcessConfig(length=length, scale=scale, noise=noise)
    return GaussianProcess(config, torch.device("cpu"))


def kernel(one: np.ndarray, other: np.ndarray, length: float, scale: float) -> np.ndarray:
    """Written down again, in numpy."""
    return scale**2 * np.exp(-((one[:, None] - other[None]) ** 2) / (2 * length**2))


@LENGTHS
def test_values_vary_together_as_the_kernel_says(length: float) -> None:
    functions, x = source(length, scale=2.0), torch.linspace(-5, 5, 9)
    tasks = 20_000
    parameters = functions.draw(tasks, torch.Generator().manual_seed(0))
    y = functions.curve(parameters, x[None, :, None].expand(tasks, -1, -1))[..., 0].double()
    places = x.double().numpy()
    expected = kernel(places, places, length, 2.0)
    error = 4 * 2**0.5 * 4 / tasks**0.5  # four standard errors of a variance of 4
    assert np.abs((y.T @ y / tasks).numpy() - expected).max() < error
    assert y.mean(0).abs().max() < 4 * 2 / tasks**0.5


def test_a_function_is_the_same_wherever_else_it_is_asked() -> None:
    functions = source()
    episode = functions.sample(
        "test", tasks=3, shots=4, queries=6, generator=torch.Generator().manual_seed(5)
    )
    again = functions.draw(3, torch.Generator().manual_seed(5))
    assert torch.equal(functions.curve(again, episode.support_x), episode.support_y)
    assert torch.equal(functions.curve(again, episode.query_x), episode.query_y)


def test_the_points_seen_carry_noise_and_the_others_do_not() -> None:
    noisy, exact = (
        source(noise=noise).sample(
            "test", tasks=500, shots=4, queries=6, generator=torch.Generator().manual_seed(5)
        )
        for noise in (0.3, 0.0)
    )
    assert torch.equal(noisy.query_y, exact.query_y)
    assert torch.equal(noisy.support_x, exact.support_x)
    off = noisy.support_y - exact.support_y
    assert off.std().item() == pytest.approx(0.3, rel=0.08)
    assert abs(off.mean().item()) < 0.03


@LENGTHS
@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_the_posterior_is_the_one_of_the_textbook(length: float, noise: float) -> None:
    functions = source(length, scale=1.5, noise=noise)
    episode = functions.sample(
        "test", tasks=2, shots=6, queries=20, generator=torch.Generator().manual_seed(1)
    )
    found = functions.posterior(episode.support_x, episode.support_y, episode.query_x)
    for task in range(2):
        x, y = episode.support_x[task, :, 0].double().numpy(), episode.support_y[task, :, 0]
        asked = episode.query_x[task, :, 0].double().numpy()
        own = (noise**2 + 1e-9 * 1.5**2) * np.eye(6)
        inverse = np.linalg.inv(kernel(x, x, length, 1.5) + own)
        near = kernel(asked, x, length, 1.5)
        mean = near @ inverse @ y.double().numpy()
        variance = 1.5**2 - np.einsum("bk,kl,bl->b", near, inverse, near)
        assert np.allclose(found.mean[task, :, 0], mean, atol=1e-3)
        assert np.allclose(found.deviation[task, :, 0] ** 2, variance, atol=1e-3)


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_what_it_says_it_does_not_know_is_what_it_gets_wrong(noise: float) -> None:
    functions = source(noise=noise)
    episode = functions.sample(
        "test", tasks=500, shots=5, queries=10, generator=torch.Generator().manual_seed(2)
    )
    found = functions.posterior(episode.support_x, episode.support_y, episode.query_x)
    unknown = found.deviation > 0.05
    away = ((found.mean - episode.query_y) / found.deviation)[unknown]
    assert away.square().mean().item() == pytest.approx(1, abs=0.1)
    assert away.abs().lt(1.96).float().mean().item() == pytest.approx(0.95, abs=0.02)


def test_at_the_points_seen_nothing_is_left_open() -> None:
    functions = source()
    episode = functions.sample(
        "test", tasks=4, shots=5, queries=1, generator=torch.Generator().manual_seed(3)
    )
    found = functions.posterior(episode.support_x, episode.support_y, episode.support_x)
    assert torch.allclose(found.mean, episode.support_y, atol=1e-3)
    assert found.deviation.max() < 1e-3


def test_the_same_point_twice_says_no_more_than_once() -> None:
    functions = source()
    x, y = torch.tensor([[[1.0], [1.0]]]), torch.tensor([[[0.5], [0.5]]])
    twice = functions.posterior(x, y, torch.tensor([[[1.5]]]))
    once = functions.posterior(x[:, :1], y[:, :1], torch.tensor([[[1.5]]]))
    assert torch.allclose(twice.mean, once.mean, atol=1e-4)


def test_a_split_that_is_none_is_refused() -> None:
    with pytest.raises(UserError, match="split must be one of"):
        source().sample("all", tasks=1, shots=1, queries=1, generator=torch.Generator())
