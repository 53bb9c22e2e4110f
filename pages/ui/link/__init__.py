"""“Copy link”: the address of exactly this view, film step and all, made in the browser."""

from pages.ui import state
from pages.ui.component import component

_mount = component(__file__)


def button() -> None:
    """Knows the whole view: it is filled in after the page has been drawn."""
    _mount(data={"exact": state.exact()}, key="copy link")
