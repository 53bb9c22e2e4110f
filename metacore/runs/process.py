"""Which process runs a run, and whether it still lives.

A process id alone may have been given to someone else, so its start time is kept beside it. A
heartbeat decides where neither can be trusted: another machine, or a clock that was set anew.
"""

import contextlib
import os
import platform
import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import psutil

HEARTBEAT_SECONDS = 1.0
SILENCE_SECONDS = 15.0  # a heartbeat older than this is no sign of life
KILL_SECONDS = 5.0  # the system takes a moment to end a process
CLOCK_TOLERANCE = 2.0  # start times are derived from the boot time, which drifts with the clock


@dataclass(frozen=True)
class Process:
    """One process of one machine, told from later ones with the same number."""

    pid: int
    started: float
    host: str

    def columns(self) -> dict[str, Any]:
        """As the database keeps it."""
        return {"pid": self.pid, "pid_started": self.started, "host": self.host}

    def alive(self, heartbeat: float | None) -> bool:
        """Whether it still runs; `heartbeat` is when it was last heard of."""
        heard = heartbeat is not None and recent(heartbeat, time.time())
        if self.host != platform.node():
            return heard
        try:
            found = psutil.Process(self.pid)
            if found.status() == psutil.STATUS_ZOMBIE:
                return False
            return heard or abs(found.create_time() - self.started) < CLOCK_TOLERANCE
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return heard

    def kill(self) -> None:
        """Ends it and waits until it has ended, unless its number now belongs to someone else."""
        if self.host != platform.node() or not self.alive(None):
            return
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(self.pid).kill()
        deadline = time.monotonic() + KILL_SECONDS
        while self.alive(None) and time.monotonic() < deadline:
            time.sleep(0.02)


def recent(heartbeat: float, now: float) -> bool:
    """Whether it is a sign of life. One from the future is none: some clock is wrong."""
    return abs(now - heartbeat) < SILENCE_SECONDS


def identify(pid: int) -> Process:
    try:
        started = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:  # it has already ended; nobody will find it alive
        started = 0.0
    return Process(pid, started, platform.node())


def this_process() -> Process:
    return _identify_once(os.getpid())  # by number: a forked process is another one


_identify_once = cache(identify)
