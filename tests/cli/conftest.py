"""The command line called as a function, with what it said and how it ended."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from metacore.cli import main

SMALL = "--dataset sinusoid --iterations 20 --tasks 2 --validate-every 10 --validation-episodes 4"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Metacore = Callable[[str], Said]


@pytest.fixture
def metacore(capsys: pytest.CaptureFixture[str]) -> Metacore:
    def call(line: str) -> Said:
        capsys.readouterr()
        code = main(line.split())
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def trained(metacore: Metacore) -> str:
    """The name of a run that has been trained for a moment."""
    assert metacore(f"train {SMALL} --name wave").code == 0
    return "wave"
