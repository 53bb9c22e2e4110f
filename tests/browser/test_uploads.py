"""Pictures that are being read survive a reload, and Back leads to what was there before."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_journey import SLOW, go, no_error
from tests.browser.test_trial import RUNS, answers
from tests.trial.hands import file, photograph, scan
from tests.trial.test_photographs import ink

EACH = 20


def letters() -> bytes:
    """Photographs that take a second or two to read."""
    chance, data = np.random.default_rng(0), io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, width in (("thin", 3), ("broad", 12)):
            page = photograph(ink(width=width), chance).resize((1500, 1600))
            for number in range(EACH):
                archive.writestr(f"{name}/{number}.jpg", file(page, "JPEG"))
    return data.getvalue()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    yield context.new_page()
    context.close()


def test_an_upload_survives_a_reload_and_back_undoes_it(
    page: Page, server: str, tmp_path: Path
) -> None:
    (tmp_path / "letters.zip").write_bytes(letters())
    (tmp_path / "one.png").write_bytes(file(scan(ink())))
    (tmp_path / "no.png").write_bytes(b"nothing")
    go(page, f"{server}/trial?way=Upload&{RUNS}")
    given = page.locator('[data-testid="stFileUploader"] input[type=file]')
    given.nth(0).set_input_files(tmp_path / "letters.zip")
    expect(page).to_have_url(re.compile("upload="), timeout=SLOW)
    page.reload()
    expect(page.get_by_text(f"broad · {EACH} pictures")).to_be_visible(timeout=SLOW)
    expect(answers(page).first).to_contain_text("waits for the query", timeout=SLOW)
    before = page.url

    given.nth(1).set_input_files([tmp_path / "one.png", tmp_path / "no.png"])
    expect(page.get_by_text("no.png is not a PNG")).to_be_visible(timeout=SLOW)
    expect(answers(page).first).to_contain_text("%", timeout=SLOW)
    expect(page).not_to_have_url(before)
    page.reload()
    expect(answers(page).first).to_contain_text("%", timeout=SLOW)
    page.go_back()
    expect(page).to_have_url(before)
    expect(answers(page).first).to_contain_text("waits for the query", timeout=SLOW)
    no_error(page)
