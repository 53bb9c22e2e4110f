"""A download that is cut goes on where it stopped, and the file is the one that was sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from metacore.datasets import resumable
from metacore.errors import UserError
from tests.datasets.server import Files, serving

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    monkeypatch.setattr(resumable, "PAUSE", 0.01)
    with serving() as files:
        files.content["file"] = CONTENT
        yield files


def fetched(server: Files, folder: Path, first: int | None = None) -> bytes:
    target = folder / "file"
    resumable.fetch(f"{server.address}/file", target, what="file", first=first, again="Or not.")
    assert [path.name for path in folder.iterdir()] == ["file"]
    return target.read_bytes()


def test_a_whole_file_arrives(server: Files, tmp_path: Path) -> None:
    assert fetched(server, tmp_path) == CONTENT


def test_only_its_beginning_is_asked_for(server: Files, tmp_path: Path) -> None:
    assert fetched(server, tmp_path, 1000) == CONTENT[:1000]
    assert server.asked == ["bytes=0-999"]


def test_a_server_that_cannot_send_parts_is_left_early(server: Files, tmp_path: Path) -> None:
    server.ranges = False
    assert fetched(server, tmp_path, 1000) == CONTENT[:1000]


def test_more_than_there_is_is_all_of_it(server: Files, tmp_path: Path) -> None:
    assert fetched(server, tmp_path, 10**9) == CONTENT


def test_a_cut_connection_goes_on_from_there(server: Files, tmp_path: Path) -> None:
    server.cuts = [70_000, 5]
    assert fetched(server, tmp_path) == CONTENT
    assert server.asked == [None, "bytes=70000-", "bytes=70005-"]


def test_a_busy_server_is_asked_again(server: Files, tmp_path: Path) -> None:
    server.errors = [503]
    assert fetched(server, tmp_path) == CONTENT


def test_what_arrived_is_kept_for_the_next_time(server: Files, tmp_path: Path) -> None:
    server.cuts = [1000] * resumable.TRIES
    with pytest.raises(UserError, match=r"cut after 4,000 of 256,000 bytes.*goes on.*Or not\."):
        fetched(server, tmp_path)
    assert not (tmp_path / "file").exists()
    assert fetched(server, tmp_path) == CONTENT
    assert server.asked[-1] == "bytes=4000-"


def test_a_file_that_has_changed_is_not_mixed_with_the_old(server: Files, tmp_path: Path) -> None:
    server.cuts = [1000] * resumable.TRIES
    with pytest.raises(UserError):
        fetched(server, tmp_path)
    server.content["file"], server.version = CONTENT[::-1], "2"
    assert fetched(server, tmp_path) == CONTENT[::-1]


def test_a_part_that_is_the_whole_is_taken(server: Files, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT)
    assert fetched(server, tmp_path) == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(server: Files, tmp_path: Path) -> None:
    (tmp_path / "file.part").write_bytes(CONTENT + b"more")
    assert fetched(server, tmp_path) == CONTENT


def test_what_is_not_there_is_a_sentence_at_once(server: Files, tmp_path: Path) -> None:
    server.content.clear()
    with pytest.raises(UserError, match=r"cannot be had \(error 404\)\. Or not\."):
        fetched(server, tmp_path)
    assert len(server.asked) == 1


def test_no_network_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumable, "PAUSE", 0.01)
    with pytest.raises(UserError, match=r"cannot be reached .*Or not\."):
        resumable.fetch("http://127.0.0.1:9/x", tmp_path / "x", what="x", again="Or not.")


def test_it_tells_how_far_it_is(server: Files, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int | None]] = []
    server.cuts = [70_000]
    resumable.fetch(
        f"{server.address}/file",
        tmp_path / "file",
        what="cat",
        progress=lambda *state: seen.append(state),
    )
    assert {what for what, _, _ in seen} == {"cat"}
    assert [done for _, done, _ in seen] == sorted(done for _, done, _ in seen)
    assert seen[-1][1:] == (len(CONTENT), len(CONTENT))
