"""Every page after every other, with changed settings: what was on screen is what comes back."""

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

WAIT = 60_000
SEEN = """() => ({
    path: location.pathname + location.search,
    title: document.querySelector('h1')?.textContent,
    typed: [...document.querySelectorAll('.stMain input:not([type=range])')]
        .filter((box) => box.offsetParent).map((box) => [box.ariaLabel, box.value]),
    chosen: [...document.querySelectorAll('.stMain [aria-checked=true]')]
        .filter((box) => box.offsetParent).map((box) => box.textContent),
})"""


def settled(page: Page) -> None:
    """The script has run, twice if it asked for another run of itself."""
    for _ in range(2):
        page.wait_for_function(
            "document.querySelector('[data-testid=stApp]')?.dataset.testScriptState =="
            " 'notRunning'",
            timeout=WAIT,
        )
        page.wait_for_timeout(150)


def type_in(label: str, value: str) -> Callable[[Page], None]:
    def change(page: Page) -> None:
        box = page.locator(".stMain").get_by_label(label, exact=True).first
        box.fill(value)
        box.press("Enter")

    return change


def press(name: str) -> Callable[[Page], None]:
    return lambda page: page.locator(".stMain").get_by_role("button", name=name).first.click()


def pick(label: str) -> Callable[[Page], None]:
    return lambda page: page.locator(".stMain").get_by_role("radio", name=label).first.click()


PAGES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "Start": ("Watch a network learn to learn", press("Another wave")),
    "Train": ("Train", type_in("Ways", "12")),
    "Adapt": ("Adapt", type_in("Inner steps", "2")),
    "Prototypes": ("Prototypes", pick("pictures")),
    "Compare": ("Compare", type_in("Shots", "3")),
    "Trial": ("Trial", type_in("Ways", "3")),
    "Runs": ("Runs", type_in("Search", "reptile")),
}


@pytest.fixture
def page(chromium: Browser, server: str) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.goto(server)
    yield page
    context.close()


def go(page: Page, name: str) -> None:
    page.get_by_test_id("stSidebar").get_by_role("link", name=name, exact=True).click()
    expect(page.locator("h1")).to_have_text(PAGES[name][0])
    settled(page)


def seen(page: Page) -> dict[str, Any]:
    settled(page)
    trouble = page.locator(".stMain [data-testid=stAlertContentError]")
    assert trouble.count() == 0, trouble.first.inner_text()
    found: dict[str, Any] = page.evaluate(SEEN)
    return found


def test_every_page_follows_every_other_and_comes_back(page: Page) -> None:
    for name, (title, change) in PAGES.items():
        if name != "Start":
            go(page, name)
        expect(page.locator("h1")).to_have_text(title)
        settled(page)
        change(page)
        seen(page)
    for before, after in permutations(PAGES, 2):
        go(page, before)
        left = seen(page)
        go(page, after)
        there = seen(page)
        page.go_back()
        expect(page.locator("h1")).to_have_text(PAGES[before][0])
        assert seen(page) == left, f"back from {after} to {before}"
        page.go_forward()
        expect(page.locator("h1")).to_have_text(PAGES[after][0])
        assert seen(page) == there, f"forward from {before} to {after}"


def test_a_copied_link_shows_the_same_run_and_the_same_step_of_the_film(
    page: Page, server: str
) -> None:
    page.goto(f"{server}/adapt")
    slider = page.get_by_role("slider", name="Inner step")
    slider.wait_for()
    settled(page)
    slider.press("Home")
    slider.press("ArrowRight")
    page.wait_for_url("**film=1*")
    page.get_by_role("button", name="Copy link").click()
    copied = page.locator("[data-address]").get_attribute("data-address") or ""
    assert "run=maml-glyphs" in copied
    page.goto(copied)
    expect(page.get_by_text("Inner step 1 of 3", exact=True)).to_be_visible(timeout=WAIT)


def test_a_run_of_the_list_opens_where_its_links_lead(page: Page, server: str) -> None:
    page.goto(f"{server}/runs?run=anil-glyphs")
    settled(page)
    page.locator(".stMain").get_by_role("link", name="Adapt").click()
    expect(page.locator("h1")).to_have_text("Adapt")
    expect(page.get_by_text("ANIL", exact=True).first).to_be_visible(timeout=WAIT)
    page.goto(f"{server}/prototypes?run=nope")
    expect(page.get_by_text("There is no run nope here")).to_be_visible(timeout=WAIT)
