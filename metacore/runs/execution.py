"""Trains a run from where it stands to its end, whatever the end is.

Workers and the foreground command line both come through here. Every way to stop leaves a status,
a sentence and a checkpoint: used up, cancelled, interrupted by a signal, diverged, out of memory,
out of disk. Only `kill -9` leaves nothing, and then the last checkpoint is there to resume from.
"""

import contextlib
import signal
import threading
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType

from metacore.device import out_of_memory
from metacore.errors import UserError
from metacore.runs import files
from metacore.runs.claim import Claim, RunLostError
from metacore.runs.record import CANCELLED, FAILED, FINISHED, INTERRUPTED, Run
from metacore.runs.recorder import Recorder
from metacore.runs.store import Store
from metacore.runs.strip import Strip
from metacore.training.callbacks import Callback
from metacore.training.distributed import World, local_device
from metacore.training.trainer import Trainer


def execute(
    store: Store, run: Run, callbacks: Sequence[Callback] = (), *, world: World | None = None
) -> Run:
    """Claims the run, trains it, and returns it as it ended; its message says why it ended.

    Raises UserError if the run was taken or deleted by someone else, then or meanwhile.
    """
    claim = store.claim(run)
    recorder = Recorder(claim)
    # The connection kept open spares SQLite from tidying up its log after every heartbeat.
    with store.database.reading(), _stopping(recorder) as stopped, recorder.pulse:
        end = _train(claim, recorder, callbacks, world or World(), stopped)
        claim.finish(end.status, _joined(recorder.warning, end.message))
    ended = store.get(run.id)
    store.note_down(ended, metrics=True)
    return ended


def follow(run: Run, world: World) -> None:
    """Trains beside `execute` as another rank of the same run; only rank 0 writes anything."""
    trainer = _trainer(run, (), world)
    loaded = files.load_last(run.folder)
    if loaded is not None:
        trainer.restore(loaded.checkpoint)
    trainer.run()


@dataclass(frozen=True)
class _End:
    status: str
    message: str = ""


@dataclass
class _Stopped:
    """The signal that asked this process to stop, if one did."""

    name: str = ""


def _train(
    claim: Claim, recorder: Recorder, callbacks: Sequence[Callback], world: World, stopped: _Stopped
) -> _End:
    """Runs the trainer; everything that can go wrong becomes a status and a sentence."""
    trainer: Trainer | None = None
    try:
        files.clear_parts(claim.run.folder)
        strip = Strip(claim.run.folder)
        trainer = _trainer(claim.run, (recorder, strip, *callbacks), world)
        recorder.resume(trainer, files.load_last(claim.run.folder))
        outcome = trainer.run()
        recorder.save(trainer)
        strip.complete(trainer)
        return _ended(outcome, trainer, stopped, recorder)
    except RunLostError:
        raise
    except UserError as error:
        _save_if_possible(trainer, recorder)
        return _End(FAILED, str(error))
    except KeyboardInterrupt:
        claim.finish(INTERRUPTED, "Stopped at once; resume it to go on from its last checkpoint.")
        raise
    except Exception as error:
        files.log(claim.run.folder, traceback.format_exc())
        return _End(FAILED, sentence(error))


def _trainer(run: Run, callbacks: Sequence[Callback], world: World) -> Trainer:
    config = run.config.replace(device=local_device(run.config.device))
    return Trainer(config, callbacks=callbacks, world=world)


def _ended(outcome: str, trainer: Trainer, stopped: _Stopped, recorder: Recorder) -> _End:
    if outcome == FINISHED:
        return _End(FINISHED)
    if recorder.overdue:
        most = f"{recorder.claim.run.most_seconds:g} seconds"
        return _End(CANCELLED, f"Stopped after {most}, the most a training may take here.")
    by = f"Stopped by {stopped.name}" if stopped.name else "Cancelled"
    return _End(CANCELLED, f"{by} at meta-step {trainer.iteration}; resume it to go on from there.")


def _save_if_possible(trainer: Trainer | None, recorder: Recorder) -> None:
    """A run that diverged keeps its last good weights; one that could not write keeps older ones.

    The sentence to show is that of the first error: a second one here would only hide it.
    """
    if trainer is not None and trainer.iteration > recorder.resumed_at:
        with contextlib.suppress(UserError):
            recorder.save(trainer)


def sentence(error: Exception) -> str:
    """What to say about an error nobody foresaw, in one line."""
    if out_of_memory(error):
        return "There was not enough memory: choose fewer tasks, queries or ways, or another model."
    return traceback.format_exception_only(error)[-1].strip()


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


@contextlib.contextmanager
def _stopping(recorder: Recorder) -> Iterator[_Stopped]:
    """SIGINT and SIGTERM end the training with a checkpoint; a second one ends it at once."""
    stopped = _Stopped()
    if threading.current_thread() is not threading.main_thread():
        yield stopped  # Python lets only the main thread hear signals
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.name = signal.Signals(number).name
        recorder.stop = True
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        restore()
