"""What the runs that come with Metacore claim, found again."""

import metacore as mc
from metacore.algorithms.distil import DistilClasses
from metacore.insight.best import best_score
from metacore.runs import load_params
from metacore.runs.bundled import PRETRAINED, BundledRuns
from metacore.training.evaluate import evaluate
from metacore.training.learner import Learner, build

MOST_BYTES = 17_000_000


def learner(name: str) -> Learner:
    (run,) = [run for run in BundledRuns(PRETRAINED).runs() if run.id == name]
    return build(run.config, load_params(run.folder), "cpu")


def test_a_reader_comes_within_a_tenth_of_the_best_that_anyone_could_do() -> None:
    reader = learner("reader-gp")
    found = evaluate(reader, episodes=500, shots=10, queries=50, seed=11)
    best = best_score(reader.dataset, found.protocol)
    assert best is not None
    assert best.mean < found.mean < 1.1 * best.mean


def test_a_reader_is_surer_where_points_are_and_rightly_sure() -> None:
    reader = learner("reader-gp")
    episode = reader.dataset.episodes(
        "test", ways=1, shots=10, queries=50, seed=12, numbers=range(200)
    )
    *_, last = reader.algorithm.adapt(reader.params, episode)
    near = last.explain(episode.support_x).spread
    far = last.explain(episode.query_x).spread
    answer = last.explain(episode.query_x)
    assert near is not None
    assert far is not None
    assert near.median() < 0.5 * far.mean()
    within = ((answer.logits - episode.query_y).abs() < 1.96 * far).float().mean()
    assert 0.9 < within < 0.98


def test_a_reader_knows_sine_waves_far_better_than_ten_gradient_steps() -> None:
    """The published MAML has 0.35 after ten steps on five points."""
    assert evaluate(learner("reader-sinusoid"), episodes=300).mean < 0.15


def test_all_of_them_are_small_and_were_trained_to_their_end() -> None:
    runs = BundledRuns(PRETRAINED).runs()
    assert {run.status for run in runs} == {"finished"}
    assert all(run.tested is not None for run in runs)
    files = [file for file in PRETRAINED.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < MOST_BYTES


def test_every_method_comes_with_a_run_of_glyphs() -> None:
    """All but those that learn from a run of all classes, whose last layer is not shipped, and
    those whose features come from photographs."""
    there = {run.id for run in BundledRuns(PRETRAINED).runs()}
    for name, kind in mc.ALGORITHMS.items():
        photographs = mc.preset(name, "glyphs").model.pretrained
        if not issubclass(kind, DistilClasses) and not photographs:
            assert f"{name}-glyphs" in there
