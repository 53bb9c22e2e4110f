import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from metacore import atomic
from metacore.errors import UserError
from metacore.runs import files
from metacore.training.checkpoint import Checkpoint

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run's folder with nothing in it."""
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def checkpoint(iteration: int) -> Checkpoint:
    generator = torch.Generator().manual_seed(iteration)
    return Checkpoint(
        {
            "params/w": torch.randn(3, 4, generator=generator),
            "params/half": torch.randn(5, generator=generator).bfloat16(),
            "params/whole": torch.arange(6).view(2, 3).T,  # not contiguous
            "params/empty": torch.empty(0, 2),
            "optimiser/w/step": torch.tensor(float(iteration)),
        },
        {"iteration": iteration, "seconds": 0.1 + 0.2, "best": None},
    )


def same(a: Checkpoint, b: Checkpoint) -> bool:
    return files.digest(a.tensors) == files.digest(b.tensors) and a.info == b.info


def test_a_checkpoint_comes_back_bit_for_bit(folder: Path) -> None:
    files.save(folder, checkpoint(1))
    loaded = files.load(folder, "last")
    assert same(loaded, checkpoint(1))
    for name, tensor in checkpoint(1).tensors.items():
        assert loaded.tensors[name].dtype == tensor.dtype
        assert torch.equal(loaded.tensors[name], tensor)


def test_tensors_that_share_memory_are_kept_apart(folder: Path) -> None:
    shared = torch.arange(4.0)
    files.save(folder, Checkpoint({"params/a": shared, "params/b": shared[1:]}, {}))
    assert torch.equal(files.load_params(folder)["b"], torch.tensor([1.0, 2.0, 3.0]))


def test_the_digest_covers_names_shapes_types_bytes_and_info() -> None:
    base = files.digest({"a": torch.zeros(2, 2)}, "{}")
    others = [
        files.digest({"b": torch.zeros(2, 2)}, "{}"),
        files.digest({"a": torch.zeros(4)}, "{}"),
        files.digest({"a": torch.zeros(2, 2, dtype=torch.int32)}, "{}"),
        files.digest({"a": torch.eye(2)}, "{}"),
        files.digest({"a": torch.zeros(2, 2)}, "[]"),
    ]
    assert len({base, *others}) == 6


def test_tensors_come_back_in_their_order(folder: Path) -> None:
    """A norm over all gradients rounds differently in another order."""
    names = [f"params/{letter}" for letter in "zebra"]
    files.save(folder, Checkpoint({name: torch.ones(1) for name in names}, {}))
    assert list(files.load(folder).tensors) == names


def test_best_stays_while_last_moves_on(folder: Path) -> None:
    files.save(folder, checkpoint(1), best=True)
    files.save(folder, checkpoint(2))
    assert same(files.load(folder), checkpoint(1))
    assert same(files.load(folder, "last"), checkpoint(2))
    assert same(files.read(files.path_of(folder, "previous")), checkpoint(1))


def test_without_a_best_the_last_is_loaded_and_without_either_a_sentence(folder: Path) -> None:
    with pytest.raises(UserError, match="no weights yet"):
        files.load_params(folder)
    files.save(folder, checkpoint(3))
    assert set(files.load_params(folder)) == {"w", "half", "whole", "empty"}


def test_a_flipped_bit_anywhere_is_found() -> None:
    whole = files.to_bytes(checkpoint(1))
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= 1
        with pytest.raises(files.DamagedError, match="here"):
            files.from_bytes(bytes(data), "here")


@pytest.mark.parametrize("data", [b"", b"\x00" * 7, b"\xff" * 64, b"\x02\0\0\0\0\0\0\0{}", b"PK"])
def test_what_is_no_checkpoint_is_refused(data: bytes) -> None:
    with pytest.raises(files.DamagedError, match="not a checkpoint"):
        files.from_bytes(data, "here")


def test_a_damaged_last_gives_way_to_the_one_before(folder: Path) -> None:
    for iteration in (1, 2):
        files.save(folder, checkpoint(iteration))
    _truncate(folder, "last")
    loaded = files.load_last(folder)
    assert loaded is not None
    assert same(loaded.checkpoint, checkpoint(1))
    assert "last.safetensors" in loaded.warning
    _truncate(folder, "previous")
    with pytest.raises(UserError, match=r"last\.safetensors.*previous\.safetensors.*Move both"):
        files.load_last(folder)


def test_a_damaged_last_never_takes_the_place_of_previous(folder: Path) -> None:
    for iteration in (1, 2):
        files.save(folder, checkpoint(iteration))
    _truncate(folder, "last")
    files.set_aside(folder)
    loaded = files.load_last(folder)
    assert loaded is not None
    assert (loaded.checkpoint.info["iteration"], loaded.warning) == (1, "")
    files.save(folder, checkpoint(3))
    assert same(files.read(files.path_of(folder, "previous")), checkpoint(1))


def _truncate(folder: Path, which: str) -> None:
    path = files.path_of(folder, which)
    path.write_bytes(path.read_bytes()[:-10])


@posix
@pytest.mark.parametrize("step", range(11))
def test_kill_9_at_any_step_of_writing_leaves_a_whole_checkpoint(folder: Path, step: int) -> None:
    """The child is killed at its n-th call to the system; before or after, never between."""
    files.save(folder, checkpoint(1), best=True)
    child = os.fork()
    if child == 0:
        _die_at(step)
        files.save(folder, checkpoint(2), best=True)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) == (step < _CALLS)
    loaded = files.load_last(folder)
    assert loaded is not None
    assert not loaded.warning
    assert loaded.checkpoint.info["iteration"] in (1, 2)
    assert files.load(folder, "best").info["iteration"] in (1, 2)
    files.clear_parts(folder)
    files.save(folder, checkpoint(3))
    assert len(list(folder.iterdir())) == 3


_CALLS = 10  # write, fsync, replace, folder; write, fsync, link, replace, replace, folder


def _die_at(step: int) -> None:
    """Replaces what touches the disk by versions that count, and that kill in the middle."""
    calls = 0

    def count() -> None:
        nonlocal calls
        if calls == step:
            os.kill(os.getpid(), signal.SIGKILL)
        calls += 1

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            count()
            return real(*arguments)

        return call

    def write(path: Path, data: bytes, whole: Callable[[Path, bytes], None] = atomic.write) -> None:
        path.write_bytes(data[: len(data) // 2])
        count()
        whole(path, data)

    atomic.write = write
    for name in ("fsync", "replace", "link"):
        setattr(os, name, counted(getattr(os, name)))


@posix
def test_a_disk_that_takes_no_more_is_a_sentence_and_leaves_the_old_checkpoint(
    folder: Path,
) -> None:
    import resource

    files.save(folder, checkpoint(1))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, hard))
    try:
        with pytest.raises(UserError, match="disk is full"):
            files.save(folder, checkpoint(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert same(files.load(folder), checkpoint(1))
    assert [path.name for path in folder.iterdir()] == ["last.safetensors"]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_kept_but_never_used(folder: Path, value: float) -> None:
    diverged = Checkpoint({"params/w": torch.tensor([1.0, value])}, {})
    files.save(folder, diverged)
    loaded = files.load_last(folder)
    assert loaded is not None
    assert same(loaded.checkpoint, diverged)
    with pytest.raises(UserError, match="not all finite numbers"):
        files.load_params(folder)
