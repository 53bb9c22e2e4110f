"""One helper as its pool sees it: started, asked, and ended.

Reading from it waits for as long as it takes; whoever loses patience kills it, and the one who
reads hears that it has died.
"""

import contextlib
import pickle
import subprocess
import sys
from dataclasses import dataclass, field

from metacore import child
from metacore.answers.helper import Order, Reply

END_SECONDS = 2.0


class DiedError(Exception):
    """The helper ended without an answer."""


@dataclass
class Seat:
    """A place for one helper; the next one sits down when it has gone."""

    niceness: int
    memory: int  # bytes a helper may use; 0: as many as there are
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def ask(self, order: Order) -> Reply:
        """The reply, whenever it comes; raises DiedError."""
        process = self._process or self.start()
        try:
            pickle.dump(order, process.stdin, pickle.HIGHEST_PROTOCOL)  # type: ignore[arg-type]
            process.stdin.flush()  # type: ignore[union-attr]
            reply = _read(process)
        except (OSError, EOFError, pickle.UnpicklingError, ValueError) as error:
            self.end()
            raise DiedError from error
        if reply.last:
            self.end()
        return reply

    def start(self) -> "subprocess.Popen[bytes]":
        """A helper that is ready; raises DiedError."""
        limits = [str(self.niceness), str(self.memory)]
        command = [sys.executable, "-m", "metacore.answers", *limits]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**child.environment(), "OMP_NUM_THREADS": "1"},
            )
            _read(self._process)
        except (OSError, EOFError, pickle.UnpicklingError, ValueError) as error:
            self.end()
            raise DiedError from error
        return self._process

    def kill(self) -> None:
        """At once, from any thread; who waits for a reply hears of it."""
        process = self._process
        if process is not None:
            with contextlib.suppress(OSError):
                process.kill()

    def end(self) -> None:
        """Lets it go: it has nobody to read from any more."""
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _read(process: "subprocess.Popen[bytes]") -> Reply:
    reply = pickle.load(process.stdout)  # type: ignore[arg-type]
    assert isinstance(reply, Reply)
    return reply
