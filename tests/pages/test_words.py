"""What strangers typed is read as it was typed, wherever it stands."""

import re
from html.parser import HTMLParser

import plotly.graph_objects as go
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.ui import say, words
from pages.ui.figures import base
from tests.pages import markdown

HOSTILE = [
    "![b](http://evil.example/a.png)",
    "[Free GPU](http://evil.example)",
    "see http://evil.example or HTTPS://evil.example",
    "www.evil.example and Www.evil.example",
    "ends in www",
    "me@evil.example",
    "<img src=//evil.example> <b>x</b>",
    "&lt;b&gt; &#60;",
    "**a** _b_ __c__ ~~d~~ `e`",
    "$x$ and $$y$$",
    ":red[x] :small[y] :red :streamlit: :material/lock:",
    ":smile: :+1: :100:",
    ":::note",
    "[^1] [x]: http://evil.example",
    *("# a", "- a", "+ a", "* a", "> a", "1. a", "2) a", "---", "===", "a | b", "    code"),
    "a\\b \\* \\",
    "a\n\n# b\n\n| c |\n| - |",
    "one_two _three_",
]
TYPED = st.text(
    st.one_of(st.sampled_from("\\`*_{}[]()#+-.!|~$:<>&=@/w1ahtps \n\t"), st.characters())
)


def bare(text: str) -> str:
    return text.replace("\N{WORD JOINER}", "")


@pytest.mark.parametrize("typed", HOSTILE)
def test_nothing_typed_is_formatting(typed: str) -> None:
    shown = words.plain(typed)
    assert markdown.formatting(shown) == []
    assert bare(markdown.text(shown)) == words.clean(typed)


@settings(deadline=None)
@given(TYPED)
def test_nothing_at_all_is_formatting(typed: str) -> None:
    shown = words.plain(typed)
    assert markdown.formatting(shown) == []
    assert bare(markdown.text(shown)) == words.clean(typed)


@settings(deadline=None)
@given(TYPED)
def test_it_stays_within_its_sentence(typed: str) -> None:
    """In bold, in a list and in a table, as pages do it."""
    shown, read = words.plain(typed), words.clean(typed)
    strong = markdown.tokens(f"Say **{shown}** there")
    assert [token.type for token in strong if token.nesting == 1] == [
        "paragraph_open",
        "strong_open",
    ]
    listed = list(markdown.tokens(f"- {shown}\n- b"))
    assert [token.type for token in listed].count("list_item_open") == 2
    cells = [
        t.content for t in markdown.tokens(f"| {shown} | b |\n| - | - |") if t.type == "inline"
    ]
    assert len(cells) == 2
    assert bare(markdown.text(cells[0])) == read


def test_the_model_knows_what_streamlit_makes_of_backslashes() -> None:
    """Else the tests above would prove nothing."""
    for known in (r"http\://evil.example", r"\:smile\:", r"\:material/lock\:", r"a\@evil.example"):
        assert markdown.formatting(known)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("invoice\N{RIGHT-TO-LEFT OVERRIDE}fdp.exe", "invoicefdp.exe"),
        ("a\N{ZERO WIDTH SPACE}b\x00c\x1b[31m", "abc[31m"),
        (" two\n\nlines\t ", "two lines"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        ("28\N{NARROW NO-BREAK SPACE}325", "28\N{NARROW NO-BREAK SPACE}325"),
        (
            "\N{WAVING BLACK FLAG}\N{ZERO WIDTH JOINER}x",
            "\N{WAVING BLACK FLAG}\N{ZERO WIDTH JOINER}x",
        ),
        ("\n", "–"),
    ],
)
def test_what_is_not_seen_is_gone(typed: str, read: str) -> None:
    assert words.clean(typed) == read


def test_a_command_of_ours_looks_like_one() -> None:
    said = say.shown("Fetch *it* with `metacore data get omniglot`, or `rm`.")
    assert said == r"Fetch \*it\* with `metacore data get omniglot`, or \`rm\`."


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)


@settings(deadline=None)
@given(TYPED)
def test_in_a_figure_nothing_is_a_tag_or_filled_in(typed: str) -> None:
    shown = words.in_figure(typed)
    found = Tags()
    found.feed(shown)
    assert not found.tags
    assert "<" not in shown
    assert not re.search(r"%\{", shown)


def test_lines_of_a_figure_are_named_as_they_are_called() -> None:
    figure = go.Figure(base.line('<a href="http://evil.example">x</a>', [0, 1], [0, 1], "#000000"))
    assert figure.data[0].name == '&lt;a href="http://evil.example"&gt;x&lt;/a&gt;'
