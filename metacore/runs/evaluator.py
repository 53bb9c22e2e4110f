"""One comparison in one process: `python -m metacore.runs.evaluator COMPARISON FOLDER`.

Like a worker it lives in its own session, says every second how far it is, and starts what waits
when it ends. Whatever goes wrong becomes a status and a sentence.
"""

import contextlib
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from metacore.child import be_nice
from metacore.errors import UserError
from metacore.runs import comparisons
from metacore.runs.claim import RunLostError
from metacore.runs.comparison import Hold
from metacore.runs.execution import sentence
from metacore.runs.files import load_params, write_whole
from metacore.runs.jobs import dispatch
from metacore.runs.question import Question
from metacore.runs.record import CANCELLED, FAILED, FINISHED
from metacore.runs.recorder import Pulse
from metacore.runs.results import Contestant, Result, result, result_json
from metacore.runs.store import Store
from metacore.runs.together import Progress, evaluate_together
from metacore.training.evaluate import Evaluation
from metacore.training.learner import build

WARMING_EPISODES = 2


def main(comparison_id: str, folder: Path) -> int:
    store = Store(folder)
    try:
        status = answer(store, comparison_id)
    except UserError as error:  # taken over, or its row cannot be written
        print(error, file=sys.stderr)
        status = FAILED
    dispatch(store)
    return 1 if status == FAILED else 0


def answer(store: Store, comparison_id: str) -> str | None:
    """Evaluates a queued comparison and returns its status; None if others were faster."""
    hold = comparisons.hold(store, comparison_id)
    if hold is None:
        return None
    watch = _Watch(hold)
    # The connection kept open spares SQLite from tidying up its log after every heartbeat.
    with store.database.reading(), watch.pulse:
        status, message = _end(store, watch)
    hold.finish(status, message)
    return status


class _CancelledError(Exception):
    """Someone asked the comparison to stop."""


class _OverdueError(Exception):
    """It has taken as long as it may."""


@dataclass
class _Watch:
    """Between the evaluation, which counts episodes, and the thread that talks to the database."""

    hold: Hold
    done: int = 0
    most_seconds: float | None = None
    started: float = field(default_factory=time.monotonic)
    pulse: Pulse = field(init=False)

    def __post_init__(self) -> None:
        self.pulse = Pulse(lambda: self.hold.report(self.done), self.hold.cancelled)

    def progress(self, done: int) -> None:
        self.done = done
        if self.pulse.error is not None:
            raise self.pulse.error
        if self.pulse.heard:
            raise _CancelledError
        if self.most_seconds is not None and time.monotonic() - self.started > self.most_seconds:
            raise _OverdueError


def _end(store: Store, watch: _Watch) -> tuple[str, str]:
    """Everything that can happen to a comparison, as a status and a sentence."""
    try:
        asked = comparisons.find(store, watch.hold.id)
        watch.most_seconds = asked.most_seconds
        found = compare(store, asked.question, watch.progress)
        path = comparisons.result_path(store, watch.hold.id)
        write_whole(path, result_json(found))
    except RunLostError:
        raise
    except _CancelledError:
        return CANCELLED, "Cancelled; compare again to start from the beginning."
    except _OverdueError:
        most = f"{watch.most_seconds:g} seconds, the most a comparison may take here"
        return CANCELLED, f"Stopped after {most}: ask for fewer episodes."
    except UserError as error:
        return FAILED, str(error)
    except Exception as error:
        with contextlib.suppress(OSError):
            traceback.print_exc()  # into the log
        return FAILED, sentence(error)
    return FINISHED, ""


def compare(store: Store, question: Question, progress: Progress) -> Result:
    """The answer; `progress` hears how many episodes are done, over all runs and tasks."""
    contestants = [_contestant(store, run) for run in question.runs]
    _warm_up(question, contestants)
    by_task = [
        _scores(question, contestants, task, progress, before=number)
        for number, task in enumerate(question.tasks)
    ]
    return result(question, contestants, by_task)


def _contestant(store: Store, run_id: str) -> Contestant:
    run = store.get(run_id)
    return Contestant(run, build(run.config, load_params(run.folder), "auto"))


def _warm_up(question: Question, contestants: list[Contestant]) -> None:
    """What a device does only once must not count as the first run's seconds per episode."""
    learners = [contestant.learner for contestant in contestants]
    asked = {**question.task, **question.protocol}
    evaluate_together(learners, question.source, episodes=WARMING_EPISODES, **asked)


def _scores(
    question: Question,
    contestants: list[Contestant],
    task: dict[str, int],
    progress: Progress,
    *,
    before: int,
) -> list[Evaluation]:
    learners = [contestant.learner for contestant in contestants]
    done = before * len(learners) * question.episodes
    return evaluate_together(
        learners,
        question.source,
        episodes=question.episodes,
        progress=lambda more: progress(done + more),
        **task,
        **question.protocol,
    )


if __name__ == "__main__":
    be_nice()
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
