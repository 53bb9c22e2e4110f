"""Starts contestants one after the other, in turn, and puts their measurements side by side.

A B A B: each round runs both, so that a machine that slows down slows both, and the ratio is taken
within a round. What is reported is the median ratio and its range over the rounds.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.task import Setting

ROOT = Path(__file__).resolve().parent.parent
MEGABYTE = 2**20
AGREEMENT = (1e-4, 1e-2, 1e-2)  # relative, of the first losses


class ContestantError(Exception):
    """A contestant's process ended without a measurement; carries what it said."""


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """What holds for every measurement of a table."""

    device: str
    threads: int
    seconds: float
    rounds: int
    same_allocator: bool = False


@dataclass(frozen=True)
class Measurement:
    seconds: float  # median of a meta-step
    steps: int
    losses: list[float]  # of the first meta-steps
    peak: int  # bytes, of the whole process or of the GPU
    growth: int  # bytes above what was there before the first meta-step


@dataclass(frozen=True)
class Duel:
    """Ours and a rival's measurements at one setting, a pair per round."""

    setting: Setting
    rival: str
    pairs: list[tuple[Measurement, Measurement]]

    @property
    def ratios(self) -> list[float]:
        """How many times faster we are, round by round."""
        return [theirs.seconds / ours.seconds for ours, theirs in self.pairs]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    def median(self, side: int, name: str) -> float:
        """The median over rounds of a measurement, ours (0) or the rival's (1)."""
        return statistics.median(getattr(pair[side], name) for pair in self.pairs)

    @property
    def same_losses(self) -> bool:
        """Whether both computed the same: the first loss closely, those after outer steps roughly.

        Adam's first steps have the size of the rate whatever the gradient's, so rounding grows.
        """
        ours, theirs = self.pairs[0]
        return all(
            abs(a - b) <= allowed * abs(b)
            for a, b, allowed in zip(ours.losses, theirs.losses, AGREEMENT, strict=True)
        )

    def to_dict(self) -> dict:
        return {
            **asdict(self),
            "ratio": self.ratio,
            "range": [min(self.ratios), max(self.ratios)],
        }


def duel(setting: Setting, rival: str, conditions: Conditions) -> Duel:
    pairs = [
        (measure(setting, "metacore", conditions), measure(setting, rival, conditions))
        for _ in range(conditions.rounds)
    ]
    return Duel(setting, rival, pairs)


def measure(setting: Setting, who: str, conditions: Conditions) -> Measurement:
    """One contestant in a fresh process."""
    job = {"setting": asdict(setting), "who": who, **asdict(conditions)}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.worker", json.dumps(job)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": str(conditions.threads)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise ContestantError(f"{who} failed at {setting.title}:\n{done.stderr}")
    return Measurement(**json.loads(done.stdout.splitlines()[-1]))


def markdown(header: list[str], rows: list[list[str]]) -> Iterator[str]:
    yield "| " + " | ".join(header) + " |"
    yield "|" + " --- |" * len(header)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.2f} s"


def megabytes(size: float) -> str:
    return f"{size / MEGABYTE:.0f}"
