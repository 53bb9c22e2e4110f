"""The builder of films: what is done goes on level, what was stopped ends, and too much is cut."""

import numpy as np
import pytest
import torch

from metacore.episode import Episode
from pages.ui import film
from pages.ui.film import FilmedRun

STEPS = [0, 1, 2, 3, 4, 5]


@pytest.fixture(autouse=True)
def light(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pages.ui.charts.theme", lambda: "light")


def filmed(name: str, steps: list[int], *, reference: bool = False) -> FilmedRun:
    score = np.linspace(0.2, 0.8, len(steps), dtype=np.float32)
    return FilmedRun(
        name=name,
        color="#000000",
        steps=steps,
        support_loss=1 - score,
        score=score,
        probabilities=np.full((len(steps), 6, 3), 1 / 3, np.float32),
        reference=reference,
    )


def test_a_run_that_is_done_keeps_what_it_answered_last() -> None:
    at_once, quick = filmed("at once", [0]), filmed("quick", [0, 1, 2])
    assert at_once.over(STEPS, [7.0]) == [7.0] * 6
    assert quick.over(STEPS, [1.0, 2.0, 3.0]) == [1.0, 2.0, 3.0, 3.0, 3.0, 3.0]


def test_between_its_own_steps_a_run_stands_where_it_was() -> None:
    assert filmed("sparse", [0, 2, 5]).over(STEPS, [1.0, 2.0, 3.0]) == [1, 1, 2, 2, 2, 3]


def test_a_reference_ends_where_it_was_stopped() -> None:
    run = filmed("from scratch", [0, 1, 2], reference=True)
    assert run.over(STEPS, [1.0, 2.0, 3.0]) == [1.0, 2.0, 3.0]


def test_the_film_has_the_steps_of_all_runs_up_to_a_limit() -> None:
    runs = [filmed("a", [0, 1, 2]), filmed("b", [0, 2, 50])]
    assert film.steps_of(runs) == [0, 1, 2, 50]
    assert film.steps_of(runs, longest=20) == [0, 1, 2]


def test_accuracies_stand_beside_chance_and_errors_do_not() -> None:
    runs = [filmed("a", STEPS)]
    accuracy, error = (film.scores(runs, STEPS, ways=ways) for ways in (4, None))
    assert [line.name for line in accuracy.lines] == ["a", "chance"]
    assert list(accuracy.lines[1].values) == [0.25] * 6
    assert [line.name for line in error.lines] == ["a"]
    assert error.range == (0, pytest.approx(1.06 * 0.4))  # at most twice where they began


def test_a_board_shows_five_support_drawings_of_a_class_and_says_how_many_more() -> None:
    shots, ways = 7, 3
    episode = Episode(
        torch.zeros(1, ways * shots, 1, 4, 4),
        torch.arange(ways).repeat_interleave(shots)[None],
        torch.zeros(1, 6, 1, 4, 4),
        torch.arange(ways).repeat_interleave(2)[None],
        ways=ways,
    )
    runs = [filmed("a", [0, 1]), filmed("from scratch", [0, 1], reference=True)]
    (board,) = film.boards(runs, episode)
    assert [drawing.number for drawing in board.support] == [0] * 5 + [1] * 5 + [2] * 5
    assert board.note.endswith("2 more support drawings per class")
    assert np.shape(board.query[0].probabilities) == (2, 3)
