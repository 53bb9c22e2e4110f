"""The dashboard's server and a Chromium to look at it with: for tests, pictures and benchmarks."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Playwright

ROOT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),  # a camera
)
START_SECONDS = 60.0


def launch(playwright: Playwright) -> Browser:
    """The first Chromium on the path, else Playwright's own."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return playwright.chromium.launch(executable_path=found, args=[*FLAGS])


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def serving(home: Path, port: int | None = None) -> Iterator[str]:
    """The address of a dashboard whose runs and data are in `home`."""
    port = port or free_port()
    command = ["streamlit", "run", "app.py", "--server.headless=true", f"--server.port={port}"]
    with _started(command, home, port, ROOT) as address:
        yield address


@contextlib.contextmanager
def serving_class(home: Path, *flags: str, port: int | None = None) -> Iterator[str]:
    """The address of a class, held on this computer; secrets are looked for in `home`."""
    port = port or free_port()
    command = ["metacore", "serve", "--class", "--address=127.0.0.1", f"--port={port}", *flags]
    with _started(command, home, port, home) as address:
        yield address


@contextlib.contextmanager
def _started(command: list[str], home: Path, port: int, folder: Path) -> Iterator[str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with open(home / "server.log", "a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env={**os.environ, "METACORE_HOME": str(home), "PYTHONPATH": path},
            stdout=log,
            stderr=log,
        )
        try:
            yield _awake(f"http://127.0.0.1:{port}", process, home / "server.log")
        finally:
            process.terminate()
            process.wait(20)


def _awake(address: str, process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                return address
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")
