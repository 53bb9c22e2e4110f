"""One contestant at one setting in a process of its own; prints its measurements as JSON.

Started by `measure.py`. A fresh process per measurement keeps caches, allocators and peak memory
of one contestant away from the next.
"""

import json
import resource
import statistics
import sys
import time

import psutil
import torch

from benchmarks.contestants import CONTESTANTS, Step
from benchmarks.task import Race, Setting
from metacore.device import keep_freed_memory, synchronize

WARM_UP, LEAST, COMPARED = 3, 5, 3  # steps: before the clock, at least timed, losses reported


def main(job: dict) -> dict:
    torch.set_num_threads(job["threads"])
    torch.manual_seed(0)
    device = torch.device(job["device"])
    if device.type == "cpu" and (job["who"] == "metacore" or job["same_allocator"]):
        keep_freed_memory()  # what Metacore does by itself whenever it computes on a CPU
    step = CONTESTANTS[job["who"]](Race(Setting(**job["setting"]), device))
    before = _memory_now(device)
    losses = [step() for _ in range(WARM_UP)]
    times = _timed(step, device, job["seconds"])
    return {
        "seconds": statistics.median(times),
        "steps": len(times),
        "losses": losses[:COMPARED],
        "peak": _peak_memory(device),
        "growth": max(0, _peak_memory(device) - before),
    }


def _timed(step: Step, device: torch.device, seconds: float) -> list[float]:
    times: list[float] = []
    while len(times) < LEAST or sum(times) < seconds:
        synchronize(device)
        start = time.perf_counter()
        step()
        synchronize(device)
        times.append(time.perf_counter() - start)
    return times


def _memory_now(device: torch.device) -> int:
    """Bytes held before the first step: the process with its libraries, or the GPU's tensors."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    return psutil.Process().memory_info().rss


def _peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.argv[1]))))
