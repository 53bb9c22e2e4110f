"""Bad input: exit code 2 and one sentence on stderr, never a traceback, never half a run."""

import errno
from pathlib import Path

import pytest

from metacore import Store, atomic
from tests.cli.conftest import Metacore


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("train --algorithm mamal", "algorithm must be one of maml, fomaml, anil, reptile,"),
        ("train --dataset imagenet", "dataset must be one of glyphs, omniglot,"),
        ("train --model resnet", "model must be one of conv4, conv4-pool, "),
        ("train --preset best", "preset must be one of demo, good, paper, not 'best'."),
        ("train --algorithm protonet --dataset sinusoid", "Prototypical Networks classifies and"),
        ("train --dataset sinusoid --model conv4", "The model conv4 does not fit MAML on sinusoid"),
        ("train --device abacus", "abacus is not a device; use one of auto, cpu, cuda, mps."),
        ("train --seed -1", "seed must be a whole number from 0 on, not -1."),
        ("train --tasks 0", "tasks must be between 1 and 512, not 0."),
        ("train --tasks two", "--tasks must be a whole number, not 'two'."),
        ("train --tasks 1.5", "--tasks must be a whole number, not '1.5'."),
        ("train --tasks inf", "--tasks must be a whole number, not 'inf'."),
        (f"train --iterations {'9' * 401}", "--iterations has too many digits"),
        (f"train --seconds {'9' * 401}", "seconds must be a finite number, not inf."),
        (f"evaluate nothing --episodes {'9' * 401}", "--episodes has too many digits"),
        ("train --seconds nan", "seconds must be a finite number, not nan."),
        ("train --seconds soon", "--seconds must be a number, not 'soon'."),
        ("train --iterations 0", "Give the run a budget: iterations, seconds, or both."),
        ("train --schedule sometimes", "schedule must be one of constant, step, linear, cosine,"),
        ("train --ways 5000", "ways must be between 2 and 100, not 5000."),
        ("train --inner-setps 3", "metacore train has no flag --inner-setps for maml on glyphs"),
        ("train --inner-setps 3", "did you mean --inner-steps?"),
        ("train --algorithm protonet --inner-rate 1", "no flag --inner-rate for protonet on"),
        ("train --iter 5", "metacore train has no flag --iter"),
        ("train wave", "'wave' is one word too many."),
        ("train --tasks", "--tasks expected one argument. See metacore train --help."),
        ("fly", "No command 'fly': choose from 'train', 'evaluate', 'compare',"),
        ("evaluate", "The following arguments are required: RUN. See metacore evaluate --help."),
        ("evaluate nothing", "There is no run 'nothing'."),
        ("compare nothing", "Name at least two runs to compare."),
        ("compare nothing nobody", "There is no run 'nothing'."),
        ("show nothing", "There is no run 'nothing'."),
        ("resume nothing", "There is no run 'nothing'."),
        ("cancel nothing", "There is no run 'nothing'."),
        ("delete nothing", "There is no run 'nothing'."),
        ("export nothing there.zip", "There is no run 'nothing'."),
        ("import nothing.zip", "nothing.zip"),
        ("data get imagenet", "no dataset 'imagenet'"),
        ("data get glyphs", "glyphs needs no files"),
        ("data add omniglot nowhere", "nowhere is not a folder"),
        ("runs --jsn", "metacore runs has no flag --jsn: did you mean --json?"),
    ],
)
def test_a_bad_line_is_refused_in_a_sentence(metacore: Metacore, line: str, sentence: str) -> None:
    said = metacore(line)
    assert said.code == 2
    assert sentence in said.err
    assert said.out == ""
    assert "Traceback" not in said.err
    assert said.err.count("\n") == 1
    assert Store().runs() == []


def test_missing_data_names_both_commands(metacore: Metacore) -> None:
    said = metacore("train --dataset omniglot --iterations 1")
    assert said.code == 2
    assert "`metacore data get omniglot`" in said.err
    assert "`metacore data add omniglot FOLDER`" in said.err
    assert Store().runs() == []


GLYPHS = "--train-classes 20 --test-classes 20 --drawings 4 --no-rotations --iterations 1"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("--ways 21", "ways must be between 2 and 20 for glyphs: its train split has 20 classes"),
        ("--shots 4", "shots must be between 1 and 3 for glyphs: its classes have 4 drawings"),
        ("--shots 2 --queries 3", "need 5 drawings of a class, and classes of glyphs have 4"),
    ],
)
def test_a_task_too_large_for_its_classes_is_refused(
    metacore: Metacore, line: str, sentence: str
) -> None:
    said = metacore(f"train {GLYPHS} --train-queries 1 {line}")
    assert (said.code, said.out) == (2, "")
    assert sentence in said.err
    assert Store().runs() == []


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ("--split exam", "split must be one of train, val, test, not 'exam'."),
        ("--norm guess", "norm must be one of transductive, support+query, support, running,"),
        ("--episodes 1", "episodes must be between 2 and 100000, not 1."),
        ("--steps -1", "steps must be between 0 and 1000, not -1."),
        ("--shots 0", "A curve needs at least 1 shot, not 0."),
        ("--queries 0", "queries must be at least 1, not 0."),
        ("--dataset glyphs", "cannot be asked about Glyphs (28 x 28 pixels in grey)."),
        ("--dataset imagenet", "dataset must be one of"),
        ("--seed x", "--seed must be a whole number, not 'x'."),
    ],
)
def test_an_impossible_evaluation_is_refused(
    metacore: Metacore, trained: str, flags: str, sentence: str
) -> None:
    for command in (f"evaluate {trained}", f"compare {trained} {trained}"):
        said = metacore(f"{command} {flags}")
        assert (said.code, said.out) == (2, "")
        assert sentence in said.err


def test_a_finished_run_is_not_resumed_without_a_budget(metacore: Metacore, trained: str) -> None:
    said = metacore(f"resume {trained}")
    assert (said.code, said.out) == (2, "")
    assert "wave is finished: say for how long it should continue." in said.err
    assert metacore(f"resume {trained} --iterations 20").code == 2


def test_help_without_a_command(metacore: Metacore) -> None:
    assert "Watch a network learn to learn." in metacore("").out
    assert metacore("data").out.startswith("usage: metacore data")


@pytest.mark.parametrize("place", ["", "file/run.zip", "no/folder/run.zip", "a" * 300])
def test_a_place_that_takes_no_file_is_a_sentence(
    metacore: Metacore, trained: str, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").touch()
    said = metacore(f"export {trained} {tmp_path / place}")
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err


def test_a_read_only_place_is_a_sentence(
    metacore: Metacore, trained: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a read-only file system even removing a file that is not there is refused."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(atomic, "write", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    said = metacore(f"export {trained} {tmp_path / 'run.zip'}")
    assert (said.code, said.err) == (
        2,
        f"{tmp_path / 'run.zip'} could not be written: Read-only file system.\n",
    )
