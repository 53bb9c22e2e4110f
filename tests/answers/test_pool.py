"""Helper processes: shared, fair, dropped when nobody waits, and replaced when they die."""

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from metacore.answers import Pool, Question, Standing, pool
from metacore.errors import UserError
from tests.answers.questions import (
    Broken,
    Counted,
    Fat,
    Killer,
    Large,
    Modules,
    Refused,
    Slow,
)

PATIENCE = 60.0


@pytest.fixture(scope="module")
def helpers() -> Iterator[Pool]:
    found = Pool(2)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    return tmp_path / "lines"


def text(lines: Path) -> list[str]:
    return lines.read_text().split("\n")[:-1] if lines.exists() else []


def eventually(what: Callable[[], bool], seconds: float = PATIENCE) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def complete(helpers: Pool, question: Question) -> Standing:
    """Asks again and again, as a page does."""
    found = helpers.ask(question)
    until = time.monotonic() + PATIENCE
    while not found.complete:
        assert time.monotonic() < until, "it was never answered"
        found = helpers.ask(question, wait=0.5)
    return found


def test_an_answer_comes_from_another_process(helpers: Pool, lines: Path) -> None:
    assert complete(helpers, Counted(str(lines), 4)).get() == 40
    assert os.getpid() not in helpers.pids()


def test_helpers_do_not_know_the_face(helpers: Pool) -> None:
    assert complete(helpers, Modules()).get() == []


def test_thirty_who_ask_the_same_wait_for_one_computation(helpers: Pool, lines: Path) -> None:
    question = Counted(str(lines), 7, seconds=0.3)
    with ThreadPoolExecutor(30) as crowd:
        found = list(crowd.map(lambda _: complete(helpers, question).get(), range(30)))
    assert found == [70] * 30
    assert text(lines) == ["7"]


def test_what_is_refused_is_a_sentence(helpers: Pool) -> None:
    with pytest.raises(UserError, match="no such thing"):
        complete(helpers, Refused()).get()


def test_an_error_nobody_foresaw_is_a_sentence_and_the_helper_lives(helpers: Pool) -> None:
    complete(helpers, Modules())
    before = set(helpers.pids())
    with pytest.raises(UserError, match="division"):
        complete(helpers, Broken()).get()
    assert set(helpers.pids()) == before


def test_a_long_answer_shows_what_is_known_of_it(helpers: Pool, lines: Path) -> None:
    question = Slow(str(lines))
    partial: list[list[int]] = []
    lefts: list[float] = []
    while not (found := helpers.ask(question, wait=0.05)).complete:
        if found.value:
            partial.append(found.value)
            lefts.append(found.left or 0.0)
    assert found.get() == list(range(10))
    assert any(0 < len(part) < 10 for part in partial)
    assert lefts[0] > lefts[-1]
    assert text(lines) == [f"slow {n}" for n in range(10)]


def test_a_quick_question_does_not_wait_behind_long_ones(helpers: Pool, lines: Path) -> None:
    long = [Slow(str(lines), f"long {n}", total=30, seconds=0.2) for n in range(3)]
    for question in long:
        helpers.ask(question)
    eventually(lambda: len(text(lines)) > 1)
    start = time.monotonic()
    complete(helpers, Counted(str(lines), 1))
    assert time.monotonic() - start < 1.0  # a fifth of one of the long ones
    assert not any(helpers.ask(question).complete for question in long)


def test_long_questions_take_turns(helpers: Pool, lines: Path) -> None:
    one, other = (Slow(str(lines), name, total=6, seconds=0.05) for name in "ab")
    helpers.ask(one)
    helpers.ask(other)
    eventually(lambda: helpers.ask(one).complete and helpers.ask(other).complete)
    order = [line[0] for line in text(lines)]
    assert order != sorted(order)


def test_what_nobody_waits_for_stops_and_goes_on_where_it_stopped(
    helpers: Pool, lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "LEASE_SECONDS", 0.5)
    question = Slow(str(lines), total=20, seconds=0.1)
    helpers.ask(question)
    eventually(lambda: helpers.at_work() == 0)
    begun = len(text(lines))
    assert 0 < begun < 20
    time.sleep(0.4)
    assert len(text(lines)) == begun
    kept = helpers.peek(question)
    assert kept is not None
    assert kept.value == list(range(begun))
    assert complete(helpers, question).get() == list(range(20))
    assert text(lines) == [f"slow {n}" for n in range(20)]


def test_one_piece_that_nobody_waits_for_is_ended(
    helpers: Pool, lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "LEASE_SECONDS", 0.3)
    monkeypatch.setattr(pool, "LEFT_SECONDS", 0.3)
    eventually(lambda: len(helpers.pids()) == 2)
    before = set(helpers.pids())
    helpers.ask(Counted(str(lines), seconds=60.0))
    eventually(lambda: text(lines) == ["0"])
    eventually(lambda: len(before & set(helpers.pids())) == 1)
    assert complete(helpers, Counted(str(lines), 3)).get() == 30


def test_what_takes_too_long_is_a_sentence(
    helpers: Pool, lines: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "LIMIT_SECONDS", 0.5)
    with pytest.raises(UserError, match="takes longer than"):
        complete(helpers, Counted(str(lines), 5, seconds=60.0)).get()


def test_a_killed_helper_is_replaced_and_its_question_asked_once_more(
    helpers: Pool, lines: Path
) -> None:
    assert complete(helpers, Killer(str(lines), 1)).get() == 1


def test_a_question_that_kills_twice_is_refused(helpers: Pool, lines: Path) -> None:
    with pytest.raises(UserError, match="ended twice"):
        complete(helpers, Killer(str(lines), 5)).get()
    assert len(lines.read_text()) == 2
    assert complete(helpers, Modules()).complete


def test_too_much_memory_is_a_sentence(helpers: Pool) -> None:
    with pytest.raises(UserError, match="not enough memory"):
        complete(helpers, Large(4 * 10**9)).get()


def test_what_is_prepared_is_there_before_anybody_asks(helpers: Pool, lines: Path) -> None:
    question = Counted(str(lines), 8)
    helpers.prepare([question])
    eventually(lambda: helpers.peek(question) is not None)
    found = helpers.ask(question)
    assert found.complete
    assert found.get() == 80


def test_no_more_is_kept_than_fits() -> None:
    small = Pool(2, budget=350_000)
    small.start()
    try:
        for number in range(6):
            complete(small, Fat(number))
        kept = [number for number in range(6) if small.peek(Fat(number))]
        assert kept == [3, 4, 5]
    finally:
        small.stop()


def test_helpers_end_with_the_pool() -> None:
    short = Pool(2)
    short.start()
    complete(short, Modules())
    pids = list(short.pids())
    short.stop()
    assert pids
    assert not any(psutil.pid_exists(pid) for pid in pids)
