"""Networks are taught with a camera and with files, in a real browser whose camera is made up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_journey import SLOW, go, no_error
from tests.browser.test_trial import answers
from tests.pages.test_photos import COLOURS, archive, photograph

PAGE = "trial?way=Photographs&run=protonet-emoji"


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1000}, permissions=["camera"])
    yield context.new_page()
    context.close()


def test_it_is_taught_with_files_and_asked_with_the_camera(
    page: Page, server: str, tmp_path: Path
) -> None:
    (tmp_path / "things.zip").write_bytes(archive())
    (tmp_path / "new.jpg").write_bytes(photograph("leaf", 7))
    go(page, f"{server}/{PAGE}")
    given = page.locator('[data-testid="stFileUploader"] input[type=file]').last
    given.set_input_files(tmp_path / "things.zip")
    expect(answers(page).first).to_contain_text("waits for the query", timeout=SLOW)
    for name in COLOURS:
        expect(page.get_by_text(name, exact=True).first).to_be_visible()
    given.set_input_files(tmp_path / "new.jpg")
    expect(answers(page).first).to_contain_text("%", timeout=SLOW)
    expect(page.locator(".card .reason img").first).to_be_visible()

    page.get_by_text("Camera", exact=True).click()
    page.wait_for_function("document.querySelector('video')?.readyState >= 2", timeout=SLOW)
    page.get_by_role("button", name="Take Photo").click()
    expect(page.get_by_role("img", name="asked: camera")).to_be_visible(timeout=SLOW)
    expect(answers(page).first).to_contain_text("%", timeout=SLOW)
    no_error(page)
    page.reload()
    expect(page.get_by_text("an example of A, B and C")).to_be_visible(timeout=SLOW)
