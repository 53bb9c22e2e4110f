"""What people see in a terminal: tables, progress bars, numbers rounded as a scientist would."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column, Table
from rich.text import Text

from metacore.statistics import score, significant
from metacore.training.evaluate import Evaluation
from metacore.training.trainer import Callback, Trainer

REFRESH_SECONDS = 0.1


def say(text: str) -> None:
    """A line for people, on stdout."""
    Console(highlight=False, soft_wrap=True).print(text, markup=False)


def print_json(value: Any) -> None:
    json.dump(value, sys.stdout, indent=2, allow_nan=False)
    sys.stdout.write("\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    found = Table()
    for name in columns:
        found.add_column(Text(name))
    for row in rows:
        found.add_row(*(Text(cell) for cell in row))  # names may have brackets in them
    console = Console()
    if not console.is_terminal:  # a pipe has no width: never cut what somebody may grep
        console = Console(width=200)
    console.print(title, style="bold", markup=False, highlight=False)  # a table would wrap it
    console.print(found, markup=False)


def duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"


def size(count: int) -> str:
    value = float(count)
    for unit in ("B", "KB", "MB"):
        if value < 1024:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} GB"


class TrainingBar(Callback):
    """A bar over the run's budget, with loss, rate and time left; on stderr.

    Where stderr is a file, each validation is a line of it instead.
    """

    def __init__(self, name: str) -> None:
        self.note = ""
        self.shown = 0.0
        self.first: tuple[float, int] | None = None
        self.console = Console(stderr=True, highlight=False)
        self.bar = Progress(  # what gives way in a narrow terminal is the name, then the bar
            TextColumn("{task.description}", table_column=Column(max_width=12, no_wrap=True)),
            BarColumn(),
            TextColumn("{task.fields[news]}", table_column=Column(no_wrap=True)),
            TimeRemainingColumn(compact=True, table_column=Column(min_width=5, no_wrap=True)),
            TextColumn("left", table_column=Column(min_width=4)),
            console=self.console,
            disable=not self.console.is_terminal,
        )
        self.task = self.bar.add_task(name, total=1.0, news="")

    def on_start(self, trainer: Trainer) -> None:
        self.first = (time.monotonic(), trainer.iteration)
        self.bar.start()

    def on_step(self, trainer: Trainer, metrics: dict[str, float]) -> None:
        now = time.monotonic()
        if now - self.shown < REFRESH_SECONDS or self.first is None:
            return
        self.shown = now
        rate = (trainer.iteration - self.first[1]) / max(now - self.first[0], 1e-9)
        pace = f"{significant(rate)}/s"
        news = f"step {trainer.iteration} · {pace} · loss {metrics['loss']:.2f}{self.note}"
        self.bar.update(self.task, completed=trainer.progress, news=news)

    def on_validation(self, trainer: Trainer, evaluation: Evaluation, best: bool) -> None:
        found = score(evaluation.metric, evaluation.mean, evaluation.ci95)
        self.note = f" · val {found}"
        if not self.console.is_terminal:
            self.console.print(
                f"step {trainer.iteration} · {duration(trainer.seconds)} · validation {found}"
                + (" (best so far)" if best else "")
            )

    def on_end(self, trainer: Trainer) -> None:
        self.bar.update(self.task, completed=trainer.progress)
        self.bar.stop()


@contextmanager
def counting(label: str, total: int, *, quiet: bool) -> Iterator[Any]:
    """A bar that is told how many of `total` are done."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeRemainingColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
        transient=True,
    ) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)


@contextmanager
def downloading(*, quiet: bool) -> Iterator[Any]:
    """A bar per file that arrives."""
    console = Console(stderr=True)
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
    ) as bar:
        tasks: dict[str, TaskID] = {}

        def progress(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        yield progress
