"""Trials kept here: found again by their id alone, bounded, never outside their folder."""

import pytest

from metacore import UserError, home
from metacore.runs import trials


def test_what_is_kept_is_found_again() -> None:
    name = trials.save(b"{}")
    assert trials.load(name) == b"{}"
    assert trials.save(b"{}") == name
    assert trials.save(b"{ }") != name
    assert len(list(home.trials_folder().iterdir())) == 2


@pytest.mark.parametrize("name", ["", "0" * 16, "../runs/secret", "0" * 15 + "/", "é" * 16])
def test_what_is_not_there_is_a_sentence(name: str) -> None:
    with pytest.raises(UserError, match="no such trial"):
        trials.load(name)


def test_there_is_an_end_to_how_many_and_how_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trials, "MOST", 2)
    first = trials.save(b"1")
    trials.save(b"2")
    with pytest.raises(UserError, match="2 trials are kept here already"):
        trials.save(b"3")
    assert trials.save(b"1") == first, "what is there already takes no room"
    with pytest.raises(UserError, match="up to 16 MB"):
        trials.save(b"x" * (trials.LARGEST + 1))


def test_a_folder_that_cannot_be_made_is_a_sentence() -> None:
    home.trials_folder().write_text("a file in its place")
    with pytest.raises(UserError, match="cannot be written"):
        trials.save(b"{}")
