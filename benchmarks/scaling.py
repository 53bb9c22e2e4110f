"""How a MAML meta-step's time and memory grow with inner steps, tasks and ways: ours and a loop's.

    python -m benchmarks.scaling [--method fomaml] [--device cuda] [--rounds 3] [--json FILE]

One size grows at a time; the others stay at the base (5-way 1-shot, 15 queries, 5 inner steps,
16 tasks). Memory is what the steps need above the process's start.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.contestants import RIVALS, installed
from benchmarks.measure import (
    Conditions,
    ContestantError,
    Duel,
    duel,
    markdown,
    megabytes,
    milliseconds,
)
from benchmarks.report import circumstances, heading, save, say
from benchmarks.task import Setting

BASE = {"tasks": 16, "ways": 5, "shots": 1, "queries": 15, "inner_steps": 5, "inner_rate": 0.1}
AXES = {"inner_steps": (1, 2, 5, 10), "tasks": (4, 8, 16, 32, 64), "ways": (5, 10, 20)}
HEADER = ["grows", "to", "ours", "the loop", "times faster", "MB, ours", "MB, the loop"]


def main() -> None:
    arguments = _arguments()
    conditions = Conditions(
        device=arguments.device,
        threads=arguments.threads,
        seconds=arguments.seconds,
        rounds=arguments.rounds,
    )
    rival = next(name for name in RIVALS[arguments.method] if installed(name))
    about = circumstances(arguments.device, arguments.threads)
    duels = list(_duels(arguments, rival, conditions))
    print(heading(f"Growth of a meta-step: {arguments.method} beside {rival}", about))
    print("\n".join(markdown(HEADER, [_row(axis, found) for axis, found in duels])))
    save(arguments.json, about, [{"grows": axis, **found.to_dict()} for axis, found in duels])


def _duels(
    arguments: argparse.Namespace, rival: str, conditions: Conditions
) -> Iterator[tuple[str, Duel]]:
    """Every size along every axis; the base, which lies on all of them, is measured once."""
    base: Duel | None = None
    for axis in arguments.axes:
        for value in AXES[axis]:
            at_base = value == BASE[axis]
            setting = Setting(method=arguments.method, **{**BASE, axis: value})
            try:
                found = base if at_base and base else duel(setting, rival, conditions)
            except ContestantError as error:
                say(f"{error}\nThis row is left out.")
                continue
            base = found if at_base else base
            say(f"{axis} {value}: {found.ratio:.2f} x {rival}")
            yield axis, found


def _row(axis: str, found: Duel) -> list[str]:
    return [
        axis.replace("_", " "),
        str(getattr(found.setting, axis)),
        milliseconds(found.median(0, "seconds")),
        milliseconds(found.median(1, "seconds")),
        f"{found.ratio:.2f}",
        megabytes(found.median(0, "growth")),
        megabytes(found.median(1, "growth")),
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--method", choices=("maml", "fomaml"), default="maml")
    parser.add_argument("--axes", nargs="+", choices=list(AXES), default=list(AXES))
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="timed per process")
    parser.add_argument("--json", type=Path, help="also write every measurement to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
