"""Doodles: those that come with Metacore, and official files downloaded or taken from a folder."""

import io
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import torch

from metacore.cli import main
from metacore.datasets import library, quickdraw_files, resumable
from metacore.datasets.base import SPLITS
from metacore.datasets.quickdraw import QuickDraw, QuickDrawConfig
from metacore.datasets.sheets import read_list
from metacore.errors import UserError
from metacore.randomness import generator
from tests.datasets.server import Files, serving

CPU = torch.device("cpu")
DOWNLOADED = QuickDrawConfig(source="downloaded")


@pytest.fixture(scope="module")
def shipped() -> QuickDraw:
    return QuickDraw(QuickDrawConfig(), CPU)


def test_every_thing_is_in_one_split(shipped: QuickDraw) -> None:
    names = [name for split in SPLITS for name in shipped.class_names(split)]
    assert len(names) == len(set(names)) == 345
    assert sorted(names) == sorted(read_list("quickdraw.json")["classes"])
    assert [shipped.classes(split) for split in SPLITS] == [224, 52, 69]


@pytest.mark.parametrize(
    "related",
    [
        {"cat", "dog", "cow", "horse", "pig", "sheep", "rabbit", "mouse"},
        {"car", "bus", "truck", "van", "tractor", "train", "bicycle", "motorbike"},
        {"piano", "guitar", "violin", "cello", "drums", "harp", "trumpet", "clarinet"},
    ],
)
def test_related_things_are_spread(shipped: QuickDraw, related: set[str]) -> None:
    assert sum(bool(related & set(shipped.class_names(split))) for split in SPLITS) >= 2
    assert len(related & set(shipped.class_names("test"))) < len(related) / 2


def test_doodles_are_ink_on_paper_of_their_class(shipped: QuickDraw) -> None:
    for split in SPLITS:
        pictures = shipped.images[split]
        assert pictures.shape[1:] == (24, 1, 28, 28)
        assert pictures.dtype is torch.uint8
        ink = (pictures > 127).float().mean((-1, -2))
        assert 0.05 < ink.mean() < 0.3
        assert ink.min() > 0
        unlike = pictures.flatten(2).unique(dim=1).shape[1]
        assert unlike == 24
    circle = shipped.pictures("test", [shipped.class_names("test").index("circle")], 0)[0, 0]
    assert circle[10:18, 10:18].float().mean() < 20  # nothing in its middle
    assert circle.max() > 200


def test_a_smaller_number_can_be_asked_for() -> None:
    few = QuickDraw(QuickDrawConfig(drawings=6), CPU)
    assert few.class_sizes("val").tolist() == [6] * 52
    with pytest.raises(UserError, match="have 6: ask for at most 5"):
        few.check("val", ways=5, shots=1, queries=6)


def test_its_licence_lies_beside_it() -> None:
    text = (resources.files("metacore.datasets") / "shipped" / "quickdraw.txt").read_text("utf-8")
    assert "Google, Inc. under the Creative Commons Attribution 4.0" in " ".join(text.split())


# More doodles


def doodles(name: str, count: int) -> np.ndarray:
    chance = generator(0, name)
    return torch.randint(0, 256, (count, 784), generator=chance).byte().numpy()


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """Ten doodles of every class, at the official addresses."""
    monkeypatch.setattr(resumable, "PAUSE", 0.01)
    with serving() as files:
        for name in read_list("quickdraw.json")["classes"]:
            files.content[f"{name}.npy"] = npy(doodles(name, 10))
        monkeypatch.setattr(quickdraw_files, "ADDRESS", files.address)
        yield files


def some(split: str, count: int = 3) -> list[str]:
    names: list[str] = read_list("quickdraw.json")[split]
    return names[:count]


SOME = [*some("train"), *some("val"), *some("test")]


def test_some_classes_are_downloaded_and_learned_from(server: Files) -> None:
    server.cuts = [300]
    library.get("quickdraw", classes=[name.upper() for name in SOME], pictures=6)
    assert len(server.asked) == len(SOME) + 1  # one was cut
    dataset = QuickDraw(DOWNLOADED, CPU)
    assert [dataset.class_names(split) for split in SPLITS] == [some(split) for split in SPLITS]
    assert dataset.class_sizes("test").tolist() == [6, 6, 6]
    episode = dataset.sample(
        "test", tasks=2, ways=3, shots=1, queries=5, generator=generator(0, "t")
    )
    assert episode.classes is not None
    for task in range(2):
        for way, number in enumerate(episode.classes[task].tolist()):
            sent = doodles(some("test")[number], 10)[:6]
            pictures = torch.cat([episode.support_x[task, way : way + 1], episode.query_x[task]])
            of_class = pictures[[0, *range(1 + 5 * way, 6 + 5 * way)]]
            found = {row.tobytes() for row in (of_class * 255).byte().flatten(1).numpy()}
            assert found == {row.tobytes() for row in sent}
    assert QuickDraw(QuickDrawConfig(source="downloaded", drawings=4), CPU).class_sizes(
        "val"
    ).tolist() == [4, 4, 4]


def test_doodles_are_mapped_not_read(server: Files) -> None:
    library.get("quickdraw", classes=SOME, pictures=6)
    dataset = QuickDraw(DOWNLOADED, CPU)
    assert all(isinstance(one, np.memmap) for one in dataset._files["train"].values())


def test_what_is_here_is_not_asked_for_again_and_more_goes_on(server: Files) -> None:
    library.get("quickdraw", classes=["cat"], pictures=4)
    first = len(server.asked)
    library.get("quickdraw", classes=["cat"], pictures=3)
    assert len(server.asked) == first
    library.get("quickdraw", classes=["cat"], pictures=50)  # more than there are
    assert server.asked[-1] == f"bytes={128 + 4 * 784}-{128 + 50 * 784 - 1}"
    library.get("quickdraw", classes=["cat"], pictures=50)
    assert len(server.asked) == first + 1
    whole = np.load(quickdraw_files.path_of("cat"))
    assert np.array_equal(whole, doodles("cat", 10))


def test_the_command_names_classes_and_how_many(
    server: Files, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["data", "get", "quickdraw", "--json", "--pictures", "2", "--classes"]
    assert main([*words, "cat, the eiffel tower"]) == 0
    folder = quickdraw_files.folder()
    assert sorted(path.name for path in folder.iterdir()) == ["The Eiffel Tower.npy", "cat.npy"]
    assert main([*words, "cat,unicorn"]) == 2
    assert "has no class 'unicorn'" in capsys.readouterr().err
    assert main(["data", "get", "quickdraw", "--pictures", "0"]) == 2
    assert "must be at least 1" in capsys.readouterr().err
    assert main(["data", "get", "omniglot", "--classes", "Greek"]) == 2
    assert "omniglot cannot be had in parts" in capsys.readouterr().err


def test_what_a_server_sends_instead_is_refused(server: Files) -> None:
    for sent in (b"<html>Please sign in</html>", npy(doodles("cat", 3).astype(np.int64))):
        server.content["cat.npy"] = sent
        with pytest.raises(UserError, match=r"cat\.npy is no file of Quick, Draw! bitmaps"):
            library.get("quickdraw", classes=["cat"])
        assert not quickdraw_files.path_of("cat").exists()


def test_without_downloads_the_command_is_named() -> None:
    with pytest.raises(UserError, match="`metacore data get quickdraw`"):
        QuickDraw(DOWNLOADED, CPU)


def test_a_split_without_classes_is_said(server: Files) -> None:
    library.get("quickdraw", classes=[*some("train"), *some("val")], pictures=2)
    with pytest.raises(UserError, match="6 classes are downloaded, and 0 of its test split"):
        QuickDraw(DOWNLOADED, CPU)


def test_files_somebody_has_are_taken(tmp_path: Path) -> None:
    for name in SOME:
        (tmp_path / f"full_numpy_bitmap_{name}.npy").write_bytes(npy(doodles(name, 8)))
    library.add("quickdraw", tmp_path)
    assert QuickDraw(DOWNLOADED, CPU).class_sizes("train").tolist() == [8, 8, 8]


def test_an_object_that_runs_code_is_never_loaded(tmp_path: Path) -> None:
    (tmp_path / "cat.npy").write_bytes(npy(np.array([print], dtype=object)))
    with pytest.raises(UserError, match="is no file of Quick, Draw! bitmaps"):
        library.add("quickdraw", tmp_path)


def test_a_folder_without_doodles_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no file named after a class"):
        library.add("quickdraw", tmp_path)
    with pytest.raises(UserError, match="is not a folder"):
        library.add("quickdraw", tmp_path / "cat.npy")
