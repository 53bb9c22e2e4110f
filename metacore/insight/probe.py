"""Measures what a training will cost, by a short piece of it.

The probe takes the real road: a `Trainer` that is stopped after a few meta-steps, and a part of the
real validation. `probe` does it in another process, which may be refused memory or killed without
harm: what does not fit becomes a forecast that says so, never an error.

    python -m metacore.insight.probe < {"config": …, "memory": null} > {"forecast": …}
"""

import json
import math
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from typing import Any

import psutil
import torch

from metacore import child
from metacore.device import describe, out_of_memory, resolve, synchronize
from metacore.errors import UserError
from metacore.insight.forecast import Forecast, advice, lighten
from metacore.training.config import RunConfig
from metacore.training.evaluate import evaluate
from metacore.training.learner import Learner, build
from metacore.training.trainer import Callback, Trainer

STEPS = 20  # measured after the warm-up, if they take long enough to be timed
SHORT_SECONDS = 0.5
SECONDS = 1.5  # for which meta-steps, and after them a validation, are measured at most
WARM_UP_STEPS = 2
FIRST_EPISODES = 10  # of a validation: a warm-up, and a guess at how many more are affordable


def measure(config: RunConfig, teacher: RunConfig | None = None) -> Forecast:
    """Measures in this process. On a CPU its memory includes what the process held before."""
    return _measure(config, None, teacher)


def probe(
    config: RunConfig,
    timeout: float = 60.0,
    *,
    memory: int | None = None,
    teacher: RunConfig | None = None,
) -> Forecast:
    """Measures in a process of its own that may use `memory` bytes, or whatever is free.

    Of the run it learns from, if it learns from one, the config is enough: what a teacher has
    learned changes nothing about what it costs.

    Raises UserError where the run itself would (a dataset that is not there), and when the first
    meta-steps take longer than `timeout` seconds.
    """
    learned_from = teacher and teacher.to_dict()
    asked = json.dumps({"config": config.to_dict(), "memory": memory, "teacher": learned_from})
    command = [sys.executable, "-m", "metacore.insight.probe"]
    environment = child.environment()
    try:
        ended = subprocess.run(
            command, input=asked, capture_output=True, text=True, timeout=timeout, env=environment
        )
    except subprocess.TimeoutExpired:
        raise UserError(
            f"A few meta-steps of this run take longer than {timeout:g} seconds here:"
            f" {lighten(config)}."
        ) from None
    except OSError as error:
        raise UserError(f"No process could be started to measure this run: {error}.") from error
    return _answer(config, ended, memory)


def _answer(
    config: RunConfig, ended: subprocess.CompletedProcess[str], memory: int | None
) -> Forecast:
    """What the child said; one that was killed before it could has asked for too much memory."""
    said = ended.stdout.strip().rpartition("\n")[2]
    if ended.returncode == 0 and said:
        answer = json.loads(said)
        if "error" in answer:
            raise UserError(answer["error"])
        return Forecast.from_dict(answer["forecast"])
    status = ended.returncode  # of the kernel's killer, or a failed allocation in another thread
    if status < 0 or status in (134, 137, 139):
        return _too_large(config, "cpu", config.device, memory or _free_memory())
    reason = ended.stderr.strip().rpartition("\n")[2] or f"exit status {ended.returncode}"
    raise UserError(f"This run could not be measured: {reason}")


# --- measuring --------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Costs:
    """What is measured in seconds, and what the run's length is computed from."""

    step: float
    validation: float


def _measure(config: RunConfig, memory: int | None, teacher: RunConfig | None) -> Forecast:
    device = resolve(config.device)
    name = str(describe(device)["name"])
    available = _available(device) if memory is None else memory
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    try:
        learner = build(config, teacher=None if teacher is None else build(teacher))
        step = _step_seconds(config, learner) if config.learns else 0.0
        costs = _Costs(step, _validation_seconds(config, learner))
    except (RuntimeError, MemoryError) as error:
        if not out_of_memory(error):
            raise
        return _too_large(config, device.type, name, available, _peak(device))
    peak = _peak(device)
    found = Forecast(name, device.type, peak, available, fits=peak <= available)
    found = replace(found, parameters=learner.parameters, **_length(config, costs))
    return _advised(config, found)


def _too_large(
    config: RunConfig, kind: str, device: str, available: int, peak: int = 0
) -> Forecast:
    return _advised(config, Forecast(device, kind, max(peak, available), available, fits=False))


def _advised(config: RunConfig, forecast: Forecast) -> Forecast:
    return replace(forecast, advice=tuple(advice(config, forecast)))


def _step_seconds(config: RunConfig, learner: Learner) -> float:
    endless = replace(
        config.training, iterations=10**6, seconds=0.0, validate_every=0, schedule="constant"
    )
    watch = _Watch(learner.device)
    Trainer(config.replace(training=endless), callbacks=[watch], learner=learner).run()
    return watch.step_seconds


class _Watch(Callback):
    """Notes when each meta-step ended, and stops the training once enough is known."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.ends: list[float] = []

    def on_start(self, trainer: Trainer) -> None:
        self._note()

    def on_step(self, trainer: Trainer, metrics: dict[str, float]) -> None:
        self._note()

    def should_stop(self, trainer: Trainer) -> bool:
        steps = len(self.ends) - 1
        if steps < 1:
            return False
        last = self.ends[-1] - self.ends[-2]
        warm = self.ends[-1] - self.ends[min(WARM_UP_STEPS, steps)]
        many = steps >= WARM_UP_STEPS + STEPS and warm >= SHORT_SECONDS
        return many or max(last, warm) >= SECONDS

    def _note(self) -> None:
        synchronize(self.device)
        self.ends.append(time.perf_counter())

    @property
    def step_seconds(self) -> float:
        """The mean after the warm-up; of few and long steps, the last one."""
        start = min(WARM_UP_STEPS, len(self.ends) - 2)
        return (self.ends[-1] - self.ends[start]) / (len(self.ends) - 1 - start)


def _validation_seconds(config: RunConfig, learner: Learner) -> float:
    """A part of the real validation, and of that the second part where time allows."""
    episodes = config.training.validation_episodes
    part = min(FIRST_EPISODES, episodes)
    seconds = _validate(config, learner, part)
    if seconds < SECONDS:
        part = max(part, min(episodes, int(SECONDS * part / max(seconds, 1e-6))))
        seconds = _validate(config, learner, part)
    return seconds * episodes / part


def _validate(config: RunConfig, learner: Learner, episodes: int) -> float:
    return evaluate(learner, split="val", episodes=episodes, seed=config.seed).seconds


def _length(config: RunConfig, costs: _Costs) -> dict[str, Any]:
    """The fields of a forecast that say how long the run is."""
    steps = _iterations(config, costs) if config.learns else 0
    validations = _validations(config, steps)
    return {
        "seconds": steps * costs.step + validations * costs.validation,
        "iterations": steps,
        "step_seconds": costs.step,
        "validations": validations,
        "validation_seconds": costs.validation,
    }


def _iterations(config: RunConfig, costs: _Costs) -> int:
    """Meta-steps until the budget is used; the clock runs during validations, too."""
    training = config.training
    if not training.seconds:
        return training.iterations
    each = costs.step
    if training.validate_every:
        each += costs.validation / training.validate_every
    by_clock = max(1, math.ceil(training.seconds / each))
    return min(by_clock, training.iterations) if training.iterations else by_clock


def _validations(config: RunConfig, steps: int) -> int:
    """Those on the way, and one at the end unless it falls together with one of them."""
    every = config.training.validate_every
    return math.ceil(steps / every) if every and steps else 1


# --- memory -----------------------------------------------------------------------------------


def _available(device: torch.device) -> int:
    """Bytes a run on this device could use, those this process holds already included."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device))
    return _free_memory()


def _free_memory() -> int:
    return int(psutil.virtual_memory().available + psutil.Process().memory_info().rss)


def _peak(device: torch.device) -> int:
    """The most bytes held at once, so far."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    return _peak_of_process()


def _peak_of_process() -> int:
    if sys.platform == "linux":  # getrusage would count the process this one was started by, too
        with open("/proc/self/status") as lines:
            found = next(line for line in lines if line.startswith("VmHWM:"))
        return int(found.split()[1]) * 1024
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


# --- the child --------------------------------------------------------------------------------


def main() -> int:
    """Reads what to measure from stdin, and writes what was found to stdout."""
    asked = json.load(sys.stdin)
    answer: dict[str, Any] = {}
    try:
        answer["forecast"] = _measure_within(**asked).to_dict()
    except UserError as error:
        answer["error"] = str(error)
    print(json.dumps(answer))
    return 0


def _measure_within(
    config: dict[str, Any], memory: int | None, teacher: dict[str, Any] | None
) -> Forecast:
    """On a GPU the driver keeps the limit; its address space would look like memory here."""
    run = RunConfig.from_dict(config)
    if resolve(run.device).type == "cpu":
        memory = memory or _free_memory()
        child.limit_memory(memory)
    return _measure(run, memory, None if teacher is None else RunConfig.from_dict(teacher))


if __name__ == "__main__":
    child.be_nice()
    sys.exit(main())
