"""What was uploaded lately is there again, for a while; its files are not."""

import os
import time
from pathlib import Path

import pytest

from metacore import home
from metacore.answers.uploads import Reading, _reader
from metacore.errors import UserError
from metacore.runs import uploads
from metacore.runs.uploads import Note
from metacore.trial import photographs
from metacore.trial.additions import EMPTY
from tests.trial.hands import file, scan
from tests.trial.reading import read_uploads
from tests.trial.test_photographs import ink
from tests.trial.test_uploads import packed

GOOD = file(scan(ink()))
ZIP = packed({**{f"a/{n}.png": GOOD for n in range(4)}, "b/1.png": GOOD, "b/2.png": b"text"})
FILES = [("letters.zip", ZIP), ("loose.png", GOOD)]


def begun(note: Note | None = None) -> str:
    return uploads.begin(note or Note(), FILES)


def reading(upload: str) -> Reading:
    return Reading(upload=upload, total=uploads.note_of(upload).total)


def test_an_upload_becomes_a_trial_and_its_files_go() -> None:
    upload = begun(Note(loose="c"))
    assert uploads.trial_of(upload) is None
    trial = uploads.complete(upload, reading(upload).answer())
    assert trial.classes == ("a", "b", "c")
    assert uploads.trial_of(upload) == trial
    assert "b/2.png is not a PNG" in uploads.note_of(upload).refused[0]
    assert not (home.uploads_folder() / upload / "files").exists()


def test_reading_goes_on_in_another_process_and_says_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(photographs, "MOST_PICTURES", 5)
    asked = reading(begun())
    pieces, done = [], 0
    while done < asked.total:
        _reader.cache_clear()  # as another process would begin
        piece, done = asked.some(done, 0.0)
        pieces.append(piece)
    assert len(pieces) == asked.total
    assert asked.joined(pieces) == read_uploads(FILES)
    assert "loose.png is left out: an upload has at most 5 pictures." in pieces[-1]


def test_what_is_added_is_another_upload_on_top() -> None:
    first = begun()
    read = reading(first).answer()
    second = begun(Note(before=first, query=True))
    with pytest.raises(UserError, match="not read yet"):
        uploads.complete(second, read)
    uploads.complete(first, read)
    trial = uploads.complete(second, reading(second).answer())
    assert len(trial.query) == 6
    assert uploads.trial_of(first) != trial, "Back leads to what was there before"


def test_removing_takes_the_steps_to_it_along_and_nothing_of_others() -> None:
    other = uploads.save(EMPTY, Note(owner="somebody else"))
    first = uploads.save(EMPTY, Note(owner="me", before=other))
    second = uploads.save(EMPTY, Note(owner="me", before=first))
    uploads.remove(second, "nobody")
    assert uploads.known(second)
    uploads.remove(second, "me")
    assert [uploads.known(each) for each in (second, first, other)] == [False, False, True]


def test_old_uploads_and_unread_files_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST", 3)
    old, unread, kept = uploads.save(EMPTY, Note()), begun(), uploads.save(EMPTY, Note())
    aged(old, 31 * 86400)
    aged(unread, 2 * 3600)
    new = [uploads.save(EMPTY, Note()) for _ in range(2)]
    assert [uploads.known(each) for each in (old, unread, kept, *new)] == [
        False,
        False,
        *[True] * 3,
    ]
    aged(kept, 60)
    uploads.save(EMPTY, Note())
    assert not uploads.known(kept)
    monkeypatch.setattr(uploads, "MOST_UNREAD", len(ZIP))
    with pytest.raises(UserError, match="try again in a minute"):
        begun()


def aged(upload: str, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(home.uploads_folder() / upload, (then, then))


@pytest.mark.parametrize("upload", ["0123456789abcdef", "../../etc", "", "x" * 5000])
def test_an_upload_that_is_not_there_is_a_sentence(upload: str) -> None:
    with pytest.raises(UserError, match="no longer on this computer"):
        uploads.trial_of(upload)


def test_a_damaged_note_is_a_sentence() -> None:
    upload = uploads.save(EMPTY, Note())
    for text in ("{", "[]", '{"files": 3, "refused": []}', '{"files": [], "refused": [], "x": 1}'):
        (home.uploads_folder() / upload / "note.json").write_text(text)
        with pytest.raises(UserError, match="no longer on this computer"):
            uploads.note_of(upload)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_home_is_a_sentence(home: Path) -> None:
    home.chmod(0o500)
    try:
        with pytest.raises(UserError, match="There is no room for this upload"):
            begun()
    finally:
        home.chmod(0o700)
