"""A visitor without a browser: speaks the dashboard's own protocol over its websocket.

It opens pages, changes controls and polls fragments as a browser would, and knows how long the
server took from the wish to the last message of the answer. What a browser then needs to draw is
not in these numbers.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect
from websockets.typing import Subprotocol

EARLY = ForwardMsg.ScriptFinishedStatus.Value("FINISHED_EARLY_FOR_RERUN")
CONTROLS = ("number_input", "selectbox", "slider", "checkbox", "button_group", "radio")
PATIENCE = 120.0
SOON = 0.6  # seconds: a fragment that looks again so soon waits for what was asked for


@dataclass
class Control:
    """Something on a page that can be changed, and the fragment it belongs to."""

    kind: str
    element: Any
    fragment: str

    @property
    def name(self) -> str:
        return f"{self.element.label or self.element.id.rpartition('-')[2]} ({self.kind})"


@dataclass
class Visitor:
    """One tab of one browser."""

    address: str  # http://127.0.0.1:8501
    page: str = ""
    query: str = ""
    script: str = ""  # the page as the server names it
    controls: dict[str, Control] = field(default_factory=dict)
    polls: dict[str, float] = field(default_factory=dict)  # fragment -> every how many seconds
    values: dict[str, Any] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        place = self.address.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket = connect(place, max_size=None, subprotocols=[Subprotocol("streamlit")])
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def open(self, page: str, query: str = "") -> float:
        """Seconds until the page was whole."""
        self.page, self.query, self.script = page, query, ""
        self.controls, self.values, self.polls = {}, {}, {}
        return self._rerun()

    def poll(self, fragment: str) -> float:
        return self._rerun(fragment, auto=True)

    def change(self, control: Control, value: Any) -> float:
        """Sets a control, as a hand would; seconds until the page had followed."""
        self.values[control.element.id] = value
        return self._rerun(control.fragment)

    def awaited(self) -> float:
        """Looks again, as the page asks to, until what was asked for is there; seconds."""
        start = time.monotonic()
        while soon := {name: every for name, every in self.polls.items() if every < SOON}:
            if time.monotonic() - start > PATIENCE:
                raise TimeoutError(f"{self.page} still waits after {PATIENCE:.0f} s")
            time.sleep(min(soon.values()))
            for name in soon:
                if name in self.polls:
                    self.poll(name)
        return time.monotonic() - start

    def _rerun(self, fragment: str = "", auto: bool = False) -> float:
        self._drawn_anew = fragment
        wish = BackMsg()
        state = wish.rerun_script
        state.page_name, state.query_string = self.page, self.query
        state.page_script_hash = self.script
        state.fragment_id, state.is_auto_rerun = fragment, auto
        for name, value in self.values.items():
            _set(state.widget_states.widgets.add(id=name), value)
        start = time.perf_counter()
        self._socket.send(wish.SerializeToString())
        self._listen()
        return time.perf_counter() - start

    def _listen(self) -> None:
        """Takes in messages up to the end of the script's run."""
        deadline = time.monotonic() + PATIENCE
        while True:
            data = self._socket.recv(timeout=max(0.1, deadline - time.monotonic()))
            message = ForwardMsg()
            message.ParseFromString(data)  # type: ignore[arg-type]
            if message.WhichOneof("type") == "script_finished":
                if message.script_finished != EARLY:
                    return
            else:
                self._take(message)

    def _forget(self, fragment: str) -> None:
        """What is about to be drawn anew: one fragment, or the whole page."""
        for name, control in [*self.controls.items()]:
            if fragment in ("", control.fragment):
                del self.controls[name]

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.script = message.new_session.page_script_hash
        if kind == "navigation":
            self.script = message.navigation.page_script_hash
        if kind == "new_session":
            if not self._drawn_anew:
                self.polls.clear()  # what a whole page polls it says anew
            self._forget(self._drawn_anew)
            self._drawn_anew = ""  # a second one in the same answer is a rerun of the whole page
        if kind == "auto_rerun":
            self.polls[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        if kind != "delta" or message.delta.WhichOneof("type") != "new_element":
            return
        element = message.delta.new_element
        what = element.WhichOneof("type")
        if what == "exception":
            self.errors.append(element.exception.message)
        if what in CONTROLS:
            found = getattr(element, what)
            self.controls[found.id] = Control(what, found, message.delta.fragment_id)


def other_values(control: Control) -> Iterator[Any]:
    """A value or two this control does not have now."""
    element = control.element
    if element.disabled or element.form_id:
        return
    if control.kind == "number_input":
        step = element.step or 1.0
        yield element.default + (step if element.default + step <= element.max else -step)
    elif control.kind == "slider":
        low, high, now = element.min, element.max, list(element.default)
        yield [low if now[0] != low else min(high, low + (element.step or 1))]
    elif control.kind == "checkbox":
        yield not element.default
    elif control.kind in ("selectbox", "radio"):
        usual = element.options[element.default] if element.options else ""
        yield from [option for option in element.options if option != usual][:2]
    elif control.kind == "button_group":
        usual = {element.options[number].content for number in element.default}
        others = [option.content for option in element.options if option.content not in usual]
        yield from [[option] for option in others[:2]]


def _set(state: Any, value: Any) -> None:
    """Under the name Streamlit gives to values of this kind."""
    if isinstance(value, bool):
        state.bool_value = value
    elif isinstance(value, int | float):
        state.double_value = value
    elif isinstance(value, str):
        state.string_value = value
    elif value and isinstance(value[0], str):
        state.string_array_value.data.extend(value)
    else:
        state.double_array_value.data.extend(value)
