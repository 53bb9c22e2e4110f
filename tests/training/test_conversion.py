"""Train here, test there: the same episodes, in pictures such as a run takes."""

from pathlib import Path

import pytest
import torch

import metacore as mc
from metacore import pictures
from metacore.cli import main
from metacore.datasets import load
from metacore.datasets.folder import FolderConfig
from metacore.errors import UserError
from metacore.models.networks import Conv4
from metacore.runs import comparisons
from metacore.runs.comparisons import Comparisons
from metacore.runs.question import Question
from metacore.settings import Config
from metacore.training.conversion import conversion, seen_by
from metacore.training.evaluate import compare, evaluate
from metacore.training.learner import Learner, build
from tests.datasets.pictures import draw_classes
from tests.training.small import TINY_GLYPHS, small

CPU = torch.device("cpu")
ASKED = {"ways": 2, "shots": 1, "queries": 2, "episodes": 4}


@pytest.fixture
def colour(tmp_path: Path) -> FolderConfig:
    """Eight classes of colour pictures of 20 x 20, all of them for tests."""
    folder = draw_classes(tmp_path / "pictures", {f"class {number}": 6 for number in range(8)})
    return FolderConfig(path=str(folder), size=20, train_share=0.25, val_share=0.25)


def learner_of(algorithm: str, dataset: Config | None = None) -> Learner:
    config = small(algorithm, "glyphs").replace(model=Conv4(width=4), device="cpu")
    return build(config.replace(dataset=dataset or TINY_GLYPHS))


def test_without_conversion_the_sentence_offers_it(colour: FolderConfig) -> None:
    with pytest.raises(UserError, match=r"cannot be asked about .* as they are: .*--convert"):
        evaluate(learner_of("protonet"), dataset=load(colour, CPU), **ASKED)
    curves = load(mc.DATASETS["sinusoid"].Config(), CPU)
    for convert in (False, True):
        with pytest.raises(UserError, match=r"cannot be asked about Sine waves \([^)]*\)\.$"):
            evaluate(learner_of("protonet"), dataset=curves, convert=convert)


def test_each_picture_is_converted_and_nothing_else(colour: FolderConfig) -> None:
    learner, source = learner_of("protonet"), load(colour, CPU)
    drawn = source.episodes("test", ways=2, shots=2, queries=1, seed=3, numbers=range(2))
    seen = seen_by(learner, source, drawn)
    assert seen.support_x.shape == (2, 4, 1, 28, 28)
    assert torch.equal(seen.support_y, drawn.support_y)
    assert torch.equal(seen.query_y, drawn.query_y)
    expected = pictures.converted(drawn.query_x, (1, 28, 28))
    assert (seen.query_x - expected).abs().max() <= 0.5 / 255 + 1e-6
    assert seen_by(learner, learner.dataset, seen) is seen


def test_the_protocol_names_it(colour: FolderConfig) -> None:
    learner = learner_of("protonet")
    found = evaluate(learner, dataset=load(colour, CPU), convert=True, **ASKED)
    assert found.protocol.conversion == "3 x 20 x 20 → 1 x 28 x 28, as ink"
    assert found.to_dict()["conversion"] == found.protocol.conversion
    assert evaluate(learner, convert=True, **ASKED).protocol.conversion == ""
    back = learner_of("protonet", colour)
    assert conversion(back.config, TINY_GLYPHS) == "1 x 28 x 28 → 3 x 20 x 20, in colour"
    larger = FolderConfig(path=colour.path, size=40)
    assert conversion(back.config, larger) == "3 x 40 x 40 → 3 x 20 x 20"


def test_ink_that_goes_there_and_back_is_the_same_ink() -> None:
    """Black on white is the same drawing."""
    source = learner_of("protonet").dataset
    drawn = source.episodes("test", ways=2, shots=1, queries=2, seed=0, numbers=range(30))
    in_colour = pictures.converted(drawn.support_x, (3, 28, 28))
    assert torch.allclose(pictures.converted(in_colour, (1, 28, 28)), drawn.support_x, atol=1e-5)


def test_runs_of_two_shapes_meet_on_the_same_episodes(colour: FolderConfig) -> None:
    ink, own = learner_of("protonet"), learner_of("protonet", colour)
    source = load(colour, CPU)
    both = [evaluate(one, dataset=source, convert=True, **ASKED) for one in (ink, own)]
    assert [found.protocol.conversion != "" for found in both] == [True, False]
    (difference,) = compare(["ink", "own"], both)
    assert difference.first == "ink"


def test_a_comparison_converts_if_it_is_asked_to(colour: FolderConfig) -> None:
    store = mc.Store()
    runs = []
    for dataset in (TINY_GLYPHS, colour):
        config = small("protonet", "glyphs", iterations=1, tasks=1, train_ways=2, train_queries=2)
        config = config.replace(dataset=dataset, model=Conv4(width=4), device="cpu")
        task = mc.TaskConfig(ways=2, queries=2)
        runs.append(mc.runs.execute(store, store.create(config.replace(task=task), here=True)))
    asked = {"runs": tuple(run.id for run in runs), "ways": 2, "queries": 2, "episodes": 4}
    question = Question(dataset={"name": "folder", **colour.to_dict()}, **asked)
    assert "convert" not in question.to_dict()  # what was asked before is found again
    with pytest.raises(UserError, match="“Convert pictures”"):
        comparisons.ask(store, question)
    question = Question(dataset=question.dataset, convert=True, **asked)
    assert Question.from_dict(question.to_dict()) == question
    job = comparisons.ask(store, question)
    Comparisons(store).work(job)
    found = comparisons.find(store, job.id)
    assert found.result is not None, found.message
    named = [row["evaluation"]["conversion"] for row in found.result["rows"]]
    assert named == ["3 x 20 x 20 → 1 x 28 x 28, as ink", ""]


def test_the_command_line_converts(
    colour: FolderConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    store = mc.Store()
    config = small("protonet", "glyphs", iterations=1, tasks=1, train_ways=5)
    mc.runs.execute(store, store.create(config.replace(device="cpu"), "ink", here=True))
    words = ["evaluate", "ink", "--dataset", f"folder:{colour.path}", "--episodes", "4"]
    words += ["--ways", "2", "--queries", "2"]
    assert main(words) != 0
    assert "--convert" in capsys.readouterr().err
    assert main([*words, "--convert"]) == 0
    assert "3 x 64 x 64 → 1 x 28 x 28, as ink" in capsys.readouterr().out
