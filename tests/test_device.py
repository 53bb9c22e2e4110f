"""Devices: what is asked for by name must be there."""

import pytest
import torch

from metacore.device import describe, resolve
from metacore.errors import UserError


@pytest.fixture
def only_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


@pytest.mark.usefixtures("only_a_cpu")
def test_auto_is_the_cpu_where_there_is_nothing_else() -> None:
    assert resolve() == torch.device("cpu")


def test_auto_prefers_cuda_then_mps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve("auto").type == "mps"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve("auto").type == "cuda"
    assert resolve("cuda:1") == torch.device("cuda:1")
    with pytest.raises(UserError, match="no cuda:2: this machine has 2 GPUs"):
        resolve("cuda:2")


@pytest.mark.usefixtures("only_a_cpu")
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("cuda", "This machine has no cuda device; use --device cpu or auto."),
        ("mps", "This machine has no mps device; use --device cpu or auto."),
        ("abacus", "abacus is not a device; use one of auto, cpu, cuda, mps."),
        ("", " is not a device; use one of auto, cpu, cuda, mps."),
        ("meta", "meta is not supported; use one of auto, cpu, cuda, mps."),
    ],
)
def test_a_device_that_is_not_there_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(UserError) as refusal:
        resolve(name)
    assert str(refusal.value) == sentence


def test_a_run_can_say_where_it_was_made() -> None:
    here = describe(torch.device("cpu"))
    assert here["device"] == "cpu"
    assert here["name"]
    assert int(here["memory"]) > 2**28
    assert here["torch"] == torch.__version__
