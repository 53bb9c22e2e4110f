"""How near queries are to what answers them, as numbers: what the picture of it is drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass

from pages.ui.figures.cloud import Array


@dataclass(frozen=True)
class Matrix:
    """A number for every row (prototype or support drawing) and every query."""

    values: Array  # [R, Q]
    unit: str
    rows: Sequence[str]
    columns: Sequence[str]
    row_of_answer: Sequence[int] | None  # where each query's dot is put; None: no dots
    wrong: Sequence[int]
    near_is_small: bool  # distances are; attention is not
