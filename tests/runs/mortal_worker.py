"""Workers for the tests of `kill -9`: RUN FOLDER LIFE…, one process per life.

`kill:N` lives until meta-step N or later, `write:N` until it is halfway through writing its N-th
file, `whole` to the end of the run. All checkpoint twenty times a second.
"""

import itertools
import os
import signal
import sys
import time
from pathlib import Path

from metacore import atomic
from metacore.runs import recorder
from metacore.runs.execution import Trainings
from metacore.runs.jobs import resume
from metacore.runs.store import Store
from metacore.runs.worker import main


def live(run_id: str, folder: Path, fatal: int) -> None:
    writes, write_whole = itertools.count(1), atomic.write

    def write(path: Path, data: bytes) -> None:
        if next(writes) == fatal:
            path.write_bytes(data[: len(data) // 2])
            os.kill(os.getpid(), signal.SIGKILL)
        write_whole(path, data)

    atomic.write = write
    recorder.CHECKPOINT_SECONDS = 0.05
    os._exit(main("training", run_id, folder))


def survive(store: Store, run_id: str, life: str) -> None:
    """Starts one life, sees to its end, and puts the run back into the queue."""
    how, _, number = life.partition(":")
    worker = os.fork()  # sparing each life the seconds it takes to import PyTorch
    if worker == 0:
        live(run_id, store.folder, int(number) if how == "write" else 0)
    while how == "kill" and store.get(run_id).iteration < int(number):
        time.sleep(0.005)
    if how == "kill":
        os.kill(worker, signal.SIGKILL)
    _, status = os.waitpid(worker, 0)
    assert os.WIFSIGNALED(status) == (how != "whole"), life
    if how == "write":
        assert list(store.get(run_id).folder.glob("*.part"))
    if how != "whole":
        assert [run.id for run in Trainings(store).reconcile()] == [run_id], life
        resume(store, store.get(run_id))


run, lives = sys.argv[1], sys.argv[3:]
for life in lives:
    survive(Store(Path(sys.argv[2])), run, life)
