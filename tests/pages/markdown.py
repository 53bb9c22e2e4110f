"""What Streamlit makes of Markdown, as far as a stranger could misuse it: a model to test with.

CommonMark with tables and strikethrough by markdown-it, and beyond that what Streamlit's client
adds: it looks into the text that is left when all backslashes are gone.
"""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
_PLAIN = ("text", "softbreak", "paragraph_open", "paragraph_close", "inline")
_ADDED = (  # as in the client's own source
    re.compile(r"(https?://|www(?=\.))([-.\w]+)", re.I),  # an address
    re.compile(r"(?<![\w.+-])[-.\w+]+@[-\w]+(\.[-\w]+)+"),  # of a person
    re.compile(r":\+1:|:-1:|:[\w-]+:"),  # an emoji
    re.compile(r":material[/_]\w+:|:streamlit:"),  # an icon
)
_BEFORE = (
    re.compile(r"(?<![\\:]):[a-zA-Z]"),  # a directive: `:red[…]` and `:small`
    re.compile(r"(?<!\\)\$.*\$", re.S),  # a formula
    re.compile(r":material/"),
)


def tokens(source: str) -> Iterator[Token]:
    for token in _PARSER.parse(source):
        yield token
        yield from token.children or ()


def text(source: str) -> str:
    """What is read, without what stands in code."""
    return "".join(
        "\n" if token.type == "softbreak" else token.content
        for token in tokens(source)
        if token.type in ("text", "softbreak", "image")
    )


def formatting(source: str) -> list[str]:
    """All in it that is more than text."""
    parsed = [token.type for token in tokens(source) if token.type not in _PLAIN]
    added = [found[0] for known in _ADDED for found in known.finditer(text(source))]
    return [*parsed, *added, *(found[0] for known in _BEFORE for found in known.finditer(source))]


def targets(source: str) -> list[str]:
    """Where links and pictures lead, and raw HTML."""
    parsed = [
        str(token.attrs.get("href") or token.attrs.get("src") or token.content)
        for token in tokens(source)
        if token.type in ("link_open", "image", "html_inline", "html_block")
    ]
    return [*parsed, *(found[0] for known in _ADDED[:2] for found in known.finditer(text(source)))]


def around(source: str, word: str) -> set[str]:
    """The kinds of formatting a word stands in anywhere."""
    found: set[str] = set()
    opened: list[str] = []
    for token in tokens(source):
        if token.nesting == 1:
            opened.append(token.type)
        elif token.nesting == -1:
            opened.pop()
        elif token.type != "inline" and word in token.content:
            found |= {*opened, token.type}
    return found - {*_PLAIN}
