"""What every run answers to one query: a card per run, its bars moving as the pen does.

A component of our own, so that a new answer changes the cards in place. Nothing comes back.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pages.ui.component import component, rounded, with_id

_mount = component(__file__)


@dataclass(frozen=True, kw_only=True)
class Card:
    """One run: [S+1] is after every inner step, N are the classes."""

    run: str  # its id
    name: str
    color: str
    steps: Sequence[int] = ()  # after which inner steps [S+1]
    support_loss: Sequence[float] = ()  # [S+1]
    probabilities: Sequence[Sequence[float]] = ()  # [S+1][N]; none while there is no query
    distances: Sequence[float] = ()  # [N], of methods that measure them
    note: str = ""
    reason: str = ""  # the address of the picture it goes by


def answers(cards: Sequence[Card], classes: Sequence[tuple[str, str]], *, key: str) -> None:
    """`classes` are names and colours."""
    data: dict[str, Any] = {
        "cards": [rounded(asdict(card)) for card in cards],
        "classes": [{"name": name, "color": color} for name, color in classes],
    }
    _mount(data=with_id(data), key=key)
