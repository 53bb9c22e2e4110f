"""A zip that is added on the Train page is what is learned from, also after a reload."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_journey import SLOW, go, no_error


def shades() -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for number in range(30):
            picture = io.BytesIO()
            Image.new("RGB", (20, 20), (8 * number, 99, 20)).save(picture, "png")
            for each in range(7):
                archive.writestr(f"shade {number:02d}/{each}.png", picture.getvalue())
    return data.getvalue()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    yield context.new_page()
    context.close()


def test_an_added_zip_is_chosen_at_once(page: Page, server: str, tmp_path: Path) -> None:
    (tmp_path / "shades.zip").write_bytes(shades())
    go(page, f"{server}/train?dataset=folder")
    page.get_by_role("button", name="Add pictures").click()
    given = page.locator('[data-testid="stFileUploader"] input[type=file]').first
    given.set_input_files(tmp_path / "shades.zip")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page).to_have_url(re.compile(r"set=data\.dataset\.path(:|%3A)shades"), timeout=SLOW)
    page.reload()
    expect(page.locator(".sample img").first).to_be_visible(timeout=SLOW)
    expect(page.get_by_role("button", name="Start training")).to_be_enabled(timeout=SLOW)
    no_error(page)
