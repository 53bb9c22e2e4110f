"""Trains a run from where it stands to its end, whatever the end is.

Workers and the foreground command line both come through here. Every way to stop leaves a status,
a sentence and a checkpoint: used up, cancelled, interrupted by a signal, diverged, out of memory,
out of disk. Only `kill -9` leaves nothing, and then the last checkpoint is there to resume from.
"""

import contextlib
import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from metacore.atomic import write_whole
from metacore.errors import UserError
from metacore.runs import files, teachers
from metacore.runs.job import CANCELLED, FINISHED
from metacore.runs.kind import Kind
from metacore.runs.lease import LeaseLostError, Watch
from metacore.runs.record import Run, config_json
from metacore.runs.recorder import Recorder, TrainingLease
from metacore.runs.rows import RESULTS, read_row, results_digest
from metacore.runs.snapshots import Snapshots
from metacore.runs.store import Store, slot
from metacore.training.config import RunConfig
from metacore.training.distributed import World, local_device
from metacore.training.trainer import Callback, Trainer


class Trainings(Kind[Run]):
    """Runs, as far as they wait and are trained."""

    name, table = Run.kind, "runs"
    again = "resume it to go on from its last checkpoint"

    def read(self, row: sqlite3.Row) -> Run:
        return read_row(row, self.store.folder)

    def get(self, job_id: str) -> Run:
        return self.store.find(job_id)

    def row(self, db: sqlite3.Connection, job: Run) -> Run:
        return self.store.row(db, job)

    def claim(self, job: Run) -> TrainingLease:
        return TrainingLease(**vars(super().claim(job)))

    def work(
        self, job: Run, callbacks: Sequence[Callback] = (), world: World | None = None
    ) -> Watch:
        recorder = Recorder(self.claim(job))
        self.carry_out(recorder.watch, lambda: self._train(recorder, callbacks, world or World()))
        self.store.note_down(self.get(job.id), metrics=True)
        return recorder.watch

    def go_on(self, run: Run, config: RunConfig) -> Run:
        """Puts an ended run back into the queue, perhaps with a larger budget."""

        def changed(current: Run) -> dict[str, Any]:
            visitor, values = self.store.visitor, config.to_dict()
            visitor.refuse_others(current, current.name)
            visitor.refuse_budget(config.training)
            visitor.refuse_used_up(current.seconds, run.name)
            results = {name: getattr(current, name) for name in RESULTS}
            digest = results_digest(values, current.metric, results)
            text, device = json.dumps(values), slot(config.device)
            return {**results, "values_json": text, "device": device, "digest": digest}

        again = self.requeue(run, changed)
        write_whole(run.folder / "config.json", config_json(again.values))
        return again

    def log_path(self, job: Run) -> Path:
        return job.folder / files.LOG

    def epitaph(self, job: Run) -> str:
        return (
            f"Its worker stopped at meta-step {job.iteration} without a word (killed, or the"
            " machine was restarted). Resume it to go on from its last checkpoint."
        )

    def note_down(self, job: Run) -> None:
        self.store.note_down(job)

    def _train(
        self, recorder: Recorder, callbacks: Sequence[Callback], world: World
    ) -> tuple[str, str]:
        trainer: Trainer | None = None
        run, watch = recorder.lease.job, recorder.watch
        try:
            files.clear_parts(run.folder)
            snapshots = Snapshots(run.folder)
            trainer = _trainer(self.store, run.config, (recorder, snapshots, *callbacks), world)
            recorder.resume(trainer, files.load_last(run.folder))
            outcome = trainer.run()
            recorder.save(trainer)
            snapshots.complete(trainer)
        except LeaseLostError:
            raise
        except UserError:
            _save_if_possible(trainer, recorder)
            raise
        if outcome == FINISHED:
            return FINISHED, ""
        if watch.overdue:
            return CANCELLED, f"{watch.why_stopped()}."
        where = f"at meta-step {trainer.iteration}; resume it to go on from there."
        return CANCELLED, f"{watch.why_stopped()} {where}"


def execute(
    store: Store, run: Run, callbacks: Sequence[Callback] = (), *, world: World | None = None
) -> Run:
    """Claims the run, trains it, and returns it as it ended; its message says why it ended.

    Raises UserError if the run was taken or deleted by someone else, then or meanwhile.
    """
    Trainings(store).work(run, callbacks, world)
    return store.get(run.id)


def follow(store: Store, config: RunConfig, world: World, run: Run | None = None) -> None:
    """Trains beside `execute` as another rank of the same run; only rank 0 writes anything.

    A run that goes on is named; of one that begins the config is enough.
    """
    trainer = _trainer(store, config, (), world)
    loaded = None if run is None else files.load_last(run.folder)
    if loaded is not None:
        trainer.restore(loaded.checkpoint)
    trainer.run()


def _trainer(
    store: Store, config: RunConfig, callbacks: Sequence[Callback], world: World
) -> Trainer:
    config = config.replace(device=local_device(config.device))
    runs = [] if config.teacher is None else store.runs()
    learner = teachers.learner(runs, config)
    return Trainer(config, callbacks=callbacks, world=world, learner=learner)


def _save_if_possible(trainer: Trainer | None, recorder: Recorder) -> None:
    """A run that diverged keeps its last good weights; one that could not write keeps older ones.

    The sentence to show is that of the first error: a second one here would only hide it.
    """
    if trainer is not None and trainer.iteration > recorder.resumed_at:
        with contextlib.suppress(UserError):
            recorder.save(trainer)
