"""Published numbers to stand beside our own, with the protocol each was measured by.

Accuracies and their 95% intervals are fractions, as everywhere in Metacore; `ci95` is None where
the paper gives none. Independent reproductions differ by one to four points at 20 ways.
"""

from dataclasses import dataclass

_MAML = "Finn, Abbeel, Levine 2017, arXiv:1703.03400"
_REPTILE = "Nichol, Achiam, Schulman 2018, arXiv:1803.02999"
_PROTONET = "Snell, Swersky, Zemel 2017, arXiv:1703.05175"
_MATCHING = "Vinyals et al. 2016, arXiv:1606.04080"
_ANIL = "Raghu, Raghu, Bengio, Vinyals 2020, arXiv:1909.09157"


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


def _omniglot(
    method: str,
    numbers: dict[tuple[int, int], tuple[float, float | None]],
    protocol: PaperProtocol | dict[int, PaperProtocol],
    source: str,
    norm: str = "",
) -> list[Published]:
    """Entries from percentages by (ways, shots); a protocol may depend on the ways."""
    return [
        Published(
            method,
            "omniglot",
            ways,
            shots,
            round(mean / 100, 6),
            None if ci is None else round(ci / 100, 6),
            protocol[ways] if isinstance(protocol, dict) else protocol,
            source,
            norm,
        )
        for (ways, shots), (mean, ci) in numbers.items()
    ]


PUBLISHED: list[Published] = [
    *_omniglot(
        "maml",
        {(5, 1): (98.7, 0.4), (5, 5): (99.9, 0.1), (20, 1): (95.8, 0.3), (20, 5): (98.9, 0.2)},
        PaperProtocol(60_000, 600),
        _MAML,
        "transductive",
    ),
    *_omniglot(
        "fomaml",
        {(5, 1): (98.3, 0.5), (5, 5): (99.2, 0.2), (20, 1): (89.4, 0.5), (20, 5): (97.9, 0.1)},
        PaperProtocol(remark="as in the comparison of the Reptile paper"),
        _REPTILE,
        "transductive",
    ),
    *_omniglot(
        "reptile",
        {
            (5, 1): (95.39, 0.09),
            (5, 5): (98.90, 0.10),
            (20, 1): (88.14, 0.15),
            (20, 5): (96.65, 0.33),
        },
        {5: PaperProtocol(100_000, 10_000), 20: PaperProtocol(200_000, 10_000)},
        _REPTILE,
        "support+query",
    ),
    *_omniglot(
        "reptile",
        {
            (5, 1): (97.68, 0.04),
            (5, 5): (99.48, 0.06),
            (20, 1): (89.43, 0.14),
            (20, 5): (97.12, 0.32),
        },
        {5: PaperProtocol(100_000, 10_000), 20: PaperProtocol(200_000, 10_000)},
        _REPTILE,
        "transductive",
    ),
    *_omniglot(
        "protonet",
        {(5, 1): (98.8, None), (5, 5): (99.7, None), (20, 1): (96.0, None), (20, 5): (98.9, None)},
        PaperProtocol(tasks=1000, remark="trained on 60 ways"),
        _PROTONET,
    ),
    *_omniglot(
        "matching",
        {(5, 1): (98.1, None), (5, 5): (98.9, None), (20, 1): (93.8, None), (20, 5): (98.5, None)},
        PaperProtocol(remark="the better of its variants, not fine-tuned"),
        _MATCHING,
    ),
    *_omniglot(
        "anil",
        {(20, 1): (96.2, 0.5), (20, 5): (98.0, 0.3)},
        PaperProtocol(remark="MAML's protocol"),
        _ANIL,
        "transductive",
    ),
]

_WAVES = PaperProtocol(
    tasks=600, remark="amplitude 0.1 to 5, phase 0 to pi, 5 points, inner rate 0.01"
)
PUBLISHED_CURVES: list[PublishedCurve] = [
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
