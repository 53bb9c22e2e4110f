"""A real server and a real Chromium."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from tests.browser.serving import launch, serving


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Only CI insists on one."""
    with sync_playwright() as playwright:
        try:
            browser = launch(playwright)
        except Error as error:
            give_up = pytest.fail if os.environ.get("CI") else pytest.skip
            give_up(f"no Chromium to drive: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, shared_glyphs: Path) -> Iterator[str]:
    """The dashboard's address, with a home of its own."""
    home = tmp_path_factory.mktemp("server")
    (home / "data").mkdir()
    (home / "data" / "glyphs").symlink_to(shared_glyphs)
    with serving(home) as address:
        yield address
