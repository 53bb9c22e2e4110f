"""What a person has uploaded: classes of pictures, and queries, under an id in the address.

So a reload shows it again, also in the middle of the reading, and Back what was there before.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from metacore import UserError
from metacore.answers.uploads import Reading
from metacore.runs import uploads
from metacore.runs.uploads import Note
from metacore.trial.additions import EMPTY, without_class
from metacore.trial.photographs import Uploaded
from metacore.trial.task import FEWEST_WAYS, Settings, Trial
from pages.ui import state, visitor, waiting

NAME = "upload"  # in the address
FARTHEST = 20  # uploads back that are asked what was refused


@dataclass(frozen=True)
class Shown:
    """The trial as far as it is read."""

    trial: Trial = EMPTY
    upload: str = ""
    pending: tuple[Reading, ...] = ()
    trouble: str = ""


def current(linked: Trial | None) -> Shown:
    """What the address says: an upload, or the kept trial that it links to."""
    upload = state.first(NAME)
    try:
        return _shown(upload) if upload else Shown(linked or EMPTY)
    except UserError as error:
        return Shown(trouble=str(error))


def _shown(upload: str) -> Shown:
    note = uploads.note_of(upload)
    if (trial := _complete(upload)) is not None:
        return Shown(trial, upload)
    before = _shown(note.before) if note.before else Shown()
    question = Reading(upload=upload, total=note.total)
    standing = waiting.one(question)
    if standing.complete and not before.pending:
        return Shown(uploads.complete(upload, standing.get()), upload)
    trial, _ = uploads.added(before.trial, note, standing.value or Uploaded())
    return Shown(trial, upload, (*before.pending, question))


def _complete(upload: str) -> Trial | None:
    try:
        return _read(upload)
    except LookupError:
        return None


@lru_cache(maxsize=32)
def _read(upload: str) -> Trial:
    """It never changes once it is there."""
    found = uploads.trial_of(upload)
    if found is None:
        raise LookupError(upload)
    return found


def refused(upload: str, *, query: bool) -> Sequence[str]:
    """Why files are left out: those that were last uploaded as queries, or as examples."""
    for _ in range(FARTHEST):
        if not upload or not uploads.known(upload):
            break
        note = uploads.note_of(upload)
        if note.files and note.query == query:
            return note.refused
        upload = note.before
    return ()


# --- changes -------------------------------------------------------------------------------------


def begin(
    shown: Shown, files: Sequence[tuple[str, bytes | memoryview]], *, query: bool, loose: str
) -> None:
    """Has new files read, and added to what is shown."""
    before = shown.upload
    if not before and shown.trial != EMPTY:
        before = uploads.save(shown.trial, Note(owner=_owner()))
    note = Note(before=before, owner=_owner(), query=query, loose=loose)
    state.put(NAME, uploads.begin(note, files))


def forget(shown: Shown, label: str) -> None:
    go_on(without_class(shown.trial, label), shown.upload)


def forget_queries(shown: Shown) -> None:
    go_on(replace(shown.trial, query=(), labels=()), shown.upload)


def go_on(trial: Trial, before: str = "") -> None:
    """Shows this from now on."""
    state.put(NAME, uploads.save(trial, Note(before=before, owner=_owner())))


def remove(shown: Shown) -> None:
    uploads.remove(shown.upload, _owner())
    state.drop(NAME)


def _owner() -> str:
    return visitor.current().owner


def trial(shown: Shown, run_ids: Sequence[str]) -> Trial:
    """A UserError says what is missing."""
    if len(shown.trial.classes) < FEWEST_WAYS:
        raise UserError("Still to come: pictures of at least two classes.")
    return replace(shown.trial, settings=Settings(runs=tuple(run_ids)))
