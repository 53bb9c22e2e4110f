"""Episodes: slices and stacks keep every part in step."""

import pytest
import torch

from metacore.datasets.regression import Sinusoid, SinusoidConfig
from metacore.episode import Episode, stack
from metacore.errors import UserError
from metacore.randomness import generator
from metacore.training.learner import build
from tests.training.small import small

NAMES = ("support_x", "support_y", "query_x", "query_y", "classes")


@pytest.fixture
def episode() -> Episode:
    """Seven tasks whose every number says which task it is of."""
    task = torch.arange(7)
    return Episode(
        support_x=task[:, None, None].expand(7, 6, 4).float(),
        support_y=task[:, None].expand(7, 6),
        query_x=task[:, None, None].expand(7, 9, 4).float(),
        query_y=task[:, None].expand(7, 9),
        ways=3,
        classes=task[:, None].expand(7, 3),
    )


def test_a_slice_has_its_tasks_only(episode: Episode) -> None:
    piece = episode[2:5]
    assert (piece.tasks, piece.ways, piece.regression) == (3, 3, False)
    for name in NAMES:
        assert getattr(piece, name).flatten(1)[:, 0].tolist() == [2, 3, 4]


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_pieces_put_together_are_the_whole(episode: Episode, size: int) -> None:
    pieces = list(episode.split(size))
    assert max(piece.tasks for piece in pieces) == min(size, 7)
    whole = stack(pieces)
    assert all(getattr(whole, name).equal(getattr(episode, name)) for name in NAMES)


def test_curves_have_no_classes() -> None:
    curves = Sinusoid(SinusoidConfig(), torch.device("cpu")).sample(
        "train", tasks=4, shots=5, queries=2, generator=generator(0, "test")
    )
    assert curves.regression
    assert stack(list(curves.split(3))).classes is None
    assert curves[1:2].support_x.shape == (1, 5, 1)


def test_a_generator_is_named_by_all_three() -> None:
    def draw(*name: int | str) -> int:
        return int(torch.randint(2**62, (), generator=generator(*name)))  # type: ignore[arg-type]

    names = [(0, "a", 0), (1, "a", 0), (0, "b", 0), (0, "a", 1), (10, "a", 0), (1, "0/a", 0)]
    assert len({draw(*name) for name in names}) == len(names)
    assert draw(0, "a", 0) == draw(0, "a", 0)


def labelled(tasks: int, ways: int, shots: int) -> Episode:
    """Pictures of one number, which is 100 * task + 10 * class + shot."""
    task, label, shot = torch.meshgrid(
        torch.arange(tasks), torch.arange(ways), torch.arange(shots), indexing="ij"
    )
    x = (100 * task + 10 * label + shot).flatten(1)[..., None].float()
    y = label.flatten(1)
    return Episode(support_x=x, support_y=y, query_x=x, query_y=y, ways=ways)


def curves(tasks: int) -> Episode:
    return Sinusoid(SinusoidConfig(), torch.device("cpu")).sample(
        "train", tasks=tasks, shots=5, queries=2, generator=generator(0, "test")
    )


def test_fewer_shots_are_the_first_of_every_class() -> None:
    fewer = labelled(tasks=2, ways=3, shots=4).fewer_shots(2)
    assert fewer.support_x[..., 0].tolist() == [
        [0, 1, 10, 11, 20, 21],
        [100, 101, 110, 111, 120, 121],
    ]
    assert fewer.support_y.tolist() == [[0, 0, 1, 1, 2, 2]] * 2
    assert fewer.query_x.shape == (2, 12, 1)


def test_fewer_points_of_a_curve_are_the_first_ones() -> None:
    whole = curves(3)
    fewer = whole.fewer_shots(2)
    assert fewer.support_x.equal(whole.support_x[:, :2])
    assert fewer.support_y.equal(whole.support_y[:, :2])
    assert fewer.query_y.equal(whole.query_y)


@pytest.mark.parametrize("shots", [0, 5])
def test_shots_that_are_not_there_are_refused(shots: int) -> None:
    with pytest.raises(UserError, match=f"between 1 and 4.*not {shots}"):
        labelled(tasks=1, ways=3, shots=4).fewer_shots(shots)


def test_an_edit_leaves_out_and_relabels() -> None:
    whole = labelled(tasks=1, ways=2, shots=3)
    edited = whole.edited(left_out={0, 4}, labels={2: 1})
    assert edited.support_x[0, :, 0].tolist() == [1, 2, 10, 12]
    assert edited.support_y.tolist() == [[0, 1, 1, 1]]
    assert edited.query_y.equal(whole.query_y)
    assert whole.support_y.tolist() == [[0, 0, 0, 1, 1, 1]]  # the one edited stays as it was


def test_an_edited_task_can_have_fewer_shots() -> None:
    edited = labelled(tasks=1, ways=2, shots=3).edited({0}, {1: 1})
    assert edited.fewer_shots(2).support_x[0, :, 0].tolist() == [1, 2, 10]


@pytest.mark.parametrize(
    ("left_out", "labels", "sentence"),
    [
        ({3, 4}, {5: 0}, "Class 2 would have no support example left"),
        ({6}, {}, "no support example 7: the task has 6"),
        ({-1}, {}, "no support example 0: the task has 6"),
        ((), {0: 2}, "no class 3: the task has 2"),
    ],
)
def test_an_impossible_edit_is_refused(left_out: set, labels: dict, sentence: str) -> None:
    with pytest.raises(UserError, match=sentence):
        labelled(tasks=1, ways=2, shots=3).edited(left_out, labels)


def test_only_one_task_is_edited() -> None:
    with pytest.raises(UserError, match="one task"):
        labelled(tasks=2, ways=2, shots=3).edited({0}, {})


def test_points_of_a_curve_can_be_left_out_but_not_relabelled() -> None:
    curve = curves(1)
    assert curve.edited({0, 2}, {}).support_x.equal(curve.support_x[:, [1, 3, 4]])
    with pytest.raises(UserError, match="no point left"):
        curve.edited(range(5), {})
    with pytest.raises(UserError, match="no label"):
        curve.edited((), {0: 0})


@pytest.mark.parametrize("algorithm", ["protonet", "matching", "maml", "anil", "reptile"])
def test_algorithms_adapt_to_uneven_classes(algorithm: str) -> None:
    """What was left out does not matter any more, and what stayed still does."""
    learner = build(small(algorithm, "glyphs"))
    whole = learner.dataset.episodes("test", ways=3, shots=3, queries=2, seed=0, numbers=range(1))
    edited = whole.edited({0, 1}, {8: 1})

    def logits(episode: Episode) -> torch.Tensor:
        *_, last = learner.algorithm.adapt(learner.params, episode, norm="support")
        return last(episode.query_x)

    found = logits(edited)
    assert found.shape == (1, 6, 3)
    assert found.isfinite().all()
    assert not torch.allclose(found, logits(whole), atol=1e-4)


def test_the_prototype_of_an_edited_class_is_the_mean_of_what_is_left() -> None:
    learner = build(small("protonet", "glyphs"))
    whole = learner.dataset.episodes("test", ways=2, shots=3, queries=2, seed=0, numbers=range(1))
    edited = whole.edited({0}, {2: 1})
    (predictor,) = learner.algorithm.adapt(learner.params, edited)
    seen = predictor.explain(edited.query_x)
    features, centres = seen.support[0], seen.prototypes[0]  # examples 1 to 5 of the whole
    assert torch.allclose(centres[0], features[0], atol=1e-6)
    assert torch.allclose(centres[1], features[1:].mean(0), atol=1e-6)


def test_chance_is_a_task_s_own_wherever_the_meta_batch_is_cut() -> None:
    episode = Episode.of_support(torch.zeros(5, 4, 1), torch.zeros(5, 4, dtype=torch.long), 2)
    draws = [
        torch.cat([piece.chance(7, torch.Generator().manual_seed(3)) for piece in pieces])
        for pieces in ([episode], episode.split(2), [episode[:1], episode[1:][:3], episode[1:][3:]])
    ]
    assert draws[0].shape == (5, 7)
    assert all(torch.equal(draws[0], one) for one in draws[1:])
    assert len(set(draws[0].flatten().tolist())) == 35
