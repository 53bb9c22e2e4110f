"""The device a run computes on, and what it is called on screen.

On Linux the C allocator is told to keep freed memory: meta-learning allocates the same few
megabytes thousands of times, and handing them back to the kernel each time costs up to a third of
a CPU step in page faults.
"""

import ctypes
import platform
import sys
from functools import cache

import psutil
import torch

from metacore.errors import UserError

DEVICES = ("auto", "cpu", "cuda", "mps")


def resolve(name: str = "auto") -> torch.device:
    """`auto` is CUDA, then MPS, then the CPU; a device asked for by name must be there."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if name == "auto":
        name = "cuda" if cuda else "mps" if mps else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"{name} is not a device; use one of {', '.join(DEVICES)}.") from None
    if device.type not in DEVICES:
        raise UserError(f"{name} is not supported; use one of {', '.join(DEVICES)}.")
    if (device.type == "cuda" and not cuda) or (device.type == "mps" and not mps):
        raise UserError(f"This machine has no {name} device; use --device cpu or auto.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UserError(f"There is no {name}: this machine has {torch.cuda.device_count()} GPUs.")
    if device.type == "cpu":
        keep_freed_memory()
    return device


def full_name(device: torch.device) -> str:
    """ "cpu", "cuda:0"."""
    return f"{device.type}:{device.index or 0}" if device.type == "cuda" else device.type


def describe(device: torch.device) -> dict[str, str | int]:
    """Name, memory in bytes and library versions: what a run records about where it was made."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        name, memory = properties.name, properties.total_memory
    else:
        name, memory = _processor(), psutil.virtual_memory().total
        if device.type == "mps":
            name += " (MPS)"
    return {
        "device": device.type,
        "name": name,
        "memory": memory,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def synchronize(device: torch.device) -> None:
    """Waits for queued work, so that a clock read afterwards tells the truth."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def out_of_memory(error: Exception) -> bool:
    """Whether an error means that memory ran out; on a CPU, PyTorch only says so in words."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(words in str(error) for words in ("can't allocate memory", "bad_alloc"))


@cache
def keep_freed_memory() -> None:
    if sys.platform != "linux" or not hasattr(libc := ctypes.CDLL(None), "mallopt"):
        return
    trim_threshold, mmap_threshold = -1, -3
    libc.mallopt(mmap_threshold, 1 << 30)
    libc.mallopt(trim_threshold, 2**31 - 1)


@cache
def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine() or "CPU"
