"""A job: something that waits for its device, and is then worked on by a process of its own.

Trainings and comparisons are jobs, each kind with more to know about it. The database says of every
job where it stands, which process works on it, when that was last heard of, and whether somebody
wants it to stop.
"""

from dataclasses import dataclass
from typing import ClassVar

from metacore.runs.process import Process, recent
from metacore.strict import Moment

QUEUED, RUNNING, FINISHED = "queued", "running", "finished"
CANCELLED, FAILED, INTERRUPTED = "cancelled", "failed", "interrupted"
ACTIVE = (QUEUED, RUNNING)
ENDED = (FINISHED, CANCELLED, FAILED, INTERRUPTED)
STATUSES = (*ACTIVE, *ENDED)
TABLES = ("runs", "jobs")  # of the database: of trainings, and of all other kinds
NOBODY = {"pid": None, "pid_started": None, "host": None}


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job as it stood when it was read. Times are seconds since 1970."""

    kind: ClassVar[str]  # by which `jobs.KINDS` knows what can be done with it

    id: str
    status: str
    device: str  # "cpu", "cuda:0": what it queues for
    created: Moment
    queued: Moment | None = None
    started: Moment | None = None
    ended: Moment | None = None
    process: Process | None = None
    heartbeat: Moment | None = None
    message: str = ""
    cancel: bool = False
    owner: str = ""  # who started it, in a class: see classroom.py
    most_seconds: float | None = None  # it is stopped after this long, whatever its budget

    @property
    def title(self) -> str:
        """What a sentence calls it."""
        raise NotImplementedError

    @property
    def progress(self) -> float:
        """How much of it is done, 0 to 1."""
        raise NotImplementedError

    @property
    def lost(self) -> bool:
        """Beyond reading: nothing can be done with it but to delete it."""
        return False

    @property
    def active(self) -> bool:
        """Still to change by itself: a page that shows it should keep looking."""
        return self.status in ACTIVE

    def alive(self) -> bool:
        """Whether the process that has claimed or will claim it still lives."""
        return self.process is not None and self.process.alive(self.heartbeat)

    def silent(self, now: float) -> bool:
        """Whether its process has not been heard of for a suspiciously long time."""
        heard = self.heartbeat or self.started or now
        return self.status == RUNNING and not recent(heard, now)
