"""A class in real browsers: two visitors, a teacher, and people who sign in; and strange hosts."""

import re
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from metacore.runs.classroom import digest
from tests.browser.openid import providing, secrets_toml
from tests.browser.serving import free_port, serving_class
from tests.browser.test_journey import SLOW, begin, card, go, status

KEY = "a-key-for-the-teacher"
NewVisitor = Callable[[], BrowserContext]


@pytest.fixture
def home_of_class(tmp_path: Path, shared_glyphs: Path) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "glyphs").symlink_to(shared_glyphs)
    return tmp_path


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[NewVisitor]:
    """Somebody with a browser of their own."""
    with ExitStack() as leaving:

        def arrives() -> BrowserContext:
            context = chromium.new_context(viewport={"width": 1280, "height": 1000})
            context.set_default_timeout(30_000)
            leaving.callback(context.close)
            return context

        yield arrives


def cancel(page: Page) -> Locator:
    return card(page).get_by_role("button", name="Cancel")


def handshake(server: str, host: str) -> int:
    """The status of a websocket's handshake from a page of that host."""
    port = int(server.rsplit(":", 1)[1])
    lines = (
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host}",
        f"Origin: http://{host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as asked:
        asked.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(asked.recv(64).split()[1])


def test_a_page_that_rebinds_its_name_to_this_computer_is_refused(server: str) -> None:
    port = server.rsplit(":", 1)[1]
    assert handshake(server, "evil.example") == 403
    assert handshake(server, f"evil.example:{port}") == 403
    for name in ("127.0.0.1", "localhost", "[::1]"):
        assert handshake(server, f"{name}:{port}") == 101


def test_everyone_has_their_own_and_the_teacher_has_all(
    home_of_class: Path, visitor: NewVisitor
) -> None:
    flags = ("--quota=1", f"--teacher-key={KEY}", "--host=school.example")
    with serving_class(home_of_class, *flags) as server:
        assert handshake(server, "school.example") == 101
        assert handshake(server, "evil.example") == 403
        anna, bert, teacher = visitor(), visitor(), visitor()
        hers = anna.new_page()
        run = begin(hers, server, "wave", level="Good")
        expect(cancel(hers)).to_be_visible(timeout=SLOW)
        hers.reload()
        expect(cancel(hers)).to_be_visible(timeout=SLOW)
        tab = anna.new_page()
        go(tab, f"{server}/train")
        expect(tab.get_by_text("You may have 1 training or comparison")).to_be_visible(timeout=SLOW)

        his = bert.new_page()
        go(his, f"{server}/train?run={run}")
        expect(card(his).get_by_text("somebody else's").first).to_be_visible(timeout=SLOW)
        expect(his.get_by_role("button", name="Cancel")).to_have_count(0)

        theirs = teacher.new_page()
        go(theirs, f"{server}/train?run={run}&teacher={KEY}")
        assert "teacher" not in theirs.url
        assert run in theirs.url
        cancel(theirs).click()
        status(theirs, "cancelled")

        (cookie,) = [one for one in anna.cookies() if one["name"] == "metacore-visitor"]
        assert cookie["httpOnly"]
        assert cookie["value"] not in hers.content()
        with sqlite3.connect(home_of_class / "runs" / "runs.db") as db:
            owners = db.execute("SELECT owner FROM runs").fetchall()
        assert owners == [(digest("browser", cookie["value"]),)]
        log = (home_of_class / "server.log").read_text()
        assert KEY not in log.split("\n", 2)[2], "only said at the start"


def test_whoever_signs_in_owns_what_they_start_in_any_browser(
    home_of_class: Path, visitor: NewVisitor
) -> None:
    port = free_port()
    with providing() as provider:
        told = secrets_toml(provider, f"http://127.0.0.1:{port}")
        (home_of_class / ".streamlit").mkdir()
        (home_of_class / ".streamlit" / "secrets.toml").write_text(told)
        with serving_class(home_of_class, "--teachers=ada@school.example", port=port) as server:
            page = visitor().new_page()
            go(page, f"{server}/train")
            expect(page.get_by_text("Sign in first")).to_be_visible(timeout=SLOW)
            provider.person = {"sub": "1", "email": "bob@school.example", "email_verified": True}
            sign_in(page, "bob@school.example")
            run = begin(page, server, "wave", level="Good")
            expect(cancel(page)).to_be_visible(timeout=SLOW)

            elsewhere = visitor().new_page()
            go(elsewhere, f"{server}/train?run={run}")
            expect(cancel(elsewhere)).to_have_count(0)
            sign_in(elsewhere, "bob@school.example")
            go(elsewhere, f"{server}/train?run={run}")
            expect(cancel(elsewhere)).to_be_visible(timeout=SLOW)

            # An address nobody has checked makes no teacher.
            provider.person = {"sub": "2", "email": "ada@school.example", "email_verified": False}
            pretender = visitor().new_page()
            go(pretender, server)
            sign_in(pretender, "2")
            expect(pretender.get_by_text("You are a teacher")).to_have_count(0)

            provider.person["email_verified"] = True
            ada = visitor().new_page()
            go(ada, server)
            sign_in(ada, "ada@school.example")
            expect(ada.get_by_text("You are a teacher")).to_be_visible(timeout=SLOW)
            go(ada, f"{server}/train?run={run}")
            cancel(ada).click()
            status(ada, "cancelled")


def sign_in(page: Page, shown: str) -> None:
    page.get_by_role("button", name="Sign in").click()
    joined = re.escape(shown).replace("@", "@\u2060?")  # so that no browser makes a link of it
    signed = page.get_by_text(re.compile(f"Signed in as {joined}"))
    expect(signed).to_be_visible(timeout=SLOW)
