"""The start page loads, with and without runs, and errors become sentences."""

import ast
import runpy
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from metacore import ALGORITHMS, DATASETS
from metacore.cli import main

ROOT = Path(__file__).parents[1]
SMALL = "train --dataset sinusoid --iterations 5 --name wave --json"


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_file(str(ROOT / "pages" / "frame.py"), default_timeout=60)


def words(page: AppTest) -> str:
    return "\n".join(str(element.value) for element in (*page.markdown, *page.latex, *page.code))


def test_it_shows_everything_in_the_registries(page: AppTest) -> None:
    page.run()
    assert not page.exception
    shown = words(page)
    for name, kind in (*ALGORITHMS.items(), *DATASETS.items()):
        assert f"**{kind.title}**" in shown
        assert f"`{name}`" in shown
        assert kind.summary in shown
    for kind in ALGORITHMS.values():
        assert all(line in shown for line in kind.formula.split(r",\quad "))


def test_it_knows_every_family() -> None:
    page = runpy.run_path(str(ROOT / "pages" / "learn" / "start.py"))
    assert {kind.family for kind in ALGORITHMS.values()} == set(page["FAMILIES"])


def test_its_commands_are_understood(page: AppTest, capsys: pytest.CaptureFixture[str]) -> None:
    page.run()
    lines = [line for code in page.code for line in str(code.value).splitlines()]
    assert any(line.startswith("metacore train") for line in lines)
    for line in lines:
        with pytest.raises(SystemExit) as ended:
            main([*line.split()[1:], "--help"])
        assert ended.value.code == 0, line


def test_without_runs_there_is_no_table(page: AppTest) -> None:
    assert not page.run().dataframe


def test_runs_are_listed(page: AppTest) -> None:
    assert main(SMALL.split()) == 0
    (table,) = page.run().dataframe
    (row,) = table.value.to_dict("records")
    assert (row["Run"], row["Algorithm"], row["Dataset"]) == ("wave", "maml", "sinusoid")
    assert (row["Status"], row["Meta-steps"]) == ("finished", 5)
    assert "±" in row["Best validation"]


def test_the_server_is_found_by_streamlit() -> None:
    """`streamlit run` looks for a module-level App; were it not found, pages would not be."""
    tree = ast.parse((ROOT / "app.py").read_text())
    names = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert names == ["app"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        ("mc.UserError('There is no run x.')", "There is no run x."),
        ("ZeroDivisionError('secret')", "This page has met an error of its own;"),
    ],
)
def test_errors_become_sentences(error: str, sentence: str) -> None:
    program = f"import app\nimport metacore as mc\nassert app.say_error({error})"
    page = AppTest.from_string(program, default_timeout=60).run()
    assert not page.exception
    (shown,) = page.error
    assert shown.value.startswith(sentence)
    assert "secret" not in shown.value
