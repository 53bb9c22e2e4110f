"""One run in one process: `python -m metacore.runs.worker RUN FOLDER`.

When it ends it starts whatever waits for its device, so that the queue empties itself even when
no dashboard is open.
"""

import sys
from pathlib import Path

from metacore.child import be_nice
from metacore.errors import UserError
from metacore.runs.execution import execute
from metacore.runs.jobs import dispatch
from metacore.runs.record import CANCELLED, FAILED, QUEUED, Run
from metacore.runs.store import Store


def main(run_id: str, folder: Path) -> int:
    store = Store(folder)
    ended = _work(store, run_id)
    stopped = ended is not None and ended.status == CANCELLED
    shutting_down = ended is not None and stopped and not ended.cancel and not ended.overdue
    if not shutting_down:
        dispatch(store)
    return 1 if ended is not None and ended.status == FAILED else 0


def _work(store: Store, run_id: str) -> Run | None:
    """The run as it ended; None where there was nothing to do, because others were faster."""
    try:
        run = store.get(run_id)
        return execute(store, run) if run.status == QUEUED else None
    except UserError as error:
        print(error, file=sys.stderr)
        return None


if __name__ == "__main__":
    be_nice()
    sys.exit(main(sys.argv[1], Path(sys.argv[2])))
