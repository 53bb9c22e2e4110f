"""Sentences in a coloured box that may quote a stranger: shown as they are, never as Markdown.

What `UserError` says names runs, files and addresses as they were typed elsewhere. Only commands
of ours in backticks look like commands.
"""

import re

import streamlit as st

from metacore import Run, UserError
from pages.ui import words

COMMAND = re.compile(r"(`metacore [\w ]+`)")


def error(sentence: str | Exception, *, icon: str | None = None) -> None:
    st.error(shown(sentence), icon=icon)


def warning(sentence: str | Exception, *, icon: str | None = None) -> None:
    st.warning(shown(sentence), icon=icon)


def left_out(run: Run, why: UserError) -> None:
    error(f"{run.name} is left out: {why}", icon=":material/broken_image:")


def info(sentence: str | Exception, *, icon: str | None = None) -> None:
    st.info(shown(sentence), icon=icon)


def shown(sentence: str | Exception) -> str:
    """As Markdown that reads as it is written."""
    parts = COMMAND.split(str(sentence))
    return "".join(part if COMMAND.fullmatch(part) else _between(part) for part in parts)


def _between(part: str) -> str:
    """Around a command, the spaces stay."""
    if not part.strip():
        return part
    left, right = (" " if part[end].isspace() else "" for end in (0, -1))
    return f"{left}{words.plain(part)}{right}"
