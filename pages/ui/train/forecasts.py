"""What trainings will take, as a card beside the form: shown when it has been measured."""

from collections.abc import Sequence
from uuid import uuid4

import streamlit as st

from metacore import RunConfig, UserError
from metacore.insight.forecast import Forecast
from pages.ui import say, words
from pages.ui.train.forecaster import Answer, forecaster

LOOK_SECONDS = 1.0


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
    if isinstance(answer, Forecast) and answer.seconds:
        name = "" if alone else f"{config.algorithm_class.title}: "
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
