"""The start page in a real browser: whole, quiet, and no wider than its window."""

import pytest
from playwright.sync_api import Browser, expect

from metacore import ALGORITHMS

PAPER = {"light": "rgb(252, 251, 248)", "dark": "rgb(20, 23, 28)"}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_loads(chromium: Browser, server: str, scheme: str, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("requestfailed", lambda request: errors.append(request.url))
    try:
        page.goto(server)
        expect(page.get_by_role("heading", name="Watch a network learn")).to_be_visible(
            timeout=60_000
        )
        expect(page.get_by_role("heading", name="Datasets")).to_be_visible(timeout=20_000)
        expect(page.locator(".katex-display").first).to_be_visible()
        for kind in ALGORITHMS.values():
            expect(page.get_by_text(kind.title, exact=True).first).to_be_attached()
        expect(page.locator(".stApp")).to_have_css("background-color", PAPER[scheme])
        assert page.locator(".katex-error, [style*='#cc0000']").count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        too_wide = "e => e.getBoundingClientRect().right > innerWidth"
        formulas = page.locator(".katex-display").all()
        assert not any(formula.evaluate(too_wide) for formula in formulas)
        assert errors == []  # nothing is fetched from elsewhere: classrooms may be offline
    finally:
        page.close()
