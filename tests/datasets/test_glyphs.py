"""Glyphs: the same everywhere, disjoint between splits, and indifferent to a bad disk."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metacore.datasets import glyphs, picture_file
from metacore.datasets.base import SPLITS, ImageDataset, rotations
from metacore.datasets.glyphs import Glyphs, GlyphsConfig
from metacore.datasets.strokes import render
from metacore.errors import UserError
from metacore.randomness import generator

CPU = torch.device("cpu")
SMALL = GlyphsConfig(train_classes=40, test_classes=20, drawings=6)


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METACORE_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Glyphs:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("METACORE_HOME", str(tmp_path_factory.mktemp("home")))
        return Glyphs(SMALL, CPU)


def cached() -> Path:
    (file,) = (Path(os.environ["METACORE_HOME"]) / "data" / "glyphs").iterdir()
    return file


def digest(dataset: ImageDataset) -> str:
    pictures = b"".join(dataset.images[split].numpy().tobytes() for split in SPLITS)
    return hashlib.sha256(pictures).hexdigest()


def test_shapes_and_ink(small: Glyphs) -> None:
    assert small.images["train"].shape == (160, 6, 1, 28, 28)
    assert small.images["val"].shape == small.images["test"].shape == (80, 6, 1, 28, 28)
    assert small.images["train"].dtype == torch.uint8
    ink = small.images["train"].float().mean().item() / 255
    assert 0.05 < ink < 0.11  # Omniglot's training characters: 0.078


def test_no_drawing_is_in_two_splits(small: Glyphs) -> None:
    seen = [{bytes(p.flatten().tolist()) for p in small.images[s].flatten(0, 1)} for s in SPLITS]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]


def test_another_process_draws_the_same(small: Glyphs, tmp_path: Path) -> None:
    script = (
        "import hashlib, torch; torch.set_num_threads(1);"
        "from metacore.datasets.glyphs import Glyphs, GlyphsConfig;"
        "d = Glyphs(GlyphsConfig(train_classes=40, test_classes=20, drawings=6),"
        " torch.device('cpu'));"
        "b = b''.join(d.images[s].numpy().tobytes() for s in ('train', 'val', 'test'));"
        "print(hashlib.sha256(b).hexdigest())"
    )
    environment = {**os.environ, "METACORE_HOME": str(tmp_path / "other"), "PYTHONHASHSEED": "7"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == digest(small)


def test_more_classes_keep_the_first_ones(small: Glyphs) -> None:
    more = GlyphsConfig(train_classes=60, test_classes=20, drawings=6, rotations=False)
    assert Glyphs(more, CPU).images["train"][:40].equal(small.images["train"][:40])


def test_another_alphabet_has_other_characters(small: Glyphs) -> None:
    other = GlyphsConfig(train_classes=40, test_classes=20, drawings=6, alphabet=1)
    assert not Glyphs(other, CPU).images["train"].equal(small.images["train"])


def test_drawings_of_a_character_resemble_each_other(small: Glyphs) -> None:
    """The nearest other drawing is of the same character far more often than by chance."""
    images = small.images["train"][:40].float().flatten(2)  # [classes, drawings, pixels]
    apart = torch.cdist(images.flatten(0, 1), images.flatten(0, 1))
    nearest = apart.fill_diagonal_(torch.inf).argmin(1) // 6
    assert (nearest == torch.arange(40).repeat_interleave(6)).float().mean() > 0.3


def test_drawings_of_a_character_differ(small: Glyphs) -> None:
    images = small.images["train"][:40].flatten(2)
    assert all(len(drawings.unique(dim=0)) == 6 for drawings in images)


def test_the_second_time_they_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    first = Glyphs(SMALL, CPU)
    monkeypatch.setattr(glyphs, "draw_classes", lambda *_: pytest.fail("drawn again"))
    assert digest(Glyphs(SMALL, CPU)) == digest(first)
    assert cached().suffix == ".safetensors"  # and no temporary file beside it


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: b"",
        lambda whole: b"not safetensors",
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole[:-2000] + bytes(2000),  # a hole, as a full disk leaves one
        lambda whole: whole[:-5000] + bytes([whole[-5000] ^ 1]) + whole[-4999:],
    ],
)
def test_a_damaged_file_is_drawn_again(damage: Callable[[bytes], bytes]) -> None:
    first = Glyphs(SMALL, CPU)
    whole = cached().read_bytes()
    cached().write_bytes(damage(whole))
    assert digest(Glyphs(SMALL, CPU)) == digest(first)
    assert cached().read_bytes() == whole


def test_a_file_of_another_shape_is_drawn_again() -> None:
    first = Glyphs(SMALL, CPU)
    picture_file.write_pictures(torch.zeros(3, 3, dtype=torch.uint8), cached())
    assert digest(Glyphs(SMALL, CPU)) == digest(first)


def test_a_disk_that_takes_nothing_does_no_harm(
    small: Glyphs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("METACORE_HOME", str(tmp_path / "file"))  # a folder cannot be made there
    assert digest(Glyphs(SMALL, CPU)) == digest(small)


def test_a_disk_that_fills_up_does_no_harm(
    small: Glyphs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(picture_file, "save_file", full)
    assert digest(Glyphs(SMALL, CPU)) == digest(small)
    assert list((tmp_path / "home/data/glyphs").iterdir()) == []


def test_class_names(small: Glyphs) -> None:
    names = small.class_names("val")
    assert len(names) == len(set(names)) == 80
    assert names[0] == "val glyph 0 rot0"
    assert names[20] == "val glyph 0 rot90"


# Episodes


@given(
    split=st.sampled_from(SPLITS),
    tasks=st.integers(1, 3),
    ways=st.integers(2, 12),
    shots=st.integers(1, 5),
    seed=st.integers(0, 2**31),
    data=st.data(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_episodes_keep_their_promises(
    small: Glyphs, split: str, tasks: int, ways: int, shots: int, seed: int, data: st.DataObject
) -> None:
    queries = data.draw(st.integers(1, 6 - shots))
    shape = {"tasks": tasks, "ways": ways, "shots": shots, "queries": queries}
    episode = small.sample(split, **shape, generator=generator(seed, "test"))
    again = small.sample(split, **shape, generator=generator(seed, "test"))
    assert episode.support_x.shape == (tasks, ways * shots, 1, 28, 28)
    assert episode.query_x.shape == (tasks, ways * queries, 1, 28, 28)
    assert episode.support_x.equal(again.support_x)
    assert episode.query_x.equal(again.query_x)
    assert episode.classes is not None
    for task in range(tasks):
        classes = episode.classes[task]
        assert len(classes.unique()) == ways
        drawn = _where(small.images[split], episode.support_x[task], classes, shots)
        asked = _where(small.images[split], episode.query_x[task], classes, queries)
        assert episode.support_y[task].tolist() == [n for n in range(ways) for _ in range(shots)]
        assert episode.query_y[task].tolist() == [n for n in range(ways) for _ in range(queries)]
        assert not drawn & asked
        assert len(drawn) == ways * shots
        assert len(asked) == ways * queries


def _where(
    images: torch.Tensor, x: torch.Tensor, classes: torch.Tensor, each: int
) -> set[tuple[int, int]]:
    """Which (class, drawing) every picture is; fails where it is not of the class it should be."""
    found = set()
    for number, picture in enumerate(x):
        of = int(classes[number // each])
        same = (images[of].float() / 255 == picture).flatten(1).all(1).nonzero()
        found.add((of, int(same[0])))
    return found


@given(first=st.integers(0, 50), count=st.integers(1, 5), seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_an_episode_depends_on_its_number_only(
    small: Glyphs, first: int, count: int, seed: int
) -> None:
    shape = {"ways": 5, "shots": 1, "queries": 2, "seed": seed}
    several = small.episodes("test", **shape, numbers=range(first, first + count))
    last = small.episodes("test", **shape, numbers=range(first + count - 1, first + count))
    assert several.tasks == count
    assert several[count - 1 : count].query_x.equal(last.query_x)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"ways": 81}, "ways must be between 2 and 80 for glyphs"),
        ({"ways": 1}, "ways must be between 2 and 80"),
        ({"shots": 6}, "shots must be between 1 and 5 for glyphs: its classes have 6 drawings"),
        ({"shots": 0}, "shots must be between 1 and 5"),
        ({"shots": 3, "queries": 4}, "3 shots and 4 queries need 7 drawings.*at most 3 queries"),
        ({"split": "exam"}, "split must be one of train, val, test, not 'exam'"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_numbers(
    small: Glyphs, asked: dict[str, int | str], sentence: str
) -> None:
    shape = {"split": "test", "tasks": 1, "ways": 5, "shots": 1, "queries": 1, **asked}
    with pytest.raises(UserError, match=sentence):
        small.sample(**shape, generator=generator(0, "test"))  # type: ignore[arg-type]


def test_rotations_are_new_classes_after_the_upright_ones() -> None:
    image = torch.arange(9, dtype=torch.uint8).view(1, 1, 1, 3, 3)
    turned = rotations(image)
    assert turned.shape == (4, 1, 1, 3, 3)
    assert turned[1, 0, 0].tolist() == [[2, 5, 8], [1, 4, 7], [0, 3, 6]]


# Strokes drawn by hand


def test_a_drawing_is_centred_and_scaled_wherever_it_was_drawn() -> None:
    strokes = [[(0.0, 0.0), (4.0, 8.0)], [(4.0, 0.0), (0.0, 8.0)]]
    moved = [[(1e4 + 250 * x, 250 * y - 3e5) for x, y in stroke] for stroke in strokes]
    pictures = render([strokes, moved])
    assert pictures.shape == (2, 1, 28, 28)
    assert pictures[0].equal(pictures[1])
    picture = pictures[0, 0]
    assert picture.equal(picture.flip(0))
    assert picture.equal(picture.flip(1))
    rows = picture.any(1).nonzero().flatten()
    assert 17 <= len(rows) <= 20  # 67 of 105 pixels


def test_a_line_has_the_pens_width() -> None:
    picture = render([[[(0, 0), (0, 1)]]])[0, 0]
    across = picture[14].float() / 255
    assert across.sum().item() == pytest.approx(5 * 28 / 105, abs=0.02)


def test_a_tap_is_a_dot() -> None:
    picture = render([[[(3, 3)]]])[0, 0].float() / 255
    assert picture.sum().item() == pytest.approx((5 * 28 / 105) ** 2, abs=0.05)


@given(
    st.lists(
        st.lists(st.tuples(*[st.floats(-1e6, 1e6)] * 2), min_size=1, max_size=8),
        min_size=1,
        max_size=4,
    )
)
@settings(max_examples=50, deadline=None)
def test_any_drawing_leaves_ink_inside_the_margin(strokes: list[list[tuple[float, float]]]) -> None:
    picture = render([strokes])[0, 0]
    assert picture.any()
    assert not picture[:3].any()
    assert not picture[:, -3:].any()


@pytest.mark.parametrize("strokes", [[], [[]]])
def test_an_empty_drawing_is_refused(strokes: list[list[tuple[float, float]]]) -> None:
    with pytest.raises(UserError, match="draw at least one stroke"):
        render([strokes])


def test_points_that_are_no_points_are_refused() -> None:
    with pytest.raises(UserError, match="two finite numbers"):
        render([[[(0.0, float("nan"))]]])


def test_more_drawings_than_fit_are_refused_with_what_would_fit() -> None:
    with pytest.raises(UserError, match="at most 34 drawings"):
        GlyphsConfig(train_classes=4000, test_classes=200, drawings=100)
    GlyphsConfig(train_classes=4000, test_classes=200, drawings=34)


def test_files_used_least_lately_go_beyond_so_many_bytes(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.safetensors" for number in range(4)]
    for age, file in enumerate(files):
        picture_file.write_pictures(torch.zeros(1000, dtype=torch.uint8), file)
        os.utime(file, (0, 1000 - age))
    size = files[0].stat().st_size
    assert picture_file.read_pictures(files[3], (1000,)) is not None  # used again: the youngest now
    picture_file.prune(tmp_path, 3 * size, but=files[2])
    assert [file.exists() for file in files] == [True, False, True, True]
