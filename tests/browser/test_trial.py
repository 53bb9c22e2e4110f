"""Drawing with a mouse and with a finger: every network answers; a trial is kept and comes back."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.test_journey import SLOW, go, no_error, settled

RUNS = "run=maml-glyphs&run=protonet-glyphs"
RING = [(0.5, 0.2), (0.8, 0.5), (0.5, 0.8), (0.2, 0.5), (0.5, 0.2)]
BAR = [(0.5, 0.1), (0.5, 0.9)]
ZIGZAG = [(0.2, 0.2), (0.8, 0.3), (0.2, 0.6), (0.8, 0.8)]
TELEPHONE = {"width": 390, "height": 844}


@pytest.fixture(params=["mouse", "touch"])
def context(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[BrowserContext]:
    touch = request.param == "touch"
    size = TELEPHONE if touch else {"width": 1280, "height": 1000}
    opened = chromium.new_context(viewport=size, has_touch=touch, accept_downloads=True)
    opened.set_default_timeout(30_000)
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def pad(page: Page, label: str) -> Locator:
    return page.get_by_role("img", name=re.compile(f"^{label}: "))


def draw(page: Page, label: str, path: list[tuple[float, float]]) -> None:
    canvas = pad(page, label)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in path]
    places = [place for pair in pairwise(places) for place in between(*pair)]
    finger(page, places) if page.viewport_size == TELEPHONE else mouse(page, places)
    expect(canvas).to_have_attribute("aria-label", f"{label}: 1 stroke")
    settled(page)


def between(
    a: tuple[float, float], b: tuple[float, float], steps: int = 6
) -> list[tuple[float, float]]:
    shares = [n / steps for n in range(steps + 1)]
    return [(a[0] + s * (b[0] - a[0]), a[1] + s * (b[1] - a[1])) for s in shares]


def mouse(page: Page, places: list[tuple[float, float]]) -> None:
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place)
    page.mouse.up()


def finger(page: Page, places: list[tuple[float, float]]) -> None:
    """Touches as a screen reports them: the page would scroll if the pad let it."""
    screen = page.context.new_cdp_session(page)
    for number, (x, y) in enumerate(places):
        kind = "touchMove" if number else "touchStart"
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def answers(page: Page) -> Locator:
    return page.locator(".card .best")


def all_answer(page: Page, name: str) -> None:
    for number in range(2):
        expect(answers(page).nth(number)).to_contain_text(re.compile(rf"^{name} · \d+%"))


def test_draw_answer_reload_keep_and_open(page: Page, server: str, tmp_path: Path) -> None:
    go(page, f"{server}/trial?ways=2&{RUNS}")
    expect(pad(page, "Query")).to_be_visible(timeout=SLOW)
    draw(page, "Class A, drawing 1", RING)
    expect(page.get_by_text("an example of B")).to_be_visible()
    draw(page, "Class B, drawing 1", BAR)
    expect(answers(page).first).to_contain_text("waits for the query", timeout=SLOW)
    name_class(page, "A", "ring")
    draw(page, "Query", RING)
    all_answer(page, "ring")
    page.get_by_role("button", name="Clear Query").click()
    expect(answers(page).first).to_contain_text("waits for the query")
    draw(page, "Query", BAR)
    all_answer(page, "B")
    no_error(page)

    page.reload()
    all_answer(page, "B")
    expect(pad(page, "Class A, drawing 1")).to_have_attribute(
        "aria-label", "Class A, drawing 1: 1 stroke"
    )
    keep_and_open(page, server, tmp_path)


def name_class(page: Page, letter: str, name: str) -> None:
    field = page.get_by_label(f"Name of class {letter}")
    field.fill(name)
    field.press("Tab")
    settled(page)


def keep_and_open(page: Page, server: str, folder: Path) -> None:
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Save as a file").click()
    waiting.value.save_as(folder / "trial.json")
    page.get_by_role("button", name="Save on this server").click()
    link = page.locator(".stCode code").inner_text(timeout=SLOW)

    other = page.context.new_page()
    go(other, link)
    all_answer(other, "B")
    expect(other.get_by_label("Name of class A")).to_have_value("ring")
    other.close()

    another = page.context.new_page()
    go(another, f"{server}/trial")
    another.get_by_role("button", name="Open").click()
    another.locator("input[type=file]").set_input_files(folder / "trial.json")
    all_answer(another, "B")
    expect(another.get_by_label("Name of class A")).to_have_value("ring")
    no_error(another)


def test_undo_clear_and_other_ways_lose_nothing(page: Page, server: str) -> None:
    go(page, f"{server}/trial?ways=3&{RUNS}")
    expect(pad(page, "Query")).to_be_visible(timeout=SLOW)
    for label, path in (("A", RING), ("B", BAR), ("C", ZIGZAG)):
        draw(page, f"Class {label}, drawing 1", path)
    page.get_by_role("button", name="Clear Class C, drawing 1").click()
    expect(pad(page, "Class C, drawing 1")).to_have_attribute("aria-label", re.compile("no stroke"))
    expect(page.get_by_text("an example of C")).to_be_visible()
    page.get_by_role("button", name="Undo in Class C, drawing 1").click()
    expect(answers(page).first).to_contain_text("waits for the query")

    for key, count in (("ArrowDown", 2), ("ArrowUp", 3)):
        page.get_by_label("Ways", exact=True).press(key)
        page.get_by_label("Ways", exact=True).press("Enter")
        expect(page.locator(".sheet .class")).to_have_count(count)
    expect(pad(page, "Class C, drawing 1")).to_have_attribute("aria-label", re.compile("1 stroke"))
    page.get_by_role("button", name="Clear all").click()
    expect(page.get_by_text("an example of A, B and C")).to_be_visible()
    no_error(page)


def test_ten_by_five_fit_on_a_telephone(chromium: Browser, server: str) -> None:
    context = chromium.new_context(viewport=TELEPHONE, has_touch=True, color_scheme="dark")
    page = context.new_page()
    try:
        go(page, f"{server}/trial?ways=10&shots=5&{RUNS}")
        page.get_by_role("button", name="Show me").click()
        expect(answers(page).first).to_contain_text("%", timeout=SLOW)
        boxes = [canvas.bounding_box() for canvas in page.locator(".support canvas").all()]
        assert len(boxes) == 50
        assert all(box and box["width"] >= 56 for box in boxes)
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
        page.evaluate("document.querySelector('.stMain').scrollTo(0, 300)")
        expect(pad(page, "Query")).to_be_in_viewport(ratio=1)
        no_error(page)
    finally:
        context.close()
