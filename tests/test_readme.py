"""The README's programs run, and its commands exist."""

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

import metacore as mc
from metacore.cli import main
from metacore.training import presets

README = (Path(__file__).parents[1] / "README.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("metacore ")
]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Presets train for a moment, on few characters."""
    small = mc.DATASETS["glyphs"].Config(train_classes=40, test_classes=20)

    def few(*words: str, **options: int) -> mc.RunConfig:
        config = presets.preset(*words, **options)
        brief = replace(config.training, iterations=20, validate_every=10, seconds=0.0)
        config = config.replace(training=brief)
        glyphs = config.dataset_class.name == "glyphs"
        return config.replace(dataset=small) if glyphs else config

    monkeypatch.setattr(mc, "preset", few)


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("program", PROGRAMS, ids=["five lines", "own loop"])
def test_programs_run(program: str, capsys: pytest.CaptureFixture[str]) -> None:
    program = program.replace("range(200)", "range(40)")
    exec(compile(program, "README.md", "exec"), {})
    assert re.search(r"\d\.\d", capsys.readouterr().out)


@pytest.mark.usefixtures("hurried")
def test_the_own_loop_learns(capsys: pytest.CaptureFixture[str]) -> None:
    """40 steps are enough to be well above chance."""
    program = PROGRAMS[1].replace("range(200)", "range(40)")
    exec(compile(program, "README.md", "exec"), {})
    assert float(capsys.readouterr().out) > 0.4


@pytest.mark.parametrize("line", LINES)
def test_commands_are_understood(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is known down to its flags: what is missing is at most a run or data."""
    words = shlex.split(line, comments=True)[1:]
    if words[0] == "train" or words[:2] == ["data", "get"]:
        words.append("--help")
        with pytest.raises(SystemExit) as ended:
            main(words)
        assert ended.value.code == 0
        return
    main(words)
    said = capsys.readouterr().err
    assert not said or "There is no run" in said or "FOLDER is not a folder" in said


def test_what_it_names_is_there() -> None:
    root = Path(__file__).parents[1]
    layout = README.split("## Layout")[1]
    for name in re.findall(r"^((?:metacore/\w+|tests|benchmarks)/)", layout, re.MULTILINE):
        assert (root / name).is_dir(), name
