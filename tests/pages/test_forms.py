"""Forms made from configs: a widget per setting, remembered, checked, and undone."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from metacore import ALGORITHMS, DATASETS, MODELS, TrainingConfig, UserError
from metacore.settings import Config, settings_of
from pages.ui import forms

CONFIGS: list[Config] = [
    *(kind.Config() for kind in (*ALGORITHMS.values(), *DATASETS.values())),
    *(kind() for kind in MODELS.values()),
    TrainingConfig(),
]


def page(config: Config) -> AppTest:
    def script(config):  # type: ignore[no-untyped-def]
        import streamlit as st

        from pages.ui import forms

        if st.checkbox("shown", True):
            forms.fields(config, key="form")
        st.button("forget", on_click=lambda: forms.forget(config, key="form"))
        st.session_state["changed"] = forms.changes(config, key="form")

    return AppTest.from_function(script, args=(config,), default_timeout=60).run()


def widgets(app: AppTest) -> list[Any]:
    kinds = (app.number_input, app.selectbox, app.toggle, app.text_input)
    return [widget for kind in kinds for widget in kind]


def widget(app: AppTest, label: str) -> Any:
    return next(found for found in widgets(app) if found.label == label)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_every_setting_has_a_widget_with_its_default_and_help(config: Config) -> None:
    app = page(config)
    assert not app.exception
    assert len(widgets(app)) == len(settings_of(config))
    for setting in settings_of(config):
        made = widget(app, setting.label)
        assert made.value == getattr(config, setting.name)
        assert made.help == setting.help
    assert app.session_state["changed"] == {}


def test_bounds_and_steps_are_the_settings() -> None:
    made = widget(page(TrainingConfig()), "Outer learning rate")
    assert (made.min, made.max, made.step) == (1e-6, 10, 1e-4)


def test_what_was_changed_is_remembered_while_it_is_hidden() -> None:
    app = page(TrainingConfig())
    widget(app, "Tasks").set_value(9).run()
    widget(app, "Optimiser").set_value("sgd").run()
    app.checkbox[0].uncheck().run()
    assert app.session_state["changed"] == {"tasks": 9, "optimiser": "sgd"}
    app.checkbox[0].check().run()
    assert widget(app, "Tasks").value == 9


def test_changes_can_be_undone() -> None:
    app = page(TrainingConfig())
    widget(app, "Tasks").set_value(9).run()
    app.button[0].click().run()
    assert app.session_state["changed"] == {}
    assert widget(app, "Tasks").value == TrainingConfig().tasks


def test_a_number_out_of_range_becomes_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    config = TrainingConfig()
    state = {f"form tasks {config.tasks}": 10**9}
    monkeypatch.setattr("streamlit.session_state", state)
    with pytest.raises(UserError, match="tasks must be between 1 and 512"):
        forms.remembered(config, key="form")
