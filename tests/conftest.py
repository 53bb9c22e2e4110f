"""Every test has a home of its own; drawn and downloaded data are shared between them.

Runs of one test are never seen by another. Pictures are the same for all tests, so what one has
rendered or decoded is linked into the next one's home.
"""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from metacore.datasets import library
from metacore.datasets import omniglot_pictures as omniglot
from metacore.runs.bundled import PRETRAINED

settings.register_profile("busy", deadline=None)  # a busy computer is no failure
settings.load_profile("busy")

ARCHIVES = Path(__file__).resolve().parents[2] / "shared" / "data" / "omniglot"


def pytest_configure() -> None:
    """One thread each, here and in the processes tests start.

    The networks of tests are tiny, and threads waiting for each other on a busy machine made them
    ten times slower.
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


@pytest.fixture(scope="session")
def shared_glyphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("glyphs")


@pytest.fixture(autouse=True)
def home(
    tmp_path_factory: pytest.TempPathFactory, shared_glyphs: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """METACORE_HOME of this test: empty but for the glyphs others have drawn."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "glyphs").symlink_to(shared_glyphs)
    monkeypatch.setenv("METACORE_HOME", str(folder))
    monkeypatch.setattr("metacore.runs.store.PRETRAINED", folder / "no shelf")
    return folder


@pytest.fixture
def pretrained(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The runs that come with Metacore are there, as they are for people."""
    monkeypatch.setattr("metacore.runs.store.PRETRAINED", PRETRAINED)
    return PRETRAINED


@pytest.fixture(scope="session")
def real_omniglot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the real Omniglot, unpacked once; skips where its archives are not at hand."""
    if not ARCHIVES.is_dir():
        pytest.skip("Omniglot's archives are not here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METACORE_HOME", str(tmp_path_factory.mktemp("omniglot")))
        library.add("omniglot", ARCHIVES)
        return omniglot.folder()


@pytest.fixture
def omniglot_home(home: Path, real_omniglot: Path) -> Path:
    """A home with the real Omniglot in it."""
    (home / "data" / real_omniglot.name).symlink_to(real_omniglot)
    return home
