"""`metacore serve`: what it starts, for whom, and what it refuses; the server itself is not run."""

import re
from pathlib import Path

import pytest

from metacore.cli import serve
from metacore.runs.classroom import VARIABLE, Classroom
from tests.cli.conftest import Metacore

Started = list[tuple[list[str], dict[str, str]]]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    """The servers that would have been started, with their environments."""
    found: Started = []
    monkeypatch.setattr(serve, "_become", lambda words, given: found.append((words, given)) or 0)
    return found


def hosts(words: list[str]) -> set[str]:
    return {word.partition("=")[2] for word in words if word.startswith("--server.allowedHosts")}


def test_alone_it_listens_on_this_computer_only(metacore: Metacore, started: Started) -> None:
    said = metacore("serve --port 9000")
    ((words, environment),) = started
    assert words[1:5] == ["-m", "streamlit", "run", str(serve.APP)]
    assert "--server.address=127.0.0.1" in words
    assert "--server.port=9000" in words
    assert hosts(words) == {"localhost", "127.0.0.1", "::1"}
    assert VARIABLE not in environment
    assert said.out == ""


def test_a_class_is_told_where_to_go_and_the_teacher_how(
    metacore: Metacore, started: Started
) -> None:
    said = metacore("serve --class --port 9000 --quota 3 --budget 120 --host school.example")
    ((words, environment),) = started
    assert "--server.address=0.0.0.0" in words
    assert {"school.example", "127.0.0.1", "localhost"} <= hosts(words)
    assert "*" not in hosts(words)
    assert "http://school.example:9000" in said.out
    key = re.search(r"school\.example:9000/\?teacher=([a-z0-9-]{19})$", said.out, re.M)
    assert key
    room = Classroom.from_json(environment[VARIABLE])
    assert room.fits(key[1])
    assert not room.fits("")
    assert (room.limits.quota, room.limits.seconds) == (3, 120)
    assert key[1] not in str(started), "the key itself is known to nobody but who reads it"


def test_every_class_has_another_key(metacore: Metacore, started: Started) -> None:
    keys = {metacore("serve --class --json").json["key"] for _ in range(2)}
    assert len(keys) == 2


def test_teachers_and_their_key_can_be_named(metacore: Metacore, started: Started) -> None:
    metacore("serve --class --teacher-key our-secret-room-12 --teachers ada@b.c,bob@b.c")
    room = Classroom.from_json(started[0][1][VARIABLE])
    assert room.fits("our-secret-room-12")
    assert room.teachers == ("ada@b.c", "bob@b.c")


def test_serving_others_without_a_class_is_warned_about(
    metacore: Metacore, started: Started
) -> None:
    assert "may cancel and delete every run" in metacore("serve --address 0.0.0.0").out


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("serve --quota 3", "--quota is a rule of a class: add --class."),
        ("serve --teacher-key abcdefghijklmn", "--teacher-key is a rule of a class: add --class."),
        ("serve --class --quota 0", "quota must be between 1 and 100, not 0."),
        ("serve --class --teacher-key short", "--teacher-key needs 12 or more letters"),
        ("serve --class --address nowhere.invalid --port x", "--port must be a whole number"),
        ("serve --class --teacher-key a&b=c#d?e/f+g", "letters, digits and dashes"),
    ],
)
def test_refusals(metacore: Metacore, started: Started, line: str, sentence: str) -> None:
    said = metacore(line)
    assert (said.code, started) == (2, [])
    assert sentence in said.err


def test_without_the_dashboard_beside_it_it_says_where_to_find_one(
    metacore: Metacore, started: Started, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serve, "APP", tmp_path / "app.py")
    assert "run metacore serve from a copy of the repository" in metacore("serve").err
    assert not started
