"""No page makes a link, a picture or formatting of what a stranger named: all of them are read as
they are written, wherever they stand."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
from google.protobuf.message import Message
from streamlit.testing.v1 import AppTest

from metacore import Run, Store
from metacore.runs import Question, comparisons
from tests import strangers
from tests.pages import markdown
from tests.pages.conftest import FRAME, Visit
from tests.pages.test_every_page import PAGES
from tests.strangers import HOST, LONG, TRICKS

MARK = "evil"
UNFORMATTED = {  # fields of Streamlit's elements that are shown as they are, or not at all
    *("id", "form_id", "user_key", "key", "element_id", "widget_id", "query_param_key"),
    *(
        "alt",
        "options",
        "default",
        "value",
        "raw_value",
        "raw_values",
        "set_value",
        "placeholder",
        "columns",
    ),
    *("url", "query_string", "file_name", "code_text", "url_path", "columns_json"),
}
TABLE = ("table", "thead", "tbody", "tr", "th", "td")
OUR_OWN = {f"{part}_open" for part in ("strong", "bullet_list", "list_item", *TABLE)}
TRICKED = re.compile(
    r"(?<!\\)\$x\$|:smile:|:material/lock:|:red\["
)  # what is no Markdown elsewhere
OURS = re.compile(r"</?(b|br|i|extra|sup)/?>")


@dataclass(frozen=True)
class Said:
    """A text on a page that holds a stranger's word."""

    kind: str  # of element
    field: str
    text: str


def said(app: AppTest) -> list[Said]:
    roots = (app.main, app.sidebar, app._tree)
    return [text for root in roots for text in _walk(root) if MARK in text.text]


def _walk(node: Any) -> Iterator[Said]:
    proto = getattr(node, "proto", None)
    if proto is not None:
        yield from _texts(proto.DESCRIPTOR.name, proto)
    if getattr(node, "type", "") == "table":
        cells = [str(cell) for row in node.value.itertuples(index=False) for cell in row]
        yield from (Said("Table", "cell", cell) for cell in cells)
    for child in getattr(node, "children", {}).values():
        yield from _walk(child)


def _texts(kind: str, proto: Message) -> Iterator[Said]:
    for field, value in proto.ListFields():
        for one in value if isinstance(value, list) or field.is_repeated else [value]:
            if isinstance(one, Message):
                yield from _texts(one.DESCRIPTOR.name, one)
            elif isinstance(one, str):
                yield Said(kind, field.name, one)


class Html(HTMLParser):
    """What a browser would load or follow."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.attributes: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [value or "" for _, value in attrs]


def harmless(app: AppTest) -> list[Said]:
    """Everything said of strangers, each text looked at as its place wants it."""
    assert not app.exception
    found = said(app)
    for text in found:
        if text.kind in ("Html",):
            assert not any(HOST in value for value in Html(text.text).attributes), text
        elif text.kind == "PlotlyChart" and text.field in ("spec", "figure", "config"):
            for string in _strings(json.loads(text.text)):
                assert "<" not in OURS.sub("", string), text
        elif text.kind not in ("BidiComponent", "Code", "Text") and text.field not in UNFORMATTED:
            as_written(text)
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)


def as_written(text: Said) -> None:
    """It leads nowhere, and where it is bold, in a list or in a table, we made it so."""
    assert markdown.targets(text.text) == [], text
    assert markdown.around(text.text, MARK) <= OUR_OWN, text
    assert not TRICKED.search(text.text), text


@pytest.fixture
def store(pretrained: object) -> Store:
    return Store()


@pytest.fixture
def runs(store: Store) -> list[Run]:
    return strangers.trained(store)


def ids(runs: list[Run]) -> list[str]:
    return [run.id for run in runs]


def test_the_sidebar_of_every_page(visit: Visit, store: Store) -> None:
    strangers.waiting(store)
    strangers.ended(store)
    found = harmless(visit("learn/start.py"))
    assert {"help", "label"} <= {text.field for text in found}


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("trick", [TRICKS[0], TRICKS[5], LONG])
@pytest.mark.usefixtures("pretrained")
def test_every_word_of_an_address(visit: Visit, page: str, trick: str) -> None:
    harmless(visit(page, **dict.fromkeys(strangers.parameters(), trick)))


@pytest.mark.parametrize("page", ["lab/train.py", "lab/runs.py", "lab/compare.py"])
def test_a_link_to_a_run_that_is_not_there(visit: Visit, page: str) -> None:
    key = "comparison" if "compare" in page else "run"
    shown = [harmless(visit(page, **{key: trick})) for trick in TRICKS]
    assert any(text.kind == "Alert" for found in shown for text in found) or key == "comparison"


def test_runs_one_by_one(visit: Visit, store: Store, runs: list[Run]) -> None:
    for run in [*runs[:1], *runs[3:4], *strangers.ended(store), strangers.waiting(store)]:
        for page in ("lab/runs.py", "lab/train.py"):
            found = harmless(visit(page, run=run.id))
            assert any(text.kind in ("Heading", "Markdown") for text in found)


def test_runs_side_by_side(visit: Visit, runs: list[Run]) -> None:
    for page in ("lab/runs.py", "lab/train.py"):
        found = harmless(visit(page, run=ids(runs)))
        assert any(text.kind == "PlotlyChart" for text in found)


def test_adapt(visit: Visit, runs: list[Run]) -> None:
    for shown in (runs[:3], runs[3:]):
        found = harmless(visit("lab/adapt.py", runs=ids(shown), run=ids(shown)))
        assert any("answers" in text.text or "brings" in text.text for text in found)


def test_prototypes(visit: Visit, runs: list[Run]) -> None:
    for run in runs[:3]:
        harmless(visit("lab/prototypes.py", run=run.id))


def test_compare(visit: Visit, store: Store, runs: list[Run]) -> None:
    for shown in (runs[:3], runs[3:]):
        found = strangers.compared(store, shown)
        for chart in ("Learning", "Inner steps", "Cost"):
            app = visit("lab/compare.py", runs=ids(shown), comparison=found.id, chart=chart)
            there = harmless(app)
        assert {"Table", "Markdown", "PlotlyChart"} <= {text.kind for text in there}


def test_a_comparison_that_failed(visit: Visit, store: Store, runs: list[Run]) -> None:
    question = Question(runs=tuple(ids(runs[:2])), dataset=runs[0].values["dataset"], episodes=2)
    asked = comparisons.ask(store, question)
    with store.database.writing() as db:
        db.execute("UPDATE jobs SET status = 'failed', message = ?", (LONG,))
    found = harmless(visit("lab/compare.py", comparison=asked.id, runs=ids(runs[:2])))
    assert any(text.kind == "Alert" for text in found)


def test_runs_that_cannot_be_read_are_left_out(visit: Visit, runs: list[Run]) -> None:
    for run in runs[:2]:
        for weights in run.folder.glob("*.safetensors"):
            weights.write_bytes(b"no weights")
    named = ("lab/adapt.py", "lab/compare.py")
    for page in (*named, "lab/prototypes.py", "lab/trial.py"):
        found = harmless(visit(page, runs=ids(runs[:3]), run=ids(runs[:1])))
        assert any(text.kind == "Alert" for text in found) or page not in named


def test_a_trial_from_a_link(visit: Visit, runs: list[Run]) -> None:
    app = visit("lab/trial.py", trial=strangers.kept_trial(), runs=ids(runs[:3]))
    harmless(app)
    (toggle,) = app.toggle
    found = harmless(toggle.set_value(True).run())
    assert {"BidiComponent", "PlotlyChart"} <= {text.kind for text in found}


def test_a_trial_that_is_refused(visit: Visit) -> None:
    found = harmless(visit("lab/trial.py", trial=strangers.damaged_trial()))
    assert any(text.kind == "Alert" for text in found)


def test_uploaded_pictures(visit: Visit, runs: list[Run]) -> None:
    app = visit("lab/trial.py", way="Upload", runs=ids(runs[:2]))
    support = app.get("file_uploader")[-2]
    support.set_value([(f"{TRICKS[5]}.zip", strangers.archive(), "application/zip")])
    found = harmless(app.run())
    assert {"help"} <= {text.field for text in found}
    assert any(text.kind == "Markdown" for text in found)


def test_uploaded_runs_that_are_refused(visit: Visit) -> None:
    app = visit("lab/runs.py")
    app.main.file_uploader[0].set_value([(trick, b"no", "application/zip") for trick in TRICKS])
    assert len([text for text in harmless(app.run()) if text.kind == "Alert"]) >= len(TRICKS)


def test_beating_the_machine(visit: Visit, runs: list[Run]) -> None:
    asked = {"characters": "glyphs", "level": "easy", "drawings": "1", "contest": "1"}
    for answers in ("-", "0.1,1.1,2.1,0.1,1.1,2.1,0.1,1.1,2.1,0.1"):
        harmless(
            visit(
                "lab/trial.py",
                way="Beat the machine",
                rivals=ids(runs[:3]),
                answers=answers,
                **asked,
            )
        )


def test_errors_are_said_where_they_are_escaped() -> None:
    """`say` escapes; a bare box of Streamlit's would not."""
    quoted = r"\{(error|answer|sentence)\}|\bstr\(error|\w\.message\b"
    bare = re.compile(rf"st\.(error|warning|info|exception)\([^)]*({quoted})")
    sources = {file: file.read_text() for file in FRAME.parent.rglob("*.py")}
    assert not [str(file) for file, source in sources.items() if bare.search(source)]
