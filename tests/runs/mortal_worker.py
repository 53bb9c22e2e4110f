"""A worker for the tests of `kill -9`: RUN FOLDER WRITE.

It checkpoints twenty times a second and, if WRITE is not 0, kills itself halfway through that
checkpoint's file.
"""

import itertools
import os
import signal
import sys
from pathlib import Path

from metacore.runs import files, recorder
from metacore.runs.worker import main

recorder.CHECKPOINT_SECONDS = 0.05
writes = itertools.count(1)
write_whole = files._write
fatal = int(sys.argv[3])


def write(path: Path, data: bytes) -> None:
    if next(writes) == fatal:
        path.write_bytes(data[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    write_whole(path, data)


files._write = write
sys.exit(main(sys.argv[1], Path(sys.argv[2])))
