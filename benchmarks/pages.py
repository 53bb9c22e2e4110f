"""How fast pages answer while a training runs beside them, to one visitor and to thirty.

    python -m benchmarks.pages [--visitors 30] [--seconds 90] [--stay 100]

Starts a server of its own with a home of its own, trains MAML on glyphs in it, opens every page,
changes each of its controls, lets thirty visitors walk over all pages and change what they find,
lets thirty watch the live run, and counts the server's memory after a hundred. Times are the
server's: from the wish to the last message of the script's answer, and to the moment at which no
bar stands for what was asked for (a hundred other episodes, which fill in later, apart).
"""

import argparse
import contextlib
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

import metacore as mc
from benchmarks.report import circumstances, heading
from benchmarks.visitor import Control, Visitor, other_values
from metacore.runs.jobs import cancel, submit
from tests.browser.serving import serving

PAGES = ("", "train", "adapt", "prototypes", "compare", "trial", "runs")
VISITORS = 30
STAY = 100
WATCH_SECONDS, CROWD_SECONDS = 30.0, 90.0
THINKING = 4.0  # seconds between two changes of one visitor
CHANGES = 6  # of a page, before the next is opened
HELPER = "metacore.answers"


def training(store: mc.Store) -> mc.Run:
    """A run that lasts longer than the measurement."""
    config = mc.preset("maml", "glyphs", "good")
    return submit(
        store, config.replace(training=replace(config.training, iterations=0, seconds=3600.0))
    )


def opened(address: str) -> None:
    print("\n| page | first visit | again |\n|---|---:|---:|")
    for page in PAGES:
        times = []
        for _ in range(4):
            with Visitor(address) as visitor:
                times.append(visitor.open(page))
                _complain(page, visitor)
        again = statistics.median(times[1:])
        print(
            f"| {page or 'start'} | {1000 * times[0]:.0f} ms | {1000 * again:.0f} ms |", flush=True
        )


@dataclass(frozen=True)
class Change:
    """One control of one page, set to another value."""

    name: str
    ended: float  # seconds until the script had run
    there: float  # and until what was asked for was on the page


def touched(address: str) -> list[Change]:
    """Every control of every page changed and changed back, by one visitor."""
    everything: list[Change] = []
    _head("page", "changes")
    for page in PAGES:
        with Visitor(address) as visitor:
            visitor.open(page)
            visitor.awaited()
            changes = [change for _ in range(2) for change in _touch_all(visitor)]
            _complain(page, visitor)
        everything += changes
        _row(page or "start", changes)
    _row("**all**", everything)
    return everything


def _touch_all(visitor: Visitor) -> Iterator[Change]:
    for name in [*visitor.controls]:
        control = visitor.controls.get(name)
        for value in other_values(control) if control else ():
            if name not in visitor.controls:
                break  # the last change has taken the control away
            yield _change(visitor, visitor.controls[name], value)
        visitor.values.pop(name, None)


def _change(visitor: Visitor, control: Control, value: Any) -> Change:
    ended = visitor.change(control, value)
    return Change(f"{visitor.page}: {control.name}", ended, ended + visitor.awaited())


def _head(first: str, second: str) -> None:
    print(
        f"\n| {first} | {second} | script: p50 | p95 | slowest | content: p50 | p95 | slowest | |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---|")


def _row(name: str, changes: Sequence[Change]) -> None:
    if not changes:
        return
    cells = []
    for times in ([one.ended for one in changes], [one.there for one in changes]):
        numbers = statistics.median(times), _p95(times), max(times)
        cells += [f"{1000 * number:.0f} ms" for number in numbers]
    slowest = max(changes, key=lambda one: one.there).name
    print(f"| {name} | {len(changes)} | {' | '.join(cells)} | {slowest} |", flush=True)


def crowded(address: str, visitors: int, seconds: float) -> None:
    """Many visitors who each walk over all pages and change their controls, thinking between."""
    until = time.monotonic() + seconds
    changes: list[Change] = []
    failed: list[str] = []
    crowd = [
        threading.Thread(target=_walk, args=(address, number, until, changes, failed))
        for number in range(visitors)
    ]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    _head("visitors at once", "changes")
    _row(str(visitors), changes)
    for page in PAGES:
        _row(f"– {page or 'start'}", [one for one in changes if one.name.startswith(f"{page}:")])
    print(f"\nFailures: {len(failed)}.", *sorted(set(failed))[:10], sep="\n- ", flush=True)


def _walk(
    address: str, number: int, until: float, changes: list[Change], failed: list[str]
) -> None:
    """Begins at a page of its own, so that not all look at the same one."""
    chance = random.Random(number)
    time.sleep(chance.uniform(0, THINKING))
    try:
        for page in [*PAGES[number % len(PAGES) :], *PAGES * 100]:
            if time.monotonic() > until:
                return
            with Visitor(address) as visitor:
                visitor.open(page)
                for _ in range(CHANGES):
                    time.sleep(chance.uniform(0.5, 1.5) * THINKING)
                    able = [(c, v) for c in visitor.controls.values() for v in other_values(c)]
                    if not able or time.monotonic() > until:
                        break
                    changes.append(_change(visitor, *chance.choice(able)))
                failed.extend(f"{page}: {error}" for error in visitor.errors)
    except Exception as error:
        failed.append(repr(error))


def visited(address: str, visitors: int) -> None:
    """The server's memory after so many have opened every page and stayed."""
    with contextlib.ExitStack() as stay:
        for _ in range(visitors):
            visitor = stay.enter_context(Visitor(address))
            for page in PAGES:
                visitor.open(page)
        print(f"\nMemory after {visitors} visitors: {_memory()}.", flush=True)


def _memory() -> str:
    """Of the server, and of its helpers."""
    children = psutil.Process().children(recursive=True)
    size: Counter[str] = Counter()
    for process in children:
        with contextlib.suppress(psutil.Error):
            line = " ".join(process.cmdline())
            kind = "server" if "streamlit run" in line else "helpers" if HELPER in line else ""
            size[kind] += process.memory_info().rss
    return f"server {size['server'] / 2**20:.0f} MB, helpers {size['helpers'] / 2**20:.0f} MB"


def watched(address: str, run: mc.Run, visitors: int) -> None:
    """Many visitors poll the live run; one more opens pages meanwhile."""
    times: list[float] = []
    failed: list[str] = []
    until = time.monotonic() + WATCH_SECONDS
    crowd = [
        threading.Thread(target=_watch, args=(address, run.id, until, times, failed))
        for _ in range(visitors)
    ]
    for thread in crowd:
        thread.start()
    time.sleep(8)
    guest = []
    with Visitor(address) as visitor:
        while time.monotonic() < until:
            guest.append(visitor.open("runs"))
            time.sleep(1)
    for thread in crowd:
        thread.join()
    print(
        f"\n{visitors} visitors watching a live run: {len(times)} polls in {WATCH_SECONDS:.0f} s,"
        f" median {1000 * statistics.median(times):.0f} ms, p95 {1000 * _p95(times):.0f} ms,"
        f" failures {len(failed)}; a guest opens Runs in {1000 * statistics.median(guest):.0f} ms"
        f" (slowest {1000 * max(guest):.0f} ms).",
        flush=True,
    )


def _watch(address: str, run: str, until: float, times: list[float], failed: list[str]) -> None:
    try:
        with Visitor(address) as visitor:
            visitor.open("train", f"run={run}")
            due = {fragment: time.monotonic() + every for fragment, every in visitor.polls.items()}
            while due and time.monotonic() < until:
                fragment = min(due, key=lambda name: due[name])
                time.sleep(max(0.0, due[fragment] - time.monotonic()))
                times.append(visitor.poll(fragment))
                due[fragment] = time.monotonic() + visitor.polls.get(fragment, 2.0)
            failed.extend(visitor.errors)
    except Exception as error:
        failed.append(repr(error))


def _p95(times: list[float]) -> float:
    return sorted(times)[min(len(times) - 1, round(0.95 * len(times)))]


def _complain(page: str, visitor: Visitor) -> None:
    for error in visitor.errors:
        print(f"! {page}: {error}", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--visitors", type=int, default=VISITORS, help="at the same time")
    parser.add_argument("--seconds", type=float, default=CROWD_SECONDS, help="that they walk")
    parser.add_argument("--stay", type=int, default=STAY, help="visitors whose memory is counted")
    asked = parser.parse_args()
    print(heading("Pages", circumstances("cpu")))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["METACORE_HOME"] = folder
        mc.datasets.load(mc.preset("maml", "glyphs").dataset, mc.device.resolve())
        with serving(Path(folder)) as address:
            with Visitor(address) as visitor:
                print(f"A cold server's first page: {visitor.open(''):.2f} s.")
            store = mc.Store()
            run = training(store)
            time.sleep(10)
            try:
                opened(address)
                touched(address)
                crowded(address, asked.visitors, asked.seconds)
                watched(address, store.get(run.id), asked.visitors)
                visited(address, asked.stay)
            finally:
                cancel(store, run)
                time.sleep(3)


if __name__ == "__main__":
    main()
