"""Evaluation: fixed episodes, honest means, and the protocol beside every number."""

import math
from types import SimpleNamespace

import pytest
import torch

from metacore.errors import UserError
from metacore.training import evaluate as evaluation
from metacore.training.evaluate import compare, evaluate, steps_shown
from metacore.training.learner import Learner, build
from tests.training.small import small


@pytest.fixture(scope="module")
def untrained() -> Learner:
    return build(small("maml", "glyphs"))


def test_the_same_seed_gives_the_same_episodes_and_another_gives_others(
    untrained: Learner,
) -> None:
    one, again = (evaluate(untrained, episodes=20, seed=5) for _ in range(2))
    other = evaluate(untrained, episodes=20, seed=6)
    assert torch.equal(one.values, again.values)
    assert not torch.equal(one.values, other.values)


def test_how_episodes_are_grouped_changes_nothing(
    untrained: Learner, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = evaluate(untrained, episodes=6)
    monkeypatch.setattr(
        evaluation, "_numbers", lambda protocol, device: [range(n, n + 1) for n in range(6)]
    )
    assert torch.allclose(whole.values, evaluate(untrained, episodes=6).values)


def test_all_algorithms_meet_the_same_episodes() -> None:
    maml, protonet = (build(small(name, "glyphs")) for name in ("maml", "protonet"))
    task = {"ways": 5, "shots": 1, "queries": 2, "seed": 0, "numbers": range(3)}
    ours, theirs = (learner.dataset.episodes("test", **task) for learner in (maml, protonet))
    assert torch.equal(ours.support_x, theirs.support_x)


def test_the_mean_and_interval_are_those_of_the_episode_values(untrained: Learner) -> None:
    found = evaluate(untrained, episodes=30)
    assert found.mean == pytest.approx(found.values.mean().item())
    expected = 1.96 * found.values.double().std().item() / math.sqrt(30)
    assert found.ci95 == pytest.approx(expected)
    assert found.per_step[-1].mean == found.mean


def test_an_untrained_network_that_has_not_adapted_guesses(untrained: Learner) -> None:
    found = evaluate(untrained, episodes=60, steps=0)
    assert found.mean == pytest.approx(0.2, abs=0.05)


def test_a_diverged_task_stays_in_the_mean_and_is_counted() -> None:
    learner = build(small("maml", "sinusoid"))
    values = {0: torch.ones(4), 1: torch.tensor([1.0, 2.0, 3.0, math.inf])}
    protocol = evaluate(learner, episodes=4, steps=1).protocol
    found = evaluation._summary(values, protocol, True, 0.0)
    assert found.mean == math.inf
    assert found.median == 2.0
    assert found.diverged == 0.25
    assert found.to_dict()["mse"] is None


def test_the_protocol_says_what_was_asked(untrained: Learner) -> None:
    found = evaluate(
        untrained, split="val", ways=3, shots=2, queries=4, steps=1, norm="support", episodes=5
    ).to_dict()
    asked = {"split": "val", "ways": 3, "shots": 2, "queries": 4, "steps": 1, "norm": "support"}
    assert asked.items() <= found.items()
    assert found["dataset"] == "glyphs"
    assert [step["step"] for step in found["per_step"]] == [0, 1]


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"ways": 500}, "ways must be between 2 and 80"),
        ({"shots": 20}, "shots must be between 1 and 19"),
        ({"shots": 15, "queries": 10}, "15 shots and 10 queries need 25 drawings"),
        ({"norm": "magic"}, "norm must be one of"),
        ({"norm": "running"}, "norm must be one of"),
        ({"split": "exam"}, "split must be one of"),
        ({"episodes": 1}, "episodes must be between"),
        ({"steps": -1}, "steps must be between"),
        ({"queries": 0}, "queries must be at least 1"),
    ],
)
def test_what_cannot_be_asked_is_refused(untrained: Learner, asked: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        evaluate(untrained, **asked)


def test_a_picture_run_cannot_be_tested_on_curves(untrained: Learner) -> None:
    with pytest.raises(UserError, match="cannot be asked about Sine waves"):
        evaluate(untrained, dataset=build(small("maml")).dataset)


def test_progress_reaches_the_number_of_episodes(untrained: Learner) -> None:
    heard: list[int] = []
    evaluate(untrained, episodes=50, queries=15, progress=heard.append)
    assert heard[-1] == 50
    assert heard == sorted(heard)


def test_steps_shown_start_densely_and_end_with_the_last() -> None:
    assert steps_shown(3) == [0, 1, 2, 3]
    assert steps_shown(0) == [0]
    assert steps_shown(12) == [0, 1, 2, 3, 5, 7, 10, 12]


def test_runs_on_different_episodes_cannot_be_compared(untrained: Learner) -> None:
    first, second = (evaluate(untrained, episodes=4, seed=seed) for seed in (0, 1))
    with pytest.raises(UserError, match="same episodes"):
        compare(["a", "b"], [first, second])


def test_a_run_does_not_differ_from_itself(untrained: Learner) -> None:
    found = evaluate(untrained, episodes=10)
    (difference,) = compare(["a", "b"], [found, found])
    assert difference.mean == 0
    assert "no difference shown" in difference.verdict


def test_large_pictures_go_through_in_smaller_groups() -> None:
    """As many numbers at once, not as many pictures: 84 x 84 in colour is 27 drawings."""
    asked = evaluation.Protocol("x", "test", 5, 1, 5, 1, "none", 100, 0)
    sizes = {}
    for shape in ((1,), (1, 28, 28), (3, 84, 84)):
        learner = SimpleNamespace(
            device=torch.device("cpu"), config=SimpleNamespace(input_shape=shape)
        )
        groups = list(evaluation._numbers(asked, learner))  # type: ignore[arg-type]
        assert [number for group in groups for number in group] == list(range(100))
        sizes[shape] = len(groups[0])
    assert sizes == {(1,): 20, (1, 28, 28): 20, (3, 84, 84): 1}
