"""How fast a large folder of pictures is packed, and sampled from a cold start.

Makes a folder of 100 classes with 600 pictures of 84 x 84 (noise over a colour of its class, as
JPEG), packs it, drops its packed file from the system's page cache where that can be done, and then
draws tasks of 5 ways, 1 shot and 15 queries in a new process: pictures per second, from the first
on, with the opening of the dataset in the time; and that process's peak private memory beside what
it held before the first episode.

    python -m benchmarks.folders [--classes 100] [--pictures 600] [--side 84] [--episodes 200]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image

from metacore import datasets
from metacore.datasets.base import ImageDataset
from metacore.datasets.folder import FolderConfig
from metacore.datasets.packing import packed_folder

TASK = {"ways": 5, "shots": 1, "queries": 15}


def make(folder: Path, classes: int, pictures: int, side: int) -> None:
    chance = np.random.default_rng(0)
    for number in range(classes):
        place = folder / f"class {number:03d}"
        place.mkdir(parents=True)
        color = chance.integers(0, 200, 3)
        for picture in range(pictures):
            pixels = color + chance.integers(0, 56, (side, side, 3))
            Image.fromarray(pixels.astype(np.uint8)).save(place / f"{picture}.jpg", quality=90)


def load(folder: Path, side: int) -> ImageDataset:
    config = FolderConfig(path=str(folder), size=side, train_share=0.64, val_share=0.16)
    found = datasets.load(config, torch.device("cpu"))
    assert isinstance(found, ImageDataset)
    return found


def forget() -> bool:
    """Drops packed pictures from the system's memory; False where it cannot be told to."""
    if not hasattr(os, "posix_fadvise"):
        return False
    for file in packed_folder().glob("*/pictures.u8"):
        handle = os.open(file, os.O_RDONLY)
        try:
            os.fsync(handle)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(handle)
    return True


class Peak:
    """The most private memory of this process while it is watched."""

    def __init__(self) -> None:
        self._process, self._over = psutil.Process(), threading.Event()
        self.before = self.most = self._private()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _private(self) -> int:
        """Without what is mapped from files, which the system takes back when it needs room."""
        found = self._process.memory_info()
        return int(found.rss - getattr(found, "shared", 0))

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self.most = max(self.most, self._private())

    def stop(self) -> int:
        self._over.set()
        self._thread.join()
        self.most = max(self.most, self._private())
        return self.most - self.before


@dataclass(frozen=True)
class Sampled:
    pictures: int
    opened: float  # seconds until the dataset is there
    seconds: float  # with that
    memory: int  # bytes beyond what the process held before


def sample(folder: Path, side: int, episodes: int) -> Sampled:
    peak = Peak()
    began = time.perf_counter()
    found = load(folder, side)
    opened = time.perf_counter() - began
    for number in range(episodes):
        episode = found.episodes("train", **TASK, seed=0, numbers=range(number, number + 1))
    seconds = time.perf_counter() - began
    count = episodes * (episode.support_x.shape[1] + episode.query_x.shape[1])
    return Sampled(count, opened, seconds, peak.stop())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for flag, usual in (("classes", 100), ("pictures", 600), ("side", 84), ("episodes", 200)):
        parser.add_argument(f"--{flag}", type=int, default=usual)
    parser.add_argument("--sample", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.sample:
        print(json.dumps(vars(sample(arguments.sample, arguments.side, arguments.episodes))))
        return
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["METACORE_HOME"] = f"{scratch}/home"
        folder = Path(scratch, "pictures")
        count = arguments.classes * arguments.pictures
        make(folder, arguments.classes, arguments.pictures, arguments.side)
        began = time.perf_counter()
        load(folder, arguments.side)
        took = time.perf_counter() - began
        size = sum(file.stat().st_size for file in packed_folder().glob("*/pictures.u8"))
        print(
            f"packed {count:,} pictures of {arguments.side} x {arguments.side} in {took:.1f} s"
            f" ({count / took:,.0f}/s), {size / 1e6:,.0f} MB"
        )
        for attempt in ("cold", "warm"):
            cold = attempt == "cold" and forget()
            words = [sys.executable, "-m", "benchmarks.folders", "--sample", str(folder)]
            words += ["--side", str(arguments.side), "--episodes", str(arguments.episodes)]
            said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
            found = Sampled(**json.loads(said))
            cache = "dropped from" if cold else "in"
            print(
                f"{attempt} (the file {cache} the page cache): {found.pictures:,} pictures in"
                f" {found.seconds:.2f} s,"
                f" {found.opened:.2f} s of them to open: {found.pictures / found.seconds:,.0f}/s;"
                f" private memory grew by at most {found.memory / 1e6:,.0f} MB"
            )


if __name__ == "__main__":
    main()
