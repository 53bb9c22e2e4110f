"""Forecasts that are measured while a person goes on choosing.

A probe takes seconds, so a thread of the server runs one after another and pages ask whether theirs
is ready. Each session says anew what it wants; what nobody wants any more is not measured.
"""

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from metacore import RunConfig, Store, UserError
from metacore.insight.forecast import Forecast
from metacore.insight.probe import probe
from metacore.runs import teachers

SETTLE_SECONDS = 0.7  # a number that is still being clicked up is not worth a measurement
ABSENT_SECONDS = 6.0  # a page that has not asked for so long has been left
KEPT = 200
Answer = Forecast | UserError


@dataclass
class Wish:
    """What one session would like to know."""

    configs: dict[str, RunConfig]
    changed: float
    asked: float


class Forecaster:
    """Measures what sessions ask for, each thing once."""

    def __init__(self, measure: Callable[[RunConfig], Forecast] | None = None) -> None:
        self._measure = measure or _probe
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._wishes: dict[str, Wish] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self, session: str, configs: Sequence[RunConfig]) -> list[Answer | None]:
        """What is known of these; the rest is measured next, in this order."""
        keys = [cost_key(config) for config in configs]
        now = time.monotonic()
        with self._lock:
            missing = {
                key: config
                for key, config in zip(keys, configs, strict=True)
                if key not in self._answers
            }
            before = self._wishes.get(session)
            same = before is not None and before.configs.keys() >= missing.keys()
            changed = before.changed if before is not None and same else now
            self._wishes[session] = Wish(missing, changed, now)
            if missing and (self._thread is None or not self._thread.is_alive()):
                self._thread = threading.Thread(target=self._work, name="forecasts", daemon=True)
                self._thread.start()
            return [self._answers.get(key) for key in keys]

    def forget(self, configs: Sequence[RunConfig]) -> None:
        """So that they are measured again."""
        with self._lock:
            for config in configs:
                self._answers.pop(cost_key(config), None)

    def _work(self) -> None:
        while True:
            with self._lock:
                wanted = self._next(time.monotonic())
                if wanted is None and not any(wish.configs for wish in self._wishes.values()):
                    self._thread = None
                    return
            if wanted is None:
                time.sleep(0.1)
                continue
            answer = self._answer(wanted[1])
            with self._lock:
                self._keep(wanted[0], answer)

    def _next(self, now: float) -> tuple[str, RunConfig] | None:
        """The first thing wanted by a session that is there and has settled."""
        self._wishes = {
            name: wish for name, wish in self._wishes.items() if now - wish.asked < ABSENT_SECONDS
        }
        for wish in self._wishes.values():
            if wish.configs and now - wish.changed >= SETTLE_SECONDS:
                return next(iter(wish.configs.items()))
        return None

    def _answer(self, config: RunConfig) -> Answer:
        try:
            return self._measure(config)
        except UserError as error:
            return error
        except Exception:  # the thread must live on: others wait for theirs
            logging.getLogger(__name__).exception("A forecast failed.")
            return UserError("This run could not be measured; it can be started all the same.")

    def _keep(self, key: str, answer: Answer) -> None:
        self._answers[key] = answer
        while len(self._answers) > KEPT:
            self._answers.popitem(last=False)
        for wish in self._wishes.values():
            wish.configs.pop(key, None)


def _probe(config: RunConfig) -> Forecast:
    """With the teacher the run would have."""
    if config.teacher is None:
        return probe(config)
    return probe(config, teacher=teachers.find(Store().runs(), config).config)


def cost_key(config: RunConfig) -> str:
    """Configs that cost the same have the same key: the seed changes nothing."""
    return json.dumps({**config.to_dict(), "seed": 0})


@st.cache_resource(show_spinner=False)
def forecaster() -> Forecaster:
    return Forecaster()
