"""Published numbers to stand beside our own, with the protocol each was measured by: published.csv.

Accuracies and their 95% intervals are fractions, as everywhere in Metacore; `ci95` is None where
the paper gives none. Independent reproductions differ by one to four points at 20 ways.
"""

import csv
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class PaperProtocol:
    """How a paper measured; 0 where it does not say."""

    meta_steps: int = 0
    tasks: int = 0  # of the test
    remark: str = ""

    @property
    def sentence(self) -> str:
        steps = f"{self.meta_steps:,} meta-steps" if self.meta_steps else ""
        tasks = f"{self.tasks:,} test tasks" if self.tasks else ""
        return "; ".join(filter(None, (steps, tasks, self.remark)))


@dataclass(frozen=True)
class Published:
    """One number of one paper."""

    method: str  # the algorithm's name here
    dataset: str
    ways: int
    shots: int
    value: float
    ci95: float | None
    protocol: PaperProtocol
    source: str
    norm: str = ""  # whose statistics normalised a query; "" where the paper does not say


@dataclass(frozen=True)
class PublishedCurve:
    """Mean squared errors after some numbers of inner steps."""

    method: str
    dataset: str
    shots: int
    mse: dict[int, float]
    protocol: PaperProtocol
    source: str


def _entry(row: dict[str, str]) -> Published:
    """A line of the table, in which accuracies are percentages."""
    return Published(
        method=row["method"],
        dataset=row["dataset"],
        ways=int(row["ways"]),
        shots=int(row["shots"]),
        value=round(float(row["percent"]) / 100, 6),
        ci95=round(float(row["ci95"]) / 100, 6) if row["ci95"] else None,
        protocol=PaperProtocol(int(row["meta_steps"] or 0), int(row["tasks"] or 0), row["remark"]),
        source=row["source"],
        norm=row["norm"],
    )


_TABLE = files("metacore.insight").joinpath("published.csv").read_text("utf-8")
PUBLISHED = [_entry(row) for row in csv.DictReader(_TABLE.splitlines())]

_MAML = "Finn, Abbeel, Levine 2017, arXiv:1703.03400"
_WAVES = PaperProtocol(
    tasks=600, remark="amplitude 0.1 to 5, phase 0 to pi, 5 points, inner rate 0.01"
)
PUBLISHED_CURVES = [
    PublishedCurve("maml", "sinusoid", 5, {1: 0.67, 5: 0.38, 10: 0.35}, _WAVES, _MAML),
    PublishedCurve("finetune", "sinusoid", 5, {1: 2.41, 5: 2.23, 10: 2.19}, _WAVES, _MAML),
]


def published(
    method: str, dataset: str, *, ways: int, shots: int, norm: str | None = None
) -> Published | None:
    """The paper's number for this task; `norm` picks among several, else the first is taken."""
    found = [
        entry
        for entry in PUBLISHED
        if (entry.method, entry.dataset, entry.ways, entry.shots) == (method, dataset, ways, shots)
    ]
    fitting = [entry for entry in found if norm is None or entry.norm == norm]
    return next(iter(fitting or found), None)


def published_curve(method: str, dataset: str) -> PublishedCurve | None:
    """The paper's errors after some steps of adapting to a curve."""
    named = (c for c in PUBLISHED_CURVES if (c.method, c.dataset) == (method, dataset))
    return next(named, None)
