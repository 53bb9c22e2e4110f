"""Features are computed once for each picture and network, whatever becomes of the file."""

import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import Tensor

from metacore.models import kept_features
from metacore.models.kept_features import KeptFeatures, computed_anew, unwritten


class Counting:
    """Features that tell pictures apart, and how many pictures were looked at."""

    def __init__(self) -> None:
        self.pictures = 0

    def __call__(self, pictures: Tensor) -> Tensor:
        self.pictures += len(pictures)
        flat = pictures.flatten(1)
        return torch.stack([flat.sum(1), flat.max(1).values, flat[:, 0]], 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "features.db"


@pytest.fixture
def compute() -> Counting:
    return Counting()


def check(kept: KeptFeatures, pictures: Tensor, compute: Counting, *, fresh: int) -> None:
    """They are right, and so many of them were computed for it."""
    before = compute.pictures
    found = kept.features(pictures, "net", compute)
    assert compute.pictures - before == fresh
    assert torch.equal(found, Counting()(pictures))


def test_a_picture_is_looked_at_once(path: Path, compute: Counting) -> None:
    kept, pictures = KeptFeatures(path), torch.rand(4, 1, 5, 5)
    check(kept, pictures[[0, 1, 0, 0]], compute, fresh=2)
    check(kept, pictures, compute, fresh=2)
    check(kept, pictures.flip(0), compute, fresh=0)


def test_what_nobody_asked_to_keep_stays_in_memory(path: Path, compute: Counting) -> None:
    kept, pictures = KeptFeatures(path), torch.rand(4, 1, 5, 5)
    with unwritten():
        check(kept, pictures, compute, fresh=4)
        check(kept, pictures, compute, fresh=0)
    check(KeptFeatures(path), pictures, compute, fresh=4)


def test_another_process_finds_them(path: Path, compute: Counting) -> None:
    pictures = torch.arange(75.0).view(3, 1, 5, 5)
    program = (
        "import torch; from pathlib import Path\n"
        "from metacore.models.kept_features import KeptFeatures\n"
        "from tests.models.test_kept_features import Counting\n"
        f"kept = KeptFeatures(Path({str(path)!r}))\n"
        "kept.features(torch.arange(75.0).view(3, 1, 5, 5), 'net', Counting())\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])
    check(KeptFeatures(path), pictures, compute, fresh=0)


def test_networks_and_shapes_are_told_apart(path: Path, compute: Counting) -> None:
    kept, pictures = KeptFeatures(path), torch.rand(2, 1, 4, 6)
    kept.features(pictures, "net", compute)
    kept.features(pictures, "other", compute)
    kept.features(pictures.view(2, 1, 6, 4), "net", compute)
    assert compute.pictures == 6


def test_memory_and_file_stay_within_their_bounds(path: Path, compute: Counting) -> None:
    def wide(pictures: Tensor) -> Tensor:
        compute(pictures)
        return pictures.flatten(1)[:, :1].expand(-1, 1000) + 0.5

    most = 400_000
    kept = KeptFeatures(path, most_bytes=most, memory_bytes=50_000)
    for start in range(0, 1000, 50):
        kept.features(torch.arange(start, start + 50.0).view(50, 1, 1, 1), "net", wide)
    assert sum(value.numel() * 4 for value in kept._memory.values()) <= 50_000
    assert path.stat().st_size < 2 * most
    assert compute.pictures == 1000
    again = KeptFeatures(path)
    latest = torch.arange(980.0, 1000).view(20, 1, 1, 1)
    assert torch.equal(again.features(latest, "net", wide)[:, 0], latest.flatten() + 0.5)
    assert compute.pictures == 1000
    again.features(torch.zeros(1, 1, 1, 1), "net", wide)  # the first have gone
    assert compute.pictures == 1001


def test_a_file_that_is_none_is_begun_anew(path: Path, compute: Counting) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database at all" * 100)
    pictures = torch.rand(3, 1, 5, 5)
    check(KeptFeatures(path), pictures, compute, fresh=3)
    check(KeptFeatures(path), pictures, compute, fresh=0)


def test_a_file_damaged_while_it_is_used_is_no_harm(path: Path, compute: Counting) -> None:
    kept, pictures = KeptFeatures(path, memory_bytes=0), torch.rand(300, 1, 5, 5)
    check(kept, pictures, compute, fresh=300)
    kept._file._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    other = KeptFeatures(path, memory_bytes=0)
    check(other, pictures, compute, fresh=300)
    check(other, pictures, compute, fresh=0)


def test_damaged_features_are_not_believed(path: Path, compute: Counting) -> None:
    pictures = torch.rand(3, 1, 5, 5)
    KeptFeatures(path).features(pictures, "net", compute)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE features SET value = zeroblob(12) WHERE rowid = 2")
    check(KeptFeatures(path), pictures, compute, fresh=1)


def test_where_nothing_can_be_written_they_are_computed(path: Path, compute: Counting) -> None:
    path.parent.write_text("a file where the folder should be")
    kept, pictures = KeptFeatures(path), torch.rand(2, 1, 5, 5)
    check(kept, pictures, compute, fresh=2)
    check(kept, pictures, compute, fresh=0)  # this process still knows them
    check(KeptFeatures(path), pictures, compute, fresh=2)


def test_a_full_disk_is_no_harm(path: Path, compute: Counting) -> None:
    kept = KeptFeatures(path, memory_bytes=0)
    kept._file._db.execute("PRAGMA max_page_count = 8")
    pictures = torch.rand(2000, 1, 5, 5)
    check(kept, pictures, compute, fresh=2000)
    check(kept, pictures[:5], compute, fresh=5)
    assert not kept._file._writable


def test_a_locked_file_is_waited_for_briefly(path: Path, compute: Counting) -> None:
    kept, pictures = KeptFeatures(path), torch.rand(2, 1, 5, 5)
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")
    check(kept, pictures, compute, fresh=2)
    other.rollback()
    check(kept, torch.rand(2, 1, 5, 5), compute, fresh=2)
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT count(*) FROM features").fetchone() == (2,)


def test_threads_may_ask_at_once(path: Path, compute: Counting) -> None:
    kept, pictures = KeptFeatures(path), torch.rand(40, 1, 5, 5)

    def ask(start: int) -> bool:
        some = pictures[start : start + 20]
        return torch.equal(kept.features(some, "net", compute), Counting()(some))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(ask, [*range(20)] * 5))


def test_measuring_looks_nothing_up(compute: Counting) -> None:
    pictures = torch.rand(2, 1, 5, 5)
    kept_features.features(pictures, "net", compute)
    with computed_anew():
        kept_features.features(pictures, "net", compute)
    kept_features.features(pictures, "net", compute)
    assert compute.pictures == 4
