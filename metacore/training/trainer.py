"""The outer loop, the same for every algorithm.

A meta-step is a function of the weights and of (seed, iteration) alone: a run that is stopped and
resumed walks exactly the path it would have walked. Only a budget in seconds, or a schedule that
follows one, brings the clock into it.
"""

import math
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from metacore.algorithms.base import MetaStep
from metacore.capacity import suited_threads
from metacore.errors import UserError
from metacore.models.networks import Params
from metacore.models.weights import refuse_others
from metacore.randomness import generator
from metacore.training import evaluate
from metacore.training.checkpoint import Checkpoint
from metacore.training.config import RunConfig
from metacore.training.distributed import World
from metacore.training.evaluate import Evaluation
from metacore.training.learner import Learner, build
from metacore.training.optimisation import OuterOptimiser, learning_rate, total_norm


@dataclass(frozen=True)
class Best:
    """The best validation so far."""

    iteration: int
    value: float
    ci95: float


class Callback:
    """How others watch a training without the trainer knowing them: override what you want."""

    def on_start(self, trainer: "Trainer") -> None:
        """Before the first meta-step (again after a resume)."""

    def on_step(self, trainer: "Trainer", metrics: dict[str, float]) -> None:
        """After each meta-step, with its loss, accuracy or mse, and rate."""

    def on_validation(self, trainer: "Trainer", evaluation: Evaluation, best: bool) -> None:
        """After each validation; `best` says whether it is the best so far."""

    def should_stop(self, trainer: "Trainer") -> bool:
        """Asked before each meta-step; True ends the training as cancelled."""
        return False

    def on_end(self, trainer: "Trainer") -> None:
        """After the last meta-step, also when training was cancelled or failed."""


class Trainer:
    """Trains one run; `callbacks` watch it and may stop it."""

    def __init__(
        self,
        config: RunConfig,
        *,
        callbacks: Sequence[Callback] = (),
        world: World | None = None,
        learner: Learner | None = None,
    ) -> None:
        self.config = config
        self.callbacks = callbacks
        self.world = world or World()
        self.learner = learner or build(config)
        self.iteration = 0
        self.best: Best | None = None
        self.stale_validations = 0
        self._validated_at: int | None = None
        self._seconds_before = 0.0
        self._started: float | None = None
        self._optimiser = self._new_optimiser()

    @property
    def params(self) -> Params:
        return self.learner.params

    @property
    def device(self) -> torch.device:
        return self.learner.device

    @property
    def seconds(self) -> float:
        """Seconds spent in `run`, those before a resume included."""
        now = 0.0 if self._started is None else time.monotonic() - self._started
        return self._seconds_before + now

    @property
    def progress(self) -> float:
        """The share of the budget used, 0 to 1."""
        training = self.config.training
        by_steps = self.iteration / training.iterations if training.iterations else 0.0
        by_clock = self.seconds / training.seconds if training.seconds else 0.0
        return min(1.0, max(by_steps, by_clock))

    def run(self) -> str:
        """Trains until the budget is used: `finished`, or `cancelled` if a callback said so."""
        self._started = time.monotonic()
        self._tell("on_start")
        try:
            with suited_threads(small=self.learner.dataset.regression):
                return self._run()
        finally:
            self._seconds_before, self._started = self.seconds, None
            self._tell("on_end")

    def _run(self) -> str:
        outcome = self._loop() if self.config.learns else "finished"
        if outcome == "finished" and self._validated_at != self.iteration and self.world.first:
            self._validate()
        return outcome

    def checkpoint(self) -> Checkpoint:
        tensors = {f"params/{name}": value for name, value in self.params.items()}
        tensors |= {f"optimiser/{name}": value for name, value in self._optimiser.state().items()}
        info: dict[str, Any] = {
            "iteration": self.iteration,
            "seconds": self.seconds,
            "best": asdict(self.best) if self.best else None,
            "stale_validations": self.stale_validations,
            "validated_at": self._validated_at,
        }
        trunk = self.learner.algorithm.network.network.trunk
        if trunk is not None:
            info["weights"] = trunk.identity
        return Checkpoint({k: v.detach().cpu().clone() for k, v in tensors.items()}, info)

    def restore(self, checkpoint: Checkpoint) -> None:
        refuse_others(checkpoint.info.get("weights"))
        saved = checkpoint.params()
        shapes = {name: tuple(value.shape) for name, value in saved.items()}
        if shapes != {name: tuple(value.shape) for name, value in self.params.items()}:
            raise UserError("This checkpoint belongs to another network than the run's config.")
        self.learner.params = {name: value.to(self.device) for name, value in saved.items()}
        self._optimiser = self._new_optimiser()
        prefix = "optimiser/"
        self._optimiser.restore(
            {
                name.removeprefix(prefix): value
                for name, value in checkpoint.tensors.items()
                if name.startswith(prefix)
            }
        )
        info = checkpoint.info
        self.iteration = info["iteration"]
        self._seconds_before = info["seconds"]
        self.best = Best(**info["best"]) if info["best"] else None
        self.stale_validations = info["stale_validations"]
        self._validated_at = info["validated_at"]

    def _loop(self) -> str:
        while True:
            cancelled = any(callback.should_stop(self) for callback in self.callbacks)
            agreed = self.world.agree(
                [cancelled, self.progress, self._out_of_patience()], self.device
            )
            if agreed[0]:
                return "cancelled"
            if agreed[1] >= 1 or agreed[2]:
                return "finished"
            self._tell("on_step", self._step(progress=agreed[1]))
            self._validate_if_due()

    def _step(self, *, progress: float) -> dict[str, float]:
        config, seed = self.config.training, self.config.seed
        step = self._meta_step(seed, progress)
        norm = total_norm(step.gradients)
        values = torch.stack([norm, *(value.reshape(()) for value in step.metrics.values())])
        measured = dict(zip(("norm", *step.metrics), values.tolist(), strict=True))
        self._refuse_divergence(measured)
        if config.clip and measured["norm"] > config.clip:
            torch._foreach_mul_(list(step.gradients.values()), config.clip / measured["norm"])
        rate = learning_rate(config, self.iteration, progress)
        self._optimiser.step(step.gradients, rate)
        self.params.update(step.running)
        self.iteration += 1
        return {**measured, "rate": rate}

    def _meta_step(self, seed: int, progress: float) -> MetaStep:
        learner = self.learner
        episode = learner.dataset.sample(
            "train",
            tasks=self.config.training.tasks,
            **self.config.training_task(),
            generator=generator(seed, "train", self.iteration),
        )
        share = self.world.share(episode)
        inner = generator(seed, "inner", self.iteration)
        try:
            now = learner.algorithm.during(progress)
            step = now.meta_step(learner.params, share, generator=inner)
        except (NotImplementedError, RuntimeError) as error:
            if self.device.type != "mps":
                raise
            self._move_to_cpu(error)
            return self._meta_step(seed, progress)
        return self.world.average(step, tasks=share.tasks, of=episode.tasks)

    def _move_to_cpu(self, error: Exception) -> None:
        """MPS lacks some second derivatives; a slower run beats none."""
        warnings.warn(f"MPS cannot do this ({error}); the run goes on on the CPU.", stacklevel=2)
        checkpoint = self.checkpoint()
        seconds_before = self._seconds_before
        self.learner = build(self.config, device="cpu", teacher=self.learner.teacher)
        self.restore(checkpoint)
        self._seconds_before = seconds_before

    def _refuse_divergence(self, measured: dict[str, float]) -> None:
        """Raised before the weights are touched, so that the last good ones stay."""
        if all(math.isfinite(value) for value in measured.values()):
            return
        inner = getattr(self.config.algorithm, "inner_rate", None)
        cause = f"the outer learning rate ({self.config.training.learning_rate:g})"
        if inner is not None:
            cause += f" or the inner rate ({inner:g})"
        raise UserError(
            f"The loss is no longer a number at meta-step {self.iteration + 1}: most likely {cause}"
            f" is too large. Lower it, or clip the meta-gradient; the weights of meta-step"
            f" {self.iteration} are kept."
        )

    def _validate_if_due(self) -> None:
        training = self.config.training
        if not training.validate_every or self.iteration % training.validate_every:
            return
        if self.world.first:
            self._validate()

    def _validate(self) -> None:
        evaluation = evaluate.evaluate(
            self.learner,
            split="val",
            episodes=self.config.training.validation_episodes,
            seed=self.config.seed,
        )
        self._validated_at = self.iteration
        improved = self.best is None or evaluation.better_than(self.best.value)
        if improved:
            self.best = Best(self.iteration, evaluation.mean, evaluation.ci95)
        self.stale_validations = 0 if improved else self.stale_validations + 1
        self._tell("on_validation", evaluation, improved)

    def _out_of_patience(self) -> bool:
        patience = self.config.training.patience
        return bool(patience) and self.stale_validations >= patience

    def _new_optimiser(self) -> OuterOptimiser:
        groups = self.learner.algorithm.groups()
        return OuterOptimiser(self.config.training, groups, self.learner.params)

    def _tell(self, event: str, *news: dict[str, float] | Evaluation | bool) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self, *news)
