"""A whole contest in a real browser: by mouse, by key, and through a reload."""

import re

from playwright.sync_api import Browser, Page, expect

ADDRESS = "trial?way=Beat+the+machine&characters=glyphs&level=five&drawings=1&contest=5"
SLOW = 30_000


def open_tiles(page: Page, number: int) -> None:
    expect(page.get_by_text(f"Round {number} of 10")).to_be_visible(timeout=SLOW)
    expect(page.locator(".tiles button:enabled")).to_have_count(5, timeout=SLOW)


def told(page: Page) -> None:
    expect(page.locator(".tiles button.right")).to_have_count(1, timeout=SLOW)
    expect(page.get_by_text(re.compile(r"(Right|Wrong): it is"))).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="% sure")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def answer(page: Page, number: int) -> None:
    open_tiles(page, number)
    if number == 2:
        page.keyboard.press("b")  # the puzzle has the focus from its second round on
    else:
        page.locator(".tiles button").nth(number % 5).click()
    told(page)


def go_on(page: Page, number: int) -> None:
    if number == 3:
        page.reload()
    elif number == 4:
        page.keyboard.press("n")
    elif number < 10:
        page.get_by_role("button", name="Next round").click()
    else:
        page.get_by_role("button", name="See the score").click()


def scored(page: Page) -> None:
    expect(page.get_by_role("listitem").filter(has_text="of 10")).to_have_count(4, timeout=SLOW)
    expect(page.locator("code")).to_contain_text("contest=5")
    assert re.search(r"answers=([A-E][0-9]+){10}", page.url)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_ten_rounds(chromium: Browser, server: str) -> None:
    page = chromium.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        page.goto(f"{server}/{ADDRESS}")
        page.get_by_role("button", name="Start").click(timeout=60_000)
        for number in range(1, 11):
            answer(page, number)
            go_on(page, number)
        scored(page)
        page.get_by_role("button", name="Harder").click()
        expect(page.locator(".tiles button:enabled")).to_have_count(10, timeout=SLOW)
        assert "contest=6" in page.url
        assert errors == []
    finally:
        page.close()


def test_the_last_rounds_on_a_telephone(chromium: Browser, server: str) -> None:
    page = chromium.new_page(
        viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True
    )
    try:
        page.goto(f"{server}/{ADDRESS}&answers={'A9' * 9}")
        expect(page.get_by_text("Round 10 of 10")).to_be_visible(timeout=60_000)
        open_tiles(page, 10)
        page.locator(".tiles button").nth(3).tap()
        told(page)
        go_on(page, 10)
        scored(page)
    finally:
        page.close()
