"""Forecasts are measured once, in the background, and only while somebody wants them."""

import threading
import time
from collections.abc import Callable

import pytest

from metacore import RunConfig, UserError, preset
from metacore.insight.forecast import Forecast
from pages.ui.train import forecaster
from pages.ui.train.forecaster import Answer, Forecaster

CHEAP = Forecast("processor", "cpu", 10**8, 10**9, fits=True, seconds=30, iterations=100)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecaster, "SETTLE_SECONDS", 0.0)


def eventually(ask: Callable[[], list[Answer | None]]) -> list[Answer | None]:
    until = time.monotonic() + 20
    while None in (answers := ask()) and time.monotonic() < until:
        time.sleep(0.02)
    return answers


def configs() -> list[RunConfig]:
    return [preset(name, "glyphs", "demo") for name in ("maml", "protonet")]


def test_answers_come_in_the_order_asked_for() -> None:
    seen: list[str] = []

    def measure(config: RunConfig) -> Forecast:
        seen.append(config.algorithm_class.name)
        return CHEAP

    made = Forecaster(measure)
    assert made.ask("me", configs()) == [None, None]
    assert eventually(lambda: made.ask("me", configs())) == [CHEAP, CHEAP]
    assert seen == ["maml", "protonet"]


def test_a_seed_costs_nothing_and_a_second_question_neither() -> None:
    seen: list[int] = []

    def measure(config: RunConfig) -> Forecast:
        seen.append(config.seed)
        return CHEAP

    made, (config, _) = Forecaster(measure), configs()
    eventually(lambda: made.ask("me", [config]))
    assert made.ask("you", [config.replace(seed=7)]) == [CHEAP]
    assert len(seen) == 1


def test_what_nobody_wants_any_more_is_not_measured() -> None:
    seen: list[str] = []
    busy, go_on = threading.Event(), threading.Event()

    def measure(config: RunConfig) -> Forecast:
        seen.append(config.algorithm_class.name)
        busy.set()
        go_on.wait(20)
        return CHEAP

    made, (maml, protonet) = Forecaster(measure), configs()
    made.ask("me", [maml, protonet])
    assert busy.wait(20)
    made.ask("me", [maml])  # protonet has been unticked meanwhile
    go_on.set()
    eventually(lambda: made.ask("me", [maml]))
    time.sleep(0.3)
    assert seen == ["maml"]


def test_a_refusal_is_an_answer_and_can_be_asked_again() -> None:
    refusal = UserError("Omniglot is not on this computer yet.")
    answers: list[Answer] = [refusal, CHEAP]

    def measure(config: RunConfig) -> Forecast:
        answer = answers.pop(0)
        if isinstance(answer, UserError):
            raise answer
        return answer

    made, (config, _) = Forecaster(measure), configs()
    assert eventually(lambda: made.ask("me", [config])) == [refusal]
    made.forget([config])
    assert eventually(lambda: made.ask("me", [config])) == [CHEAP]


def test_an_unforeseen_error_is_a_sentence_and_the_next_is_measured() -> None:
    def measure(config: RunConfig) -> Forecast:
        if config.algorithm_class.name == "maml":
            raise ZeroDivisionError("secret")
        return CHEAP

    made = Forecaster(measure)
    failed, found = eventually(lambda: made.ask("me", configs()))
    assert "could not be measured" in str(failed)
    assert found == CHEAP
