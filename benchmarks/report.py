"""What stands around a table: when, with which command, where, and with which versions."""

import datetime
import importlib.metadata
import json
import platform
import shlex
import sys
from pathlib import Path
from typing import Any

import torch

from metacore.device import describe, resolve
from metacore.errors import UserError

LIBRARIES = ("metacore", "torch", "higher", "easyfsl")


def circumstances(device: str, threads: int | None = None) -> dict[str, Any]:
    try:
        machine = describe(resolve(device))
    except UserError as error:
        raise SystemExit(str(error)) from None
    return {
        "date": datetime.date.today().isoformat(),
        "command": _command(),
        "machine": machine["name"],
        "memory_gb": round(machine["memory"] / 2**30),
        "threads": threads or machine["threads"],
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in LIBRARIES},
        **({"cuda": torch.version.cuda} if machine["device"] == "cuda" else {}),
    }


def heading(title: str, about: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    machine = f"{about['machine']}, {about['memory_gb']} GB, {about['threads']} threads"
    cuda = f", CUDA {about['cuda']}" if "cuda" in about else ""
    return (
        f"### {title}\n\n{about['date']} · `{about['command']}` · {machine} ·"
        f" Python {about['python']}, {versions}{cuda}\n"
    )


def save(path: Path | None, about: dict[str, Any], results: list[dict[str, Any]]) -> None:
    if path is not None:
        path.write_text(json.dumps({**about, "results": results}, indent=1) + "\n")


def say(line: str) -> None:
    """Progress, for the person who waits; tables alone go to standard output."""
    print(line, file=sys.stderr, flush=True)


def _command() -> str:
    script = Path(sys.argv[0]).stem
    return shlex.join(["python", "-m", f"benchmarks.{script}", *sys.argv[1:]])


def _version(library: str) -> str:
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "not installed" if library != "metacore" else "from source"
