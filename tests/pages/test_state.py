"""A page's view and its address: what comes in is believed as far as it makes sense."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

NAMES = ("count", "perhaps", "slid", "one", "list", "some", "on", "ticked", "typed")


def page() -> None:
    """A page with a widget of every kind, under the name it is on this run."""
    import streamlit as st

    from pages.ui import state, widgets

    with state.of(st.session_state.get("shown", "first")):
        help = "?"
        st.session_state["seen"] = {
            "count": widgets.number(st, "count", "count", usual=5, low=1, high=20, help=help),
            "perhaps": widgets.number_or_none(st, "perhaps", "perhaps", low=0, high=9, help=help),
            "slid": widgets.slider(st, "slid", "slid", usual=3, low=1, high=7, help=help),
            "one": widgets.switch(st, "one", "one", {"a": "Alpha", "b": "Beta"}, help=help),
            "list": widgets.select(st, "list", "list", ["x", "y"], usual="y", help=help),
            "some": widgets.several(
                st, "some", "some", ["p", "q", "r"], usual=["q"], most=2, help=help
            ),
            "on": widgets.toggle(st, "on", "on", help=help),
            "ticked": widgets.checkbox(st, "ticked", "ticked", usual=True, help=help),
            "typed": widgets.text(st, "typed", "typed", help=help),
        }


USUAL: dict[str, Any] = {
    **{"count": 5, "perhaps": None, "slid": 3, "one": "a", "list": "y", "some": ["q"]},
    **{"on": False, "ticked": True, "typed": ""},
}


def opened(**query: str | list[str]) -> AppTest:
    app = AppTest.from_function(page)
    for name, words in query.items():
        app.query_params[name] = words
    return app.run()


def seen(app: AppTest) -> dict[str, Any]:
    assert not app.exception
    return dict(app.session_state["seen"])


def test_without_an_address_all_is_as_usual() -> None:
    app = opened()
    assert seen(app) == USUAL
    assert not app.query_params
    assert not app.info


def test_an_address_is_followed() -> None:
    app = opened(count="7", perhaps="0", slid="2", one="b", list="x", some=["r", "p"], on="yes")
    shown = {"count": 7, "perhaps": 0, "slid": 2, "one": "b", "list": "x", "some": ["r", "p"]}
    assert seen(app) == {**USUAL, **shown, "on": True}
    assert not app.info


def test_a_change_goes_into_the_address_and_what_is_usual_leaves_it() -> None:
    app = opened(count="7")
    app.number_input[0].set_value(9).run()
    assert app.query_params["count"] == "9"
    app.number_input[0].set_value(5).run()
    assert "count" not in app.query_params
    app.multiselect[0].set_value([]).run()
    assert seen(app)["some"] == []
    assert seen(opened(some="none"))["some"] == []


def test_what_cannot_be_shown_is_said_once_and_forgotten_with_the_next_change() -> None:
    app = opened(count="ninety", slid="70")
    assert seen(app) == USUAL
    assert "count ninety: that is not a number" in app.info[0].value
    assert "it can be 1 to 7" in app.info[0].value
    assert len(app.run().info) == 1
    app.number_input[0].set_value(6).run()
    assert not app.info


def test_pages_do_not_share_what_is_chosen() -> None:
    app = opened(count="7")
    app.session_state["shown"] = "second"
    app.query_params.clear()
    assert seen(app.run())["count"] == 5


def test_another_address_of_the_same_page_is_another_view() -> None:
    """As after Back, or a link to the page that is shown."""
    app = opened(count="7", one="b")
    app.query_params["count"] = "8"
    del app.query_params["one"]
    assert seen(app.run()) == {**USUAL, "count": 8}


def test_an_address_that_is_behind_the_page_does_not_undo_a_change() -> None:
    """The browser may send a change before it has heard of the address of the last one."""
    app = opened(count="7")
    app.number_input[0].set_value(9).run()
    app.query_params["count"] = "7"
    app.slider[0].set_value(6)
    assert seen(app.run()) == {**USUAL, "count": 9, "slid": 6}


WORDS = st.one_of(
    st.text(max_size=12),
    st.integers().map(str),
    st.floats().map(str),
    st.sampled_from(["", "-1", "1e999", "٣", "none", "None", "yes", "b", "x", "p", "0x1", "1_0"]),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(NAMES), st.lists(WORDS, min_size=1, max_size=4)))
def test_no_address_is_too_strange(query: dict[str, list[str]]) -> None:
    shown = seen(opened(**query))
    assert 1 <= shown["count"] <= 20
    assert shown["perhaps"] is None or 0 <= shown["perhaps"] <= 9
    assert 1 <= shown["slid"] <= 7
    assert shown["one"] in "ab"
    assert shown["list"] in "xy"
    assert set(shown["some"]) <= {"p", "q", "r"}
    assert len(shown["some"]) <= 2
    assert shown["on"] in (True, False)
    assert shown["ticked"] in (True, False)
    assert len(shown["typed"]) <= 200


def test_a_widget_that_a_browser_has_not_heard_of_starts_as_the_view_says() -> None:
    """Where a click ends a run early, the next run's widgets show their own defaults."""
    app = opened(count="7", one="b", list="x", some=["r"], on="yes", ticked="no", typed="words")
    (count, _), (slid,) = app.number_input, app.slider
    assert (count.proto.default, list(slid.proto.default)) == (7, [3])
    assert (app.toggle[0].proto.default, app.checkbox[0].proto.default) == (True, False)
    assert app.text_input[0].proto.default == "words"
    assert app.selectbox[0].proto.default == 0
    assert list(app.multiselect[0].proto.default) == [2]
    assert list(app.button_group[0].proto.default) == [1]
