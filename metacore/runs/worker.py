"""One job in one process: `python -m metacore.runs.worker KIND JOB FOLDER`.

When it ends it starts whatever waits for its device, so that the queue empties itself even when
no dashboard is open.
"""

import sys
from pathlib import Path

from metacore.child import be_nice
from metacore.errors import UserError
from metacore.runs.job import FAILED, QUEUED
from metacore.runs.jobs import KINDS, dispatch
from metacore.runs.store import Store


def main(kind: str, job_id: str, folder: Path) -> int:
    store = Store(folder)
    jobs, status, shutting_down = KINDS[kind](store), "", False
    try:
        job = jobs.get(job_id)
        if job.status == QUEUED:  # else others were faster
            shutting_down = bool(jobs.work(job).signal)
            status = jobs.get(job_id).status
    except UserError as error:  # deleted, or taken over
        print(error, file=sys.stderr)
    if not shutting_down:
        dispatch(store)
    return 1 if status == FAILED else 0


if __name__ == "__main__":
    be_nice()
    sys.exit(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
