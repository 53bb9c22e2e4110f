"""The best anyone could do: below what every method reaches, and on the same episodes."""

import torch

import metacore as mc
from metacore.insight.best import best_answer, best_score
from metacore.training.evaluate import evaluate
from metacore.training.learner import build


def test_it_is_the_error_of_the_posterior_on_the_episodes_of_an_evaluation() -> None:
    learner = build(mc.preset("maml", "gp", "demo"))
    found = evaluate(learner, episodes=50, shots=8, queries=20, seed=3)
    best = best_score(learner.dataset, found.protocol)
    errors = []
    for number in range(50):
        episode = learner.dataset.episodes(
            "test", ways=1, shots=8, queries=20, seed=3, numbers=range(number, number + 1)
        )
        answer = best_answer(learner.dataset, episode)
        assert answer is not None
        errors.append(answer.score)
        known = (torch.linspace(-5, 5, 101)[:, None] - episode.support_x[0, :, 0]).abs().argmin(0)
        assert (answer.spread[known.numpy()] < 0.15).all()  # the noise, and the grid's width
    assert best is not None
    assert abs(best.mean - sum(errors) / 50) < 1e-6
    assert 0 < best.ci95 < best.mean
    assert best.mean < found.mean


def test_where_it_is_not_known_there_is_none() -> None:
    for name in ("sinusoid", "glyphs"):
        learner = build(mc.preset("maml", name, "demo"))
        found = evaluate(learner, episodes=2)
        assert best_score(learner.dataset, found.protocol) is None
