"""How fast pages answer while a training runs beside them, and with thirty others polling.

    python -m benchmarks.pages

Starts a server of its own with a home of its own, trains MAML on glyphs in it, opens every page,
changes each of its controls, and then lets thirty visitors watch the live run. Times are the
server's: from the wish to the last message of its answer.
"""

import os
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import metacore as mc
from benchmarks.report import circumstances, heading
from benchmarks.visitor import Visitor, other_values
from metacore.runs.jobs import cancel, submit
from tests.browser.serving import serving

PAGES = ("", "train", "adapt", "prototypes", "compare", "trial", "runs")
VISITORS = 30
WATCH_SECONDS = 30.0


def training(store: mc.Store) -> mc.Run:
    """A run that lasts longer than the measurement."""
    config = mc.preset("maml", "glyphs", "good")
    return submit(store, config.replace(training=replace(config.training, seconds=3600.0)))


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


def touched(address: str) -> list[float]:
    """Every control of every page changed and changed back: the second round is what counts."""
    print("\n| page | changes | median | p95 | slowest | |\n|---|---:|---:|---:|---:|---|")
    everything: list[float] = []
    for page in PAGES:
        with Visitor(address) as visitor:
            visitor.open(page)
            times = [timed for _ in range(2) for timed in _touch_all(visitor)]
            _complain(page, visitor)
        if times:
            slowest = max(times)
            all_times = sorted(seconds for seconds, _ in times)
            everything += all_times
            row = (statistics.median(all_times), _p95(all_times), slowest[0])
            cells = " | ".join(f"{1000 * value:.0f} ms" for value in row)
            print(f"| {page or 'start'} | {len(times)} | {cells} | {slowest[1]} |", flush=True)
    return everything


def _touch_all(visitor: Visitor) -> list[tuple[float, str]]:
    times = []
    for name in [*visitor.controls]:
        control = visitor.controls.get(name)
        for value in other_values(control) if control else ():
            times.append((visitor.change(control, value), control.name))
            if name not in visitor.controls:
                break  # the change has taken the control away
        visitor.values.pop(name, None)
    return times


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
                times = touched(address)
                print(f"\nAll changes: p95 {1000 * _p95(times):.0f} ms of {len(times)}.")
                watched(address, store.get(run.id), VISITORS)
            finally:
                cancel(store, run)
                time.sleep(3)


if __name__ == "__main__":
    main()
