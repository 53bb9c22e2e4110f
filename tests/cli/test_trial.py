"""`metacore trial`: pictures in folders, answered in a table or as JSON."""

from pathlib import Path

import pytest

from metacore.datasets.glyphs import GlyphsConfig, draw_classes
from tests.cli.conftest import Metacore
from tests.trial.hands import file, scan

RUNS = "protonet-glyphs maml-glyphs"


@pytest.fixture
def folders(tmp_path: Path) -> str:
    """Flags naming a support set of three glyphs and, by class, two queries of each."""
    drawn = draw_classes(GlyphsConfig(), "test", 3)[:, :4, 0].float() / 255
    for name, drawings in zip(("alef", "bet", "[x]"), drawings_of(drawn), strict=True):
        for number, data in enumerate(drawings):
            place = tmp_path / ("support" if number < 2 else "query") / name
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number}.png").write_bytes(data)
    return f"--support {tmp_path}/support --query {tmp_path}/query"


def drawings_of(drawn: object) -> list[list[bytes]]:
    return [[file(scan(ink, side=280)) for ink in drawings] for drawings in drawn]  # type: ignore[attr-defined]


@pytest.mark.usefixtures("pretrained")
def test_classes_are_recognised(metacore: Metacore, folders: str) -> None:
    found = metacore(f"trial {RUNS} {folders} --json").json
    assert found["classes"] == ["[x]", "alef", "bet"]
    assert found["shots"] == {"[x]": 2, "alef": 2, "bet": 2}
    assert [run["name"] for run in found["runs"]] == [
        "Prototypical Networks on glyphs",
        "MAML on glyphs",
    ]
    assert [run["norm"] for run in found["runs"]] == ["running", "support+query"]
    for run in found["runs"]:
        assert run["labelled"] == 6
        assert run["accuracy"] == run["right"] / 6 >= 0.8
    first = found["queries"][0]
    assert (first["file"], first["class"]) == ("[x]/2.png", "[x]")
    assert first["answers"][0]["confidence"] == max(first["answers"][0]["probabilities"].values())


@pytest.mark.usefixtures("pretrained")
def test_people_get_a_table(metacore: Metacore, folders: str) -> None:
    said = metacore(f"trial {RUNS} {folders}")
    assert said.code == 0
    assert "3 classes, 2 shots" in said.out
    assert "[x]/2.png" in said.out
    assert " of 6 (" in said.out


@pytest.mark.usefixtures("pretrained")
def test_loose_queries_have_no_class(metacore: Metacore, folders: str, tmp_path: Path) -> None:
    loose = f"--support {tmp_path}/support --query {tmp_path}/query/alef"
    found = metacore(f"trial protonet-glyphs {loose} --json").json
    assert [query["class"] for query in found["queries"]] == [None, None]
    assert found["runs"][0]["accuracy"] is None
    assert " of " not in metacore(f"trial protonet-glyphs {loose}").out


@pytest.mark.usefixtures("pretrained")
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("trial", "The following arguments are required: RUN, --support, --query."),
        ("trial nothing {0}", "There is no run 'nothing'."),
        ("trial maml-sinusoid {0}", "A run trained on sinusoid cannot take part"),
        ("trial maml-glyphs {0} --norm running", "norm must be one of transductive"),
        ("trial maml-glyphs {0} --steps -1", "steps must be between 0 and 1000, not -1."),
        ("trial maml-glyphs --support nowhere --query {1}/query", "nowhere cannot be read"),
        ("trial maml-glyphs --support {1}/support/alef --query {1}/query", "lies directly in"),
        ("trial maml-glyphs --support {1}/empty --query {1}/query", "has no pictures in it."),
        ("trial maml-glyphs --support {1}/support --query {1}/odd", "is a class that"),
        ("trial maml-glyphs --support {1}/bad --query {1}/query", "a/text.png is not a PNG"),
        ("trial maml-glyphs --support {1}/one --query {1}/query/alef", "between 2 and 10 classes"),
    ],
)
def test_bad_input_ends_with_a_sentence(
    metacore: Metacore, folders: str, tmp_path: Path, line: str, sentence: str
) -> None:
    good = (tmp_path / "query" / "alef" / "2.png").read_bytes()
    for name, data in {
        "odd/gimel/1.png": good,
        "bad/a/text.png": b"x",
        "one/a/1.png": good,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "empty").mkdir()
    said = metacore(line.format(folders, tmp_path))
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert said.err.count("\n") == 1
