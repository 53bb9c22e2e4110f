"""Uploaded pictures join a trial; what is too much is told in a sentence, once."""

import pytest

from metacore.trial.additions import EMPTY, class_name, with_examples, with_queries, without_class
from metacore.trial.photographs import Uploaded
from metacore.trial.picture import Picture

SEEN = Picture("a.png", bytes(28 * 28))


def test_pictures_join_their_classes_and_loose_ones_the_one_that_is_named() -> None:
    trial, said = with_examples(EMPTY, Uploaded({"alef": [SEEN, SEEN], "": [SEEN]}), "alef")
    assert trial.classes == ("alef",)
    assert [len(shots) for shots in trial.support] == [3]
    assert not said


def test_each_upload_of_loose_pictures_without_a_name_is_a_class_of_its_own() -> None:
    trial = EMPTY
    for _ in range(3):
        trial, _ = with_examples(trial, Uploaded({"": [SEEN]}), "")
    assert trial.classes == ("A", "B", "C")
    trial, _ = with_examples(without_class(trial, "A"), Uploaded({"": [SEEN]}), "")
    assert trial.classes == ("B", "C", "A"), "no class is added to that was not meant"


def test_too_many_are_one_sentence_each() -> None:
    many = Uploaded({f"class {n}": [SEEN] * 21 for n in range(13)})
    trial, said = with_examples(EMPTY, many, "")
    assert len(trial.classes) == 10
    assert {len(shots) for shots in trial.support} == {20}
    assert said[-1] == (
        "class 10, class 11 and class 12 are left out: a trial has at most 10 classes."
    )
    assert said[0] == "class 0 has more than 20 pictures: the first ones are kept."
    trial, said = with_queries(trial, Uploaded({"": [SEEN] * 201}))
    assert len(trial.query) == 200
    assert said == ["There are more than 200 queries: the first ones are kept."]


@pytest.mark.parametrize(
    ("given", "named"),
    [("a\nb", "a b"), ("  a  ", "a"), ("\u202eevil", "evil"), ("x" * 99, "x" * 40), ("\0", "")],
)
def test_a_folders_name_is_made_one_line_of_letters(given: str, named: str) -> None:
    assert class_name(given) == named
