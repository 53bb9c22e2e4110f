"""Forecasts are of the right size, and what cannot run is said instead of raised."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from metacore import child
from metacore.datasets.glyphs import GlyphsConfig
from metacore.errors import UserError
from metacore.insight import probe as probing
from metacore.insight.forecast import Forecast, advice
from metacore.insight.probe import measure, probe
from metacore.models.networks import Conv4Pool
from metacore.training.config import RunConfig
from metacore.training.presets import preset
from metacore.training.trainer import Trainer
from tests.training.small import small

GB = 10**9
CALM = Forecast(
    device="a processor",
    kind="cpu",
    memory=GB,
    available=8 * GB,
    fits=True,
    seconds=105.0,
    iterations=1000,
    step_seconds=0.1,
    validations=5,
    validation_seconds=1.0,
)


def enormous() -> RunConfig:
    """An episode of 800,000 pictures, 2.5 GB before anything is computed from them."""
    config = small("protonet", "glyphs", tasks=100, train_ways=500, train_queries=15)
    many = GlyphsConfig(train_classes=130, test_classes=20)
    return config.replace(dataset=many, model=Conv4Pool(), device="cpu")


@pytest.mark.parametrize(("algorithm", "dataset"), [("maml", "sinusoid"), ("protonet", "glyphs")])
def test_it_is_of_the_size_of_the_real_thing(algorithm: str, dataset: str) -> None:
    config = small(algorithm, dataset, iterations=100, validate_every=40)
    for _ in range(4):  # others may take the processor away in the middle of either
        found = measure(config)
        started = time.perf_counter()
        Trainer(config).run()
        real = time.perf_counter() - started
        if real / 4 < found.seconds < real * 4:
            break
    else:
        pytest.fail(f"{found.seconds:.2f} s were foreseen, and it took {real:.2f} s")
    assert (found.iterations, found.validations, found.fits) == (100, 3, True)
    assert 0 < found.memory < found.available
    assert found.device


def test_parameters_are_those_that_are_learned() -> None:
    layers = (1 * 40 + 40) + (40 * 40 + 40) + (40 * 1 + 1)
    assert measure(small("maml", "sinusoid")).parameters == layers


def test_what_never_trains_is_only_validated() -> None:
    found = measure(small("scratch", "glyphs"))
    assert (found.iterations, found.step_seconds, found.validations) == (0, 0, 1)
    assert found.seconds == found.validation_seconds > 0


def test_a_budget_in_seconds_holds_what_fits_into_it() -> None:
    config = small("maml", "sinusoid", iterations=0, seconds=60.0, validate_every=500)
    found = measure(config)
    validations = found.iterations / 500 * found.validation_seconds
    assert found.iterations * found.step_seconds + validations == pytest.approx(60, rel=0.02)
    assert found.seconds == pytest.approx(60, rel=0.1)


def test_of_two_budgets_the_smaller_counts() -> None:
    assert measure(small("maml", "sinusoid", iterations=3, seconds=1000.0)).iterations == 3
    assert measure(small("maml", "sinusoid", iterations=10**7, seconds=5.0)).iterations < 10**6


def test_another_process_measures_the_same_and_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = probe(small("maml", "sinusoid"))
    assert (found.iterations, found.parameters, found.fits) == (20, 1761, True)
    assert found.step_seconds > 0


def test_more_tasks_hold_more_memory() -> None:
    def memory(tasks: int) -> int:
        many = {"tasks": tasks, "train_ways": 60, "train_shots": 5, "train_queries": 15}
        return probe(small("finetune", "glyphs", **many).replace(device="cpu")).memory

    pictures = 60 * 20 * 28 * 28 * 4
    assert memory(9) - memory(1) > 8 * pictures


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process by its data")
def test_what_does_not_fit_is_said_and_harms_nobody() -> None:
    before = psutil.Process().memory_info().rss
    found = probe(enormous(), memory=2 * GB)
    assert not found.fits
    assert found.available == 2 * GB <= found.memory
    (sentence,) = found.advice
    for part in ("2.0 GB", "tasks per meta-step (now 100)", "(now 15)", "ways (now 500)"):
        assert part in sentence
    assert psutil.Process().memory_info().rss - before < GB / 2
    assert Forecast.from_dict(found.to_dict()) == found


def test_a_probe_that_was_killed_did_not_fit() -> None:
    killed = subprocess.CompletedProcess([], -9, stdout="", stderr="")
    found = probing._answer(enormous(), killed, 2 * GB)
    assert (found.fits, found.available) == (False, 2 * GB)


def test_any_other_end_of_a_probe_is_a_sentence() -> None:
    broken = subprocess.CompletedProcess([], 1, stdout="", stderr="Traceback\nKeyError: 'a'\n")
    with pytest.raises(UserError, match="could not be measured: KeyError: 'a'"):
        probing._answer(enormous(), broken, None)


def test_a_probe_does_not_take_forever() -> None:
    with pytest.raises(UserError, match=r"longer than 0\.2 seconds.*fewer tasks.*\(now 100\)"):
        probe(enormous(), timeout=0.2)


def test_what_the_run_would_refuse_the_probe_refuses() -> None:
    with pytest.raises(UserError, match="Omniglot is not on this computer"):
        probe(preset("maml", "omniglot"))


def test_it_survives_json() -> None:
    found = replace(CALM, advice=("Do less.", "Do it twice."))
    assert Forecast.from_dict(found.to_dict()) == found


def test_a_calm_run_needs_no_advice() -> None:
    config = small("maml", "glyphs", iterations=1000, validate_every=200)
    assert list(advice(config, CALM)) == []


def test_a_run_of_many_hours_names_shorter_ones() -> None:
    config = small("maml", "glyphs", iterations=360_000)
    long = replace(CALM, iterations=360_000, seconds=36_000.0)
    (sentence,) = advice(config, long)
    assert "10 hours" in sentence
    assert "36,000 fit in an hour" in sentence
    assert list(advice(config, replace(long, kind="cuda"))) == []


def test_validations_that_eat_the_time_are_spaced_out() -> None:
    """Steps of 0.1 s and validations of 1 s: every 90 meta-steps they take a tenth."""
    config = small("maml", "glyphs", iterations=1000, validate_every=10)
    (sentence,) = advice(config, replace(CALM, validations=100, seconds=200.0))
    assert "50% of the time" in sentence
    assert "every 90 meta-steps instead of every 10" in sentence
    assert "(now 10)" in sentence


def test_a_budget_for_a_handful_of_steps_is_pointed_out() -> None:
    config = small("maml", "glyphs", iterations=0, seconds=10.0)
    (sentence,) = advice(config, replace(CALM, iterations=7, seconds=10.0, validations=1))
    assert "about 7 meta-steps fit into 10 seconds" in sentence


@pytest.mark.skipif(not hasattr(os, "nice"), reason="this system has no niceness")
def test_a_probe_gives_way() -> None:
    program = "import os; from metacore import child; child.be_nice(); print(os.nice(0))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        env=child.environment(),
        check=True,
    )
    assert int(done.stdout) == min(19, os.nice(0) + child.NICENESS)
