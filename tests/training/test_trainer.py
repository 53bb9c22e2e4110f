"""The outer loop: what stops it, what it remembers, and that it can be walked again exactly."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from metacore.algorithms.maml import MAML
from metacore.errors import UserError
from metacore.training.config import OPTIMISERS, SCHEDULES
from metacore.training.evaluate import evaluate
from metacore.training.trainer import Callback, Trainer
from tests.training.small import small


class StopAt(Callback):
    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def should_stop(self, trainer: Trainer) -> bool:
        return trainer.iteration >= self.iteration


class Count(Callback):
    def __init__(self) -> None:
        self.losses: list[float] = []
        self.rates: list[float] = []
        self.validations: list[bool] = []

    def on_step(self, trainer: Trainer, metrics: dict[str, float]) -> None:
        self.losses.append(metrics["loss"])
        self.rates.append(metrics["rate"])

    def on_validation(self, trainer: Trainer, evaluation: object, best: bool) -> None:
        self.validations.append(best)


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_a_resumed_run_ends_bit_identical(optimiser: str) -> None:
    config = small("maml", optimiser=optimiser, momentum=0.5, schedule="cosine", learning_rate=1e-3)
    straight = Trainer(config)
    straight.run()
    first = Trainer(config, callbacks=[StopAt(7)])
    assert first.run() == "cancelled"
    second = Trainer(config)
    second.restore(first.checkpoint())
    assert second.run() == "finished"
    assert second.iteration == straight.iteration == 20
    assert same(second.params, straight.params)


@pytest.mark.parametrize("algorithm", ["reptile", "protonet", "memory", "finetune", "maml++"])
def test_running_statistics_and_inner_batches_resume_too(algorithm: str) -> None:
    config = small(algorithm, "glyphs", iterations=4)
    straight = Trainer(config)
    straight.run()
    first = Trainer(config, callbacks=[StopAt(2)])
    first.run()
    second = Trainer(config)
    second.restore(first.checkpoint())
    second.run()
    assert same(second.params, straight.params)


def test_a_method_hears_how_far_training_is_also_after_a_resume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[float] = []

    def during(self: MAML, progress: float) -> MAML:
        heard.append(progress)
        return self

    monkeypatch.setattr(MAML, "during", during)
    config = small("maml", iterations=4)
    first = Trainer(config, callbacks=[StopAt(3)])
    first.run()
    second = Trainer(config)
    second.restore(first.checkpoint())
    second.run()
    assert heard == [0, 0.25, 0.5, 0.75]


def test_the_seed_decides_everything() -> None:
    one, again, other = (Trainer(small("maml").replace(seed=seed)) for seed in (1, 1, 2))
    for trainer in (one, again, other):
        trainer.run()
    assert same(one.params, again.params)
    assert not same(one.params, other.params)


def test_nothing_depends_on_the_global_random_state() -> None:
    one = Trainer(small("maml"))
    one.run()
    torch.manual_seed(12345)
    torch.rand(7)
    two = Trainer(small("maml"))
    two.run()
    assert same(one.params, two.params)


def test_a_loss_that_is_no_number_stops_with_the_step_and_the_cause() -> None:
    config = small("maml", learning_rate=10.0, optimiser="sgd", iterations=200)
    config = config.replace(algorithm=replace(config.algorithm, inner_rate=10.0))
    trainer = Trainer(config)
    with pytest.raises(UserError, match=r"meta-step \d+: most likely the outer learning rate"):
        trainer.run()
    assert all(value.isfinite().all() for value in trainer.params.values())


def test_a_budget_in_seconds_ends_the_run() -> None:
    trainer = Trainer(small("maml", iterations=0, seconds=0.3))
    assert trainer.run() == "finished"
    assert 0.3 <= trainer.seconds < 5
    assert trainer.iteration > 1


def test_patience_ends_a_run_that_no_longer_improves() -> None:
    news = Count()
    config = small("maml", iterations=500, validate_every=1, patience=2, learning_rate=1e-6)
    trainer = Trainer(config, callbacks=[news])
    trainer.run()
    assert trainer.iteration < 500
    assert news.validations[-2:] == [False, False]


def test_the_best_validation_is_remembered_and_the_last_step_validated() -> None:
    news = Count()
    trainer = Trainer(small("maml", validate_every=8), callbacks=[news])
    trainer.run()
    assert len(news.validations) == 3  # after 8, 16 and the last step
    assert trainer.best is not None
    assert trainer.best.iteration in (8, 16, 20)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_schedules_do_what_they_are_called(schedule: str) -> None:
    news = Count()
    config = small("maml", schedule=schedule, step_every=10, learning_rate=0.01)
    Trainer(config, callbacks=[news]).run()
    expected = {
        "constant": (0.01, 0.01, 0.01),
        "step": (0.01, 0.005, 0.005),
        "linear": (0.01, 0.005, 0.0005),
        "cosine": (0.01, 0.005, 0.01 * 0.00616),
    }[schedule]
    assert (news.rates[0], news.rates[10], news.rates[19]) == pytest.approx(expected, rel=1e-2)


def test_clipping_bounds_the_step() -> None:
    """With plain SGD a step is rate times gradient, so its length shows the gradient's."""
    trainer = Trainer(small("maml", optimiser="sgd", learning_rate=1.0, clip=0.01, iterations=1))
    before = {name: value.clone() for name, value in trainer.params.items()}
    trainer.run()
    moved = torch.cat([(trainer.params[name] - before[name]).flatten() for name in before])
    assert moved.norm().item() == pytest.approx(0.01, rel=1e-3)


def test_training_makes_maml_better() -> None:
    trainer = Trainer(small("maml", iterations=1000, learning_rate=0.005))
    asked = {"episodes": 100, "steps": 1, "shots": 10}
    before = evaluate(trainer.learner, **asked).mean
    trainer.run()
    assert evaluate(trainer.learner, **asked).mean < 0.7 * before


def test_a_checkpoint_of_another_network_is_refused() -> None:
    with pytest.raises(UserError, match="another network"):
        Trainer(small("maml")).restore(Trainer(small("maml", "line")).checkpoint())


def test_when_mps_cannot_the_run_goes_on_on_the_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(small("maml", iterations=3))
    straight = Trainer(small("maml", iterations=3))
    straight.run()
    trainer.learner.device = torch.device("mps")

    def refuse(*args: object, **kwargs: object) -> None:
        raise NotImplementedError("aten::something is not implemented for MPS")

    monkeypatch.setattr(trainer.learner.algorithm, "meta_step", refuse)
    with pytest.warns(UserWarning, match="goes on on the CPU"):
        assert trainer.run() == "finished"
    assert trainer.device.type == "cpu"
    assert same(trainer.params, straight.params)
