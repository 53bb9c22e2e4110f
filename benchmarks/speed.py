"""How fast a meta-step is beside the loops of other libraries: ratios, measured in one run.

    python -m benchmarks.speed [--methods maml protonet] [--device cuda] [--rounds 5] [--json FILE]
    python -m benchmarks.speed --photographs     # 84 x 84 in colour: the time, and the memory

Each contestant at each setting runs in a process of its own, ours and the rival's in turn.
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

PAPER = {"tasks": 32, "ways": 5, "shots": 1, "queries": 1, "inner_steps": 1, "inner_rate": 0.4}
LONG = {"tasks": 16, "ways": 5, "shots": 1, "queries": 15, "inner_steps": 5, "inner_rate": 0.1}
EPISODE = {"method": "protonet", "tasks": 1}
SETTINGS = [
    Setting(method="maml", **PAPER),
    Setting(method="maml", **LONG),
    Setting(method="fomaml", **PAPER),
    Setting(method="fomaml", **LONG),
    Setting(**EPISODE, ways=60, shots=1, queries=5),
    Setting(**EPISODE, ways=5, shots=5, queries=15),
    Setting(
        method="reptile",
        tasks=5,
        ways=5,
        shots=10,
        queries=1,
        inner_steps=5,
        inner_batch=10,
        inner_rate=1e-3,
        outer_rate=1.0,
    ),
]
PHOTOGRAPHS = [  # as MAML's miniImageNet: 4 tasks of 15 queries, 5 steps, 32 filters and pooling
    Setting(
        method="maml",
        **{**LONG, "tasks": 4, "inner_rate": 0.01},
        model="conv4-pool",
        width=32,
        channels=3,
        side=84,
    )
]
TITLES = {
    "maml": "MAML",
    "fomaml": "First-order MAML",
    "protonet": "ProtoNet, sampling included",
    "reptile": "Reptile",
}
TARGETS = {"maml": 1.8, "fomaml": 1.8, "protonet": 2.0, "reptile": 2.0}  # on a CPU
TARGET_ON_A_GPU = 10.0
HEADER = [
    "method",
    "setting",
    "beside",
    "ours",
    "theirs",
    "times faster (range)",
    "target",
    "peak MB, ours / theirs",
    "of it for the step",
]


def main() -> None:
    arguments = _arguments()
    conditions = Conditions(
        device=arguments.device,
        threads=arguments.threads,
        seconds=arguments.seconds,
        rounds=arguments.rounds,
        same_allocator=arguments.same_allocator,
    )
    about = circumstances(arguments.device, arguments.threads)
    duels = list(_duels(arguments, conditions))
    print(heading("Speed of a meta-step", about))
    print("\n".join(markdown(HEADER, [_row(duel, arguments.device) for duel in duels])))
    save(arguments.json, about, [duel.to_dict() for duel in duels])


def _duels(arguments: argparse.Namespace, conditions: Conditions) -> Iterator[Duel]:
    """Every setting against its rivals; one that fails costs its own row only."""
    for setting in PHOTOGRAPHS if arguments.photographs else SETTINGS:
        if setting.method not in arguments.methods:
            continue
        if not setting.photographs:
            setting = Setting(**{**vars(setting), "model": arguments.model})
        for rival in _rivals(setting.method, arguments.all_rivals):
            try:
                found = duel(setting, rival, conditions)
            except ContestantError as error:
                say(f"{error}\nThis row is left out.")
                continue
            say(f"{setting.method}, {setting.title}: {found.ratio:.2f} x {rival}")
            _check_losses(found)
            yield found


def _rivals(method: str, everyone: bool) -> list[str]:
    """The first of a method's rivals that is installed, or all that are."""
    present = [rival for rival in RIVALS[method] if installed(rival)]
    for rival in RIVALS[method]:
        if rival not in present:
            say(f"{rival} is not installed (pip install 'metacore[bench]'): not raced at {method}.")
    return present if everyone else present[:1]


def _check_losses(found: Duel) -> None:
    """MAML's contestants see the same episodes, so they must compute the same numbers."""
    if found.setting.method in ("maml", "fomaml") and not found.same_losses:
        ours, theirs = found.pairs[0]
        say(f"  the losses differ: {ours.losses} and {theirs.losses}")


def _row(found: Duel, device: str) -> list[str]:
    ratios, setting = found.ratios, found.setting
    target = TARGET_ON_A_GPU if device.startswith("cuda") else TARGETS[setting.method]
    peak = " / ".join(megabytes(found.median(side, "peak")) for side in (0, 1))
    growth = " / ".join(megabytes(found.median(side, "growth")) for side in (0, 1))
    return [
        TITLES[setting.method],
        setting.title,
        found.rival,
        milliseconds(found.median(0, "seconds")),
        milliseconds(found.median(1, "seconds")),
        f"**{found.ratio:.2f}** ({min(ratios):.2f} to {max(ratios):.2f})",
        f"{target:g}",
        peak,
        growth,
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--methods", nargs="+", choices=sorted(TITLES), default=sorted(TITLES))
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6.0, help="timed per process")
    parser.add_argument("--model", default="conv4", choices=("conv4", "conv4-pool"))
    parser.add_argument(
        "--photographs", action="store_true", help="race on 84 x 84 colour pictures instead"
    )
    parser.add_argument("--all-rivals", action="store_true", help="not only the first installed")
    parser.add_argument(
        "--same-allocator",
        action="store_true",
        help="tell the C allocator to keep freed memory for the rivals too, as Metacore does",
    )
    parser.add_argument("--json", type=Path, help="also write every measurement to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
