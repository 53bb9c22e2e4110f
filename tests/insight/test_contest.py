"""A contest is the same for everybody, asks as an evaluation does, and believes no address."""

from dataclasses import replace

import pytest
import torch

from metacore import datasets
from metacore.datasets.omniglot import OmniglotConfig
from metacore.errors import UserError
from metacore.insight import contest
from metacore.insight.contest import LEVELS, QUERIES, ROUNDS, Contest
from metacore.insight.contest_replies import (
    LearnerAnswer,
    Reply,
    answer,
    read,
    tally_answers,
    tally_replies,
    unfair,
    write,
)
from metacore.insight.likeness import distances
from metacore.insight.trace import trace
from metacore.training.learner import build
from tests.training.small import small

CPU = torch.device("cpu")


def glyphs(level: str = "five", **more: int) -> Contest:
    return Contest(dataset="glyphs", level=level, **more)


def classes(of: Contest, number: int) -> list[int]:
    return of.puzzle(number, CPU).episode.classes[0].tolist()


def test_a_number_names_the_puzzles() -> None:
    first, again, other = (glyphs(seed=seed) for seed in (7, 7, 8))
    for number in range(ROUNDS):
        one, two = (each.puzzle(number, CPU) for each in (first, again))
        assert one.episode.support_x.equal(two.episode.support_x)
        assert (one.query, one.truth) == (two.query, two.truth)
    assert [classes(first, n) for n in range(3)] != [classes(other, n) for n in range(3)]
    assert classes(first, 0) != classes(first, 1)


@pytest.mark.parametrize("level", LEVELS["glyphs"])
@pytest.mark.parametrize("shots", [1, 3])
def test_a_puzzle_is_one_whole_episode(level: contest.Level, shots: int) -> None:
    puzzle = glyphs(level.name, shots=shots).puzzle(4, CPU)
    episode = puzzle.episode
    assert episode.support_x.shape[:2] == (1, level.ways * shots)
    assert episode.query_x.shape[:2] == (1, level.ways * QUERIES)
    assert len(set(episode.classes[0].tolist())) == level.ways
    assert 0 <= puzzle.truth < level.ways
    asked = episode.query_x[0, puzzle.query]
    assert not any(asked.equal(seen) for seen in episode.support_x[0])


def test_every_class_is_asked_about_sooner_or_later() -> None:
    truths = {
        glyphs(seed=seed).puzzle(number, CPU).truth for seed in range(3) for number in range(10)
    }
    assert truths == set(range(5))


def test_those_that_look_alike_do() -> None:
    """Measured on other drawings' pixels than the blurred means they were chosen by."""

    def spread(level: str) -> float:
        gaps = []
        for number in range(ROUNDS):
            episode = glyphs(level, seed=2).puzzle(number, CPU).episode
            means = episode.query_x[0].unflatten(0, (5, QUERIES)).mean(1).flatten(1)
            gaps.append(torch.pdist(means).mean())
        return float(torch.stack(gaps).mean())

    assert spread("alike") < 0.85 * spread("five")


def test_distances_are_in_units_of_the_scatter() -> None:
    """Blots that wobble by a pixel: a twin stands at zero, one ten pixels away far beyond it."""

    def blots(column: int) -> torch.Tensor:
        images = torch.zeros(8, 1, 28, 28, dtype=torch.uint8)
        for number, image in enumerate(images):
            image[0, 10:14, column + number % 2 : column + number % 2 + 4] = 255
        return images

    far = distances(torch.stack([blots(6), blots(6), blots(7), blots(16)]))
    assert far[0, 1] == pytest.approx(0, abs=1e-3)
    assert far[0, 1] < contest.APART < far[0, 2] < far[0, 3]
    assert far.equal(far.T)


@pytest.mark.usefixtures("omniglot_home")
def test_alphabets_meet_or_do_not() -> None:
    names = _omniglot_names()
    for number in range(ROUNDS):
        different, one, twenty = (
            [names[c] for c in classes(Contest(dataset="omniglot", level=level), number)]
            for level in ("alphabets", "one", "twenty-of-one")
        )
        assert (len(set(different)), len(different)) == (5, 5)
        assert (len(set(one)), len(one)) == (1, 5)
        assert (len(set(twenty)), len(twenty)) == (1, 20)


def _omniglot_names() -> list[str]:
    source = datasets.load(contest.CONFIGS["omniglot"], CPU)
    return [name.partition("/")[0] for name in source.class_names("test")]


def test_where_omniglot_is_missing_a_sentence_says_how_to_get_it() -> None:
    datasets.forget()
    with pytest.raises(UserError, match="metacore data get omniglot"):
        Contest(dataset="omniglot", level="one").puzzle(0, CPU)


@pytest.mark.parametrize("algorithm", ["maml", "protonet"])
def test_a_learner_is_asked_as_an_evaluation_asks_it(algorithm: str) -> None:
    """The trace of the whole episode is made elsewhere; its last moment is the answer."""
    learner = build(small(algorithm, "glyphs"), device="cpu")
    puzzle = glyphs(seed=3).puzzle(0, CPU)
    given, seen = answer(learner, puzzle), trace(learner, puzzle.episode)
    expected = seen.query_probabilities[-1, 0, puzzle.query]
    assert given.probabilities == pytest.approx(expected.tolist(), abs=1e-5)
    assert given.choice == int(expected.argmax())
    assert given.confidence == pytest.approx(float(expected.max()), abs=1e-5)
    assert given.norm == seen.norm
    assert given.accuracy == pytest.approx(float(seen.query_score[-1, 0]))
    assert given.seconds > 0


def test_a_network_that_diverged_has_no_answer() -> None:
    learner = build(small("maml", "glyphs"), device="cpu")
    learner.params = {name: value * float("nan") for name, value in learner.params.items()}
    given = answer(learner, glyphs().puzzle(0, CPU))
    assert given.choice is None
    assert given.accuracy == 0


def test_who_was_trained_on_the_characters_may_not_play() -> None:
    ours, theirs = (
        small("protonet", "omniglot").replace(dataset=OmniglotConfig(split=split))
        for split in ("vinyals", "authors")
    )
    about = Contest(dataset="omniglot", level="one")
    assert unfair(ours, about) is None
    assert "authors split" in str(unfair(theirs, about))
    assert unfair(theirs, glyphs()) is None
    assert unfair(small("protonet", "glyphs"), about) is None


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"dataset": "sinusoid"}, "no contest about 'sinusoid': choose one of glyphs, omniglot"),
        ({"level": "one"}, "glyphs has no level 'one'"),
        ({"shots": 2}, "no 2 shots: choose one of 1, 3, 5"),
        ({"seed": -1}, "between 0 and"),
        ({"seed": 2**31}, "between 0 and"),
    ],
)
def test_a_contest_that_does_not_exist_is_refused(wrong: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        replace(glyphs(), **wrong)


def test_levels_lead_on_to_the_last() -> None:
    for dataset, levels in LEVELS.items():
        steps = [Contest(dataset=dataset, level=level.name).harder for level in levels]
        assert steps == [*levels[1:], None]


def test_replies_travel_in_an_address() -> None:
    given = [Reply(0, 3.14), Reply(4, 0.0), Reply(2, 5000.0)]
    text = write(given)
    assert text == "A31E0C9999"
    assert read(text, 5) == [Reply(0, 3.1), Reply(4, 0.0), Reply(2, 999.9)]
    assert read("", 5) == []


@pytest.mark.parametrize(
    "text",
    ["-", "A", "12", "A1B", "F1", "a1", "A10000", "A1 ", "A1\n", "U1", "A١", "A1" * 11, "A-1"],
)
def test_replies_nobody_gave_are_not_believed(text: str) -> None:
    assert read(text, 5) == []


def test_scores_count_what_was_right() -> None:
    truths = [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    replies = [Reply(truth, 2.0) for truth in truths]
    replies[3] = Reply(0, 12.0)
    mine = tally_replies(replies, truths)
    assert mine.marks == (*[True] * 3, False, *[True] * 6)
    assert (mine.right, mine.accuracy, mine.seconds) == (9, 0.9, 3.0)
    assert mine.interval == pytest.approx((0.5958, 0.9821), abs=5e-5)
    assert mine.overall is None
    sure, lost = (
        LearnerAnswer((1.0, 0, 0, 0, 0), 0.1, "support", 0.5),
        LearnerAnswer((0.0,) * 5, 0.3, "s", 0.0),
    )
    its = tally_answers([sure, lost] * 5, truths)
    assert (its.right, its.seconds) == (1, pytest.approx(0.2))
    assert its.overall == pytest.approx((0.25, 1.96 * 0.25 * (10 / 9) ** 0.5 / 10**0.5))
