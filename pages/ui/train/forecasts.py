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
from uuid import uuid4

import streamlit as st

from metacore import RunConfig, UserError
from metacore.insight.forecast import Forecast
from metacore.insight.probe import probe
from pages.ui import say, words

SETTLE_SECONDS = 0.7  # a number that is still being clicked up is not worth a measurement
ABSENT_SECONDS = 6.0  # a page that has not asked for so long has been left
KEPT = 200
LOOK_SECONDS = 1.0
Answer = Forecast | UserError


@dataclass
class Wish:
    """What one session would like to know."""

    configs: dict[str, RunConfig]
    changed: float
    asked: float


class Forecaster:
    """Measures what sessions ask for, each thing once."""

    def __init__(self, measure: Callable[[RunConfig], Forecast] = probe) -> None:
        self._measure = measure
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


def cost_key(config: RunConfig) -> str:
    """Configs that cost the same have the same key: the seed changes nothing."""
    return json.dumps({**config.to_dict(), "seed": 0})


@st.cache_resource(show_spinner=False)
def forecaster() -> Forecaster:
    return Forecaster()


# --- on the page -------------------------------------------------------------------------------


def card(configs: Sequence[RunConfig]) -> None:
    """What these runs will take: measured in the background, shown when it is there."""
    waiting = None in _known(configs)
    st.fragment(_card, run_every=LOOK_SECONDS if waiting else None)(configs, waiting)


def _known(configs: Sequence[RunConfig]) -> list[Answer | None]:
    visitor = st.session_state.setdefault("visitor", uuid4().hex)
    return forecaster().ask(visitor, configs)


def _card(configs: Sequence[RunConfig], waiting: bool) -> None:
    answers = _known(configs)
    if waiting and None not in answers:
        st.rerun()
    st.markdown("**Forecast**", help="Measured by a few real meta-steps on this device.")
    if None in answers:
        done = sum(answer is not None for answer in answers)
        which = f" ({done + 1} of {len(answers)})" if len(answers) > 1 else ""
        st.caption(f":material/hourglass_top: Measuring a few steps on this device{which}…")
    found = [answer for answer in answers if isinstance(answer, Forecast)]
    for config, answer in zip(configs, answers, strict=True):
        _line(config, answer, alone=len(configs) == 1)
    if found:
        _sums(found, len(configs))
    _advice(configs, answers)
    if None not in answers:
        st.button(
            "Measure again",
            key="measure again",
            type="tertiary",
            icon=":material/refresh:",
            help="Other work on this computer makes a measurement slower.",
            on_click=forecaster().forget,
            args=(configs,),
        )


def _line(config: RunConfig, answer: Answer | None, *, alone: bool) -> None:
    """One run: how long, how many steps."""
    if not isinstance(answer, Forecast):
        return
    name = "" if alone else f"{config.algorithm_class.title}: "
    if answer.seconds:
        st.markdown(f"{name}**{words.duration(answer.seconds)}**{_steps(config, answer)}")


def _steps(config: RunConfig, found: Forecast) -> str:
    """How many meta-steps: known where they are the budget, else what fits into the time."""
    if not found.iterations:
        return ": nothing to train, only its test"
    count = f"about {words.count(_rounded(found.iterations))}"
    if not config.training.seconds:
        count = words.count(found.iterations)
    each = words.brief(found.step_seconds)
    steps = "meta-step" if found.iterations == 1 else "meta-steps"
    return f" · {count} {steps} of {each}"


def _rounded(count: int) -> int:
    """To two digits: a forecast knows no more."""
    unit = 10 ** max(0, len(str(count)) - 2)
    return round(count / unit) * unit


def _sums(found: Sequence[Forecast], runs: int) -> None:
    """All runs, one after the other on their device; the largest memory of any."""
    if runs > 1 and len(found) == runs:
        total = sum(answer.seconds for answer in found)
        st.markdown(f"One after the other: **{words.duration(total)}**")
    largest = max(found, key=lambda answer: answer.memory)
    share = min(1.0, largest.memory / max(1, largest.available))
    st.progress(
        share,
        f"**{words.size(largest.memory)}** of memory, {words.size(largest.available)} are free",
    )
    if runs == 1 and largest.parameters:
        st.caption(f"{words.count(largest.parameters)} numbers are learned")


def _advice(configs: Sequence[RunConfig], answers: Sequence[Answer | None]) -> None:
    for config, answer in zip(configs, answers, strict=True):
        name = "" if len(configs) == 1 else f"{config.algorithm_class.title}: "
        if isinstance(answer, UserError):
            say.warning(f"{name}{answer}", icon=":material/speed:")
        elif answer is not None:
            show = st.warning if answer.fits else st.error
            for sentence in answer.advice:
                show(f"{name}{sentence}", icon=":material/lightbulb:")
