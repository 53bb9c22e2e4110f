"""Archives made to exhaust whoever imports them, and what importing one takes.

    python -m tests.runs.hostile EXPORT

makes every one of them, as large as it may be, out of an export, and measures each in a process of
its own: the seconds, and the growth of memory in MB.
"""

import io
import json
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from metacore.algorithms import ALGORITHMS
from metacore.datasets import DATASETS
from metacore.errors import UserError
from metacore.models import MODELS
from metacore.randomness import generator
from metacore.runs import files
from metacore.runs.store import Store
from metacore.runs.transfer import import_
from metacore.training.checkpoint import Checkpoint
from metacore.training.config import RunConfig

ROW = b"1,1,a,1\n"
MEGABYTE = b"\0" * 2**20


def parts_of(export: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(export) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(file: Path, parts: dict[str, bytes], **streams: Iterator[bytes]) -> None:
    """A zip of the parts, in which some are written piece by piece; `_` in a name is a dot."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        pieces = {name.replace("_", "."): stream for name, stream in streams.items()}
        for name, data in parts.items():
            with archive.open(name, "w", force_zip64=True) as part:
                for piece in pieces.get(name, [data]):
                    part.write(piece)


def rows(count: int) -> Iterator[bytes]:
    yield b"step,seconds,key,value\n"
    for _ in range(count // 10_000):
        yield ROW * 10_000


def deep(count: int) -> Iterator[bytes]:
    yield b'{"environment":'
    yield b'{"a":' * count
    yield b"1" + b"}" * (count + 1)


def zeros(megabytes: int) -> Iterator[bytes]:
    for _ in range(megabytes):
        yield MEGABYTE


def many_parts(file: Path, count: int) -> None:
    """A list of parts alone, which is what a reader of zips believes first."""
    entry = b"PK\x01\x02" + bytes(24) + (1).to_bytes(2, "little") + bytes(16) + b"x"
    size = len(entry) * count
    end = b"PK\x05\x06" + bytes(4) + min(count, 65535).to_bytes(2, "little") * 2
    end += size.to_bytes(4, "little") + bytes(4) + bytes(2)
    file.write_bytes(entry * count + end)


def understated(
    file: Path, parts: dict[str, bytes], name: str, pieces: Callable[[], Iterator[bytes]]
) -> None:
    """A part whose size in the list of parts is a lie."""
    packed(file, parts, **{name.replace(".", "_"): pieces()})
    data = bytearray(file.read_bytes())
    entry = data.rindex(name.encode()) - 46
    data[entry + 24 : entry + 28] = (1000).to_bytes(4, "little")
    file.write_bytes(data)


def wide_header(file: Path, parts: dict[str, bytes], count: int) -> None:
    """Weights that are all names and no tensors."""
    one = {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}
    header = json.dumps({str(n): one for n in range(count)}).encode()
    weights = len(header).to_bytes(8, "little") + header
    packed(file, {**parts, "best.safetensors": weights})


def widest(file: Path) -> None:
    """Nothing is wrong with it: the largest network there is, twice, with Adam's memory."""
    config = RunConfig(
        algorithm=ALGORITHMS["maml"].Config(),
        dataset=DATASETS["glyphs"].Config(),
        model=MODELS["conv4-pool"](width=512),
        device="cpu",
    )
    with torch.device("meta"):
        algorithm = config.algorithm_for(0)
        shapes = algorithm.init(generator(0, "init"))
    info = {"iteration": 1, "seconds": 1.0, "best": None, "stale_validations": 0}
    facts = {"format": 1, "name": "wide", "status": "finished", "metric": "accuracy"}
    tensors = {f"params/{name}": torch.zeros(value.shape) for name, value in shapes.items()}
    for name, value in algorithm.parts.learned(shapes).items():
        like = {"step": (), "exp_avg": value.shape, "exp_avg_sq": value.shape}
        tensors |= {f"optimiser/{name}/{key}": torch.zeros(shape) for key, shape in like.items()}
    weights = files.to_bytes(Checkpoint(tensors, {**info, "validated_at": None}))
    parts = {
        "config.json": json.dumps(config.to_dict()).encode(),
        "run.json": json.dumps({**facts, "device": "cpu", "created": 1.0}).encode(),
        "metrics.csv": b"".join(rows(100_000)),
        "best.safetensors": weights,
        "last.safetensors": weights,
    }
    packed(file, parts)


def attacks(parts: dict[str, bytes], scale: float = 1.0) -> dict[str, Callable[[Path], None]]:
    """How to write each; at scale 1 they unpack to half a gigabyte and more."""
    megabytes = int(512 * scale)
    return {
        "rows": lambda file: packed(file, parts, metrics_csv=rows(int(63e6 * scale))),
        "most rows": lambda file: packed(file, parts, metrics_csv=rows(100_000)),
        "one line": lambda file: packed(file, parts, metrics_csv=zeros(megabytes)),
        "deep": lambda file: packed(file, parts, run_json=deep(900)),
        "deeper": lambda file: packed(file, parts, run_json=deep(int(50e6 * scale))),
        "zeros": lambda file: packed(file, parts, best_safetensors=zeros(megabytes)),
        "most zeros": lambda file: packed(file, parts, best_safetensors=zeros(169)),
        "few rows": lambda file: understated(
            file, parts, "metrics.csv", lambda: rows(int(63e6 * scale))
        ),
        "few zeros": lambda file: understated(
            file, parts, "best.safetensors", lambda: zeros(megabytes)
        ),
        "names": lambda file: wide_header(file, parts, int(400_000 * scale)),
        "widest": widest,
        "parts": lambda file: many_parts(file, int(1.3e6 * scale)),
    }


def measure(file: Path, home: Path) -> tuple[str, float, float]:
    """How the import ended, its seconds, and how many MB it took at most."""
    command = [sys.executable, "-m", "tests.runs.hostile", "import", str(file), str(home)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    said, seconds, megabytes = json.loads(done.stdout.splitlines()[-1])
    return said, seconds, megabytes


def _import(file: Path, home: Path) -> None:
    store, data = Store(home / "runs"), io.BytesIO(file.read_bytes())
    Path("/proc/self/clear_refs").write_text("5")  # forgets what was the most until now
    before, begun, said = _most(), time.monotonic(), "imported"
    try:
        import_(store, data, file.name)
    except UserError as error:
        said = str(error)
    print(json.dumps([said, time.monotonic() - begun, _most() - before]))


def _most() -> float:
    """The most memory this process has taken, in MB."""
    status = Path("/proc/self/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024 / 1e6


def main(export: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, write in attacks(parts_of(export)).items():
            file = Path(folder) / f"{name}.metacore"
            write(file)
            said, seconds, megabytes = measure(file, Path(folder))
            size = file.stat().st_size / 1e6
            print(f"{name:12} {size:6.1f} MB  {seconds:5.2f} s  +{megabytes:4.0f} MB  {said[:90]}")
            file.unlink()


if __name__ == "__main__":
    if sys.argv[1] == "import":
        _import(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main(Path(sys.argv[1]))
