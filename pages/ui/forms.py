"""Widgets made from settings: a config becomes a form, and the form a config.

What a person has changed is remembered under the config's key and the field's default, so that a
form that is closed, or a page that is left, keeps it, and another preset starts anew.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from metacore.home import shared
from metacore.settings import Config, Setting, settings_of
from pages.ui import words

AnyConfig = TypeVar("AnyConfig", bound=Config)
LARGEST = 2**53 - 1  # whole numbers a browser can hold


def fields(
    config: Config,
    *,
    key: str,
    columns: int = 2,
    only: Sequence[str] = (),
    runs: Mapping[str, str] | None = None,
) -> None:
    """A widget for every setting, or some; `remembered` says what they hold.

    `runs` are those that a setting may name, and what they are called.
    """
    shown = [setting for setting in settings_of(config) if not only or setting.name in only]
    if not shown:
        return
    places = st.columns(columns)
    for number, setting in enumerate(shown):
        with places[number % columns]:
            value, name = getattr(config, setting.name), _name(key, config, setting)
            if setting.run and runs is not None:
                _which_run(setting, value, runs, key=name)
            else:
                field(setting, value, key=name)


def field(setting: Setting, default: Any, *, key: str, **more: Any) -> Any:
    """The widget that fits the setting's type and choices."""
    common = {"help": setting.help, "key": key, "persist_state": "session", **more}
    if setting.type is bool:
        return st.toggle(setting.label, default, **common)
    if setting.choices:
        index = setting.choices.index(default)
        return st.selectbox(setting.label, setting.choices, index, **common)
    if setting.type in (int, float):
        return st.number_input(setting.label, value=default, **_bounds(setting), **common)
    where = None
    if setting.path:
        where = "the name of what was added" if shared() else "a path on this server's computer"
    return st.text_input(setting.label, default, placeholder=where, **common)


def _which_run(setting: Setting, default: str, runs: Mapping[str, str], *, key: str) -> None:
    """A choice among runs; one that is named but is not among them stays, to be refused."""
    asked = st.session_state.get(key, default)
    called = {"": "the best there is", **runs, **({} if asked in ("", *runs) else {asked: asked})}
    st.selectbox(
        setting.label,
        [*called],
        [*called].index(default),
        format_func=lambda name: words.clean(called[name]),
        key=key,
        persist_state="session",
        help=setting.help,
    )


def remembered(config: AnyConfig, *, key: str) -> AnyConfig:
    """The config with what was changed in its form; raises UserError for what makes no sense."""
    return replace(config, **changes(config, key=key))


def changes(config: Config, *, key: str) -> dict[str, Any]:
    """The settings whose value in the form is not the config's."""
    found = {}
    for setting in settings_of(config):
        default = getattr(config, setting.name)
        value = st.session_state.get(_name(key, config, setting), default)
        if value != default and value is not None:
            found[setting.name] = value
    return found


def forget(config: Config, *, key: str) -> None:
    """Back to the config's own values."""
    for setting in settings_of(config):
        st.session_state.pop(_name(key, config, setting), None)


def take(config: Config, name: str, text: str, *, key: str) -> None:
    """Changes one setting to what is written; raises ValueError for what is no such setting."""
    setting = next((each for each in settings_of(config) if each.name == name), None)
    if setting is None:
        raise ValueError(f"there is no setting {name}.")
    st.session_state[_name(key, config, setting)] = _read(setting, text)


def _read(setting: Setting, text: str) -> Any:
    if setting.type is bool:
        if text not in ("True", "False"):
            raise ValueError(f"{setting.label} is True or False.")
        return text == "True"
    if setting.choices:
        if text not in setting.choices:
            raise ValueError(f"{setting.label} is one of {', '.join(setting.choices)}.")
        return text
    if setting.type not in (int, float):
        return text
    try:
        found = setting.type(text)
    except ValueError:
        raise ValueError(f"{setting.label} is a number.") from None
    if not math.isfinite(found):
        raise ValueError(f"{setting.label} is a finite number.")
    bounds = _bounds(setting)
    low, high = bounds["min_value"], bounds["max_value"]
    if (low is not None and found < low) or (high is not None and found > high):
        raise ValueError(f"{setting.label} cannot be {text}.")
    return found


def _name(key: str, config: Config, setting: Setting) -> str:
    return f"{key} {setting.name} {getattr(config, setting.name)}"


def _bounds(setting: Setting) -> dict[str, Any]:
    """What a number widget may hold, all of one type; its arrows add the setting's step."""
    if setting.type is int:
        low = -LARGEST if setting.low is None else int(setting.low)
        high = LARGEST if setting.high is None else int(setting.high)
        return {"min_value": low, "max_value": high, "step": int(setting.step or 1)}
    low_high = {"min_value": setting.low, "max_value": setting.high}
    given = {name: None if bound is None else float(bound) for name, bound in low_high.items()}
    return {**given, "step": float(setting.step or 0.1), "format": "%g"}
