"""One helper process: what `python -m metacore.answers NICENESS MEMORY` does.

It reads questions from its standard input and writes replies to its standard output, one at a
time, and ends when there is nobody to read from. Whatever else prints goes to the log. A question
may ask for too much memory: then the allocation fails, and the process lives on.
"""

import contextlib
import importlib
import os
import pickle
import signal
import time
import traceback
from dataclasses import dataclass
from typing import Any, BinaryIO

import psutil

from metacore import child
from metacore.errors import UserError

LARGE = 1_000_000_000  # bytes; a helper that has grown beyond this is replaced when it is idle
AT_HAND = ("metacore.answers.questions", "metacore.insight.trace", "metacore.insight.projection")


@dataclass(frozen=True)
class Order:
    """One piece of work."""

    question: Any
    done: int
    seconds: float


@dataclass(frozen=True)
class Reply:
    """What became of it: the piece by pickle, or a sentence."""

    piece: bytes = b""
    done: int = 0
    seconds: float = 0.0
    error: str = ""
    last: bool = False  # the process ends after this one


def main(niceness: int, memory: int) -> int:
    orders, replies = _streams()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends us
    child.be_nice(niceness)
    _prepare(memory)
    with contextlib.suppress(EOFError, BrokenPipeError):
        _say(replies, Reply())  # ready
        while True:
            reply = _reply(pickle.load(orders))
            _say(replies, reply)
            if reply.last:
                break
    return 0


def _streams() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes, out of reach of anybody who prints."""
    orders, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return orders, replies


def _prepare(memory: int) -> None:
    """What every answer needs is loaded before the first question comes."""
    from metacore.capacity import one_thread
    from metacore.device import resolve
    from metacore.models.backbone import warm_up

    for module in AT_HAND:
        importlib.import_module(module)
    one_thread()
    warm_up()
    if memory and resolve("auto").type == "cpu":  # a GPU's driver maps more than there is
        child.limit_memory(memory)


def _reply(order: Order) -> Reply:
    start = time.perf_counter()
    try:
        piece, done = order.question.some(order.done, order.seconds)
        data = pickle.dumps(piece, pickle.HIGHEST_PROTOCOL)
    except UserError as error:
        return Reply(error=str(error) or "This cannot be computed.")
    except Exception as error:
        from metacore.runs.kind import unforeseen

        traceback.print_exc()
        return Reply(error=unforeseen(error), last=_is_large())
    return Reply(data, done, time.perf_counter() - start, last=_is_large())


def _is_large() -> bool:
    return bool(psutil.Process().memory_info().rss > LARGE)


def _say(replies: BinaryIO, reply: Reply) -> None:
    pickle.dump(reply, replies, pickle.HIGHEST_PROTOCOL)
    replies.flush()
